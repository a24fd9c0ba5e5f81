// Ctrl+K: find a client, a number, a call, a note, a task, a page or an action. The server finds; here the list is walked.
import { callNumber } from "./dial";
import { all, find, onClick } from "./dom";

/** So long a pause in typing is a question. */
const PAUSE_MS = 90;
const PAGE = 5;
let asked = 0;
let answered = 0;
let timer = 0;
/** Enter came before the answer: what is found first is opened then. */
let hurried = false;

const options = (): HTMLElement[] => all("#palette [role=option]");

function select(index: number): void {
  const list = options();
  const at = Math.min(list.length - 1, Math.max(0, index));
  list.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
  list[at]?.scrollIntoView({ block: "nearest" });
  find("#palette input")?.setAttribute("aria-activedescendant", list[at]?.id ?? "");
}

async function search(text: string): Promise<void> {
  const mine = ++asked;
  window.clearTimeout(timer);
  timer = 0;
  const answer = await fetch(`/palette?q=${encodeURIComponent(text)}`);
  const said = answer.ok ? await answer.text() : "";
  const found = find("#palette-found");
  if (mine !== asked || !found) return;
  answered = mine;
  const made = new DOMParser().parseFromString(said, "text/html");
  found.replaceChildren(...made.body.childNodes);
  select(0);
  if (hurried) options()[0]?.click();
  hurried = false;
}

/** Call whom the chosen line is about. */
function call(option: HTMLElement | undefined): void {
  const number = option?.dataset["number"] ?? option?.dataset["dial"];
  const whom = option?.dataset["whom"];
  if (!number && !whom) return;
  find<HTMLDialogElement>("#palette")?.close();
  callNumber(number ? { number } : { whom: whom ?? "" });
}

function enter(option: HTMLElement | undefined, calling: boolean): void {
  if (calling) call(option);
  else if (timer || answered !== asked) hurried = true;
  else option?.click();
}

function walk(event: KeyboardEvent): void {
  if (event.isComposing) return;
  const at = options().findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") select(at + 1);
  else if (event.key === "ArrowUp") select(at - 1);
  else if (event.key === "PageDown") select(at + PAGE);
  else if (event.key === "PageUp") select(at - PAGE);
  else if (event.key === "Enter") enter(options()[at], event.ctrlKey || event.metaKey);
  else return;
  event.preventDefault();
}

/** Show the palette; true, so that a key that did it counts as taken. */
export function openPalette(): boolean {
  const dialog = find<HTMLDialogElement>("#palette");
  if (!dialog || dialog.open) return dialog !== null;
  dialog.showModal();
  const input = find<HTMLInputElement>("input", dialog);
  input?.select();
  void search(input?.value ?? "");
  return true;
}

/** Wire the dialog and its button. */
export function startPalette(): void {
  const input = find<HTMLInputElement>("#palette input");
  if (!input) return;
  onClick("#palette [data-dial]", (option, event) => {
    event.preventDefault();
    find<HTMLDialogElement>("#palette")?.close();
    callNumber({ number: option.dataset["dial"] ?? "" });
  });
  onClick("[data-act=find]", () => void openPalette());
  input.addEventListener("input", () => {
    hurried = false;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void search(input.value), PAUSE_MS);
  });
  input.addEventListener("keydown", walk);
}
