// Ctrl+K: find a client, a number, a call, a page or an action. The server finds; here the list is walked.
import { all, find, onClick } from "./dom";

let asked = 0;
let timer = 0;

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
  const answer = await fetch(`/palette?q=${encodeURIComponent(text)}`);
  if (mine !== asked || !answer.ok) return;
  const found = find("#palette-found");
  if (!found) return;
  const made = new DOMParser().parseFromString(await answer.text(), "text/html");
  found.replaceChildren(...made.body.childNodes);
  select(0);
}

function walk(event: KeyboardEvent): void {
  const at = options().findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") select(at + 1);
  else if (event.key === "ArrowUp") select(at - 1);
  else if (event.key === "Enter") options()[at]?.click();
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
  onClick("[data-act=find]", () => void openPalette());
  input.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void search(input.value), 120);
  });
  input.addEventListener("keydown", walk);
}
