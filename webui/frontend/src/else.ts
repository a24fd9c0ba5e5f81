// "Not him": find who it is, or name somebody new, without leaving the sheet.
import { all, find, onClick, post, say, tell } from "./dom";

let asked = 0;
let timer = 0;

const panel = (): HTMLElement | null => find("#live [data-else]");
const field = (): HTMLInputElement | null => find<HTMLInputElement>("#else-q");
const options = (): HTMLElement[] => all("#else-found [role=option]");

function select(index: number): void {
  const list = options();
  const at = Math.min(list.length - 1, Math.max(0, index));
  list.forEach((option, n) => option.setAttribute("aria-selected", String(n === at)));
  if (list[at]) field()?.setAttribute("aria-activedescendant", list[at].id);
  else field()?.removeAttribute("aria-activedescendant");
}

async function search(): Promise<void> {
  const mine = ++asked;
  const call = panel()?.dataset["else"] ?? "";
  const answer = await fetch(`/desk/call/${encodeURIComponent(call)}/people?q=${encodeURIComponent(field()?.value ?? "")}`).catch(() => null);
  const found = find("#else-found");
  if (mine !== asked || !answer?.ok || !found) return;
  const made = new DOMParser().parseFromString(await answer.text(), "text/html");
  found.replaceChildren(...made.body.childNodes);
  select(0);
}

function toggle(shown: boolean): void {
  const place = panel();
  if (!place) return;
  place.hidden = !shown;
  if (!shown) return void field()?.blur();
  const input = field();
  if (input) input.value = "";
  find("#else-found")?.replaceChildren();
  input?.focus();
  void search();
}

/** Alt and a digit while the panel is open: one of those found. */
export function pickFound(digit: string): boolean {
  if (panel()?.hidden !== false) return false;
  const option = find(`#else-found #else-${digit}`);
  option?.click();
  return true;
}

async function named(button: HTMLElement): Promise<void> {
  const call = button.dataset["call"] ?? "";
  const answer = await post(`/calls/${encodeURIComponent(call)}/client/new`, { name: button.dataset["new"] ?? "" });
  await done(answer);
}

async function chosen(button: HTMLElement): Promise<void> {
  const call = button.dataset["call"] ?? "";
  await done(await post(`/calls/${encodeURIComponent(call)}/client`, { client: button.dataset["client"] ?? "" }));
}

async function done(answer: Response): Promise<void> {
  if (!answer.ok) return tell(((await answer.json().catch(() => ({}))) as { detail?: string }).detail ?? say("not_saved"));
  toggle(false);
  document.dispatchEvent(new CustomEvent("sheet-changed"));
}

function walk(event: KeyboardEvent): void {
  const at = options().findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") select(at + 1);
  else if (event.key === "ArrowUp") select(at - 1);
  else if (event.key === "Enter") options()[at]?.click();
  else if (event.key === "Escape") toggle(false);
  else return;
  event.preventDefault();
}

/** Wire the panel; the sheet may be replaced at any time, so everything is delegated. */
export function startElse(): void {
  onClick("#live [data-hot=else]", (_, event) => {
    event.preventDefault();
    toggle(panel()?.hidden !== false);
  });
  onClick("#live [data-client]", (button) => void chosen(button));
  onClick("#live [data-new]", (button) => void named(button));
  document.addEventListener("input", (event) => {
    if (event.target !== field()) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void search(), 120);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target === field()) walk(event);
  });
}
