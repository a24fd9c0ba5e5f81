// The board of callbacks: choosing rows, acting on one or many, by keys alone.
import { now } from "./clock";
import { all, find, onClick, say, single, tell, typing } from "./dom";

const chosen = new Set<string>();
let current = "";

const board = (): HTMLElement | null => find("#board[data-callbacks]");
const rows = (): HTMLElement[] => all("[data-row][data-id]", board() ?? document.createElement("i"));
const idOf = (row: Element): string => (row as HTMLElement).dataset["id"] ?? "";
const here = (): HTMLElement | undefined => rows().find((row) => row.classList.contains("is-here"));

/** After a click, a key, or fresh rows from the server: what was chosen stays chosen, the row stays under the eye. */
function show(): void {
  const there = new Set(rows().map(idOf));
  for (const id of chosen) if (!there.has(id)) chosen.delete(id);
  for (const row of rows()) {
    const pick = find<HTMLInputElement>("[data-pick]", row);
    if (pick) pick.checked = chosen.has(idOf(row));
    row.classList.toggle("is-chosen", chosen.has(idOf(row)));
    if (current && !here()) row.classList.toggle("is-here", idOf(row) === current);
  }
  const bar = find("#chosen");
  const n = find("#chosen-n");
  if (bar) bar.hidden = chosen.size === 0;
  if (n) n.textContent = String(chosen.size);
}

function toggle(row: HTMLElement | undefined): boolean {
  if (!row || !find("[data-pick]", row)) return false;
  const id = idOf(row);
  if (!chosen.delete(id)) chosen.add(id);
  show();
  return true;
}

function everything(): boolean {
  const able = rows().filter((row) => find("[data-pick]", row));
  const whole = able.every((row) => chosen.has(idOf(row)));
  chosen.clear();
  if (!whole) for (const row of able) chosen.add(idOf(row));
  show();
  return true;
}

function none(): boolean {
  if (!chosen.size) return false;
  chosen.clear();
  show();
  return true;
}

/** The chosen rows, else the one under the eye, else the first. */
function meant(): HTMLElement[] {
  const picked = rows().filter((row) => chosen.has(idOf(row)));
  if (picked.length) return picked;
  const one = here() ?? rows()[0];
  return one && find("[data-pick]", one) ? [one] : [];
}

function open(act: string): boolean {
  const dialog = find<HTMLDialogElement>(`#dialog-${act}`);
  const which = meant();
  if (!dialog || !which.length) return false;
  const ids = find<HTMLInputElement>("[data-ids]", dialog);
  if (ids) ids.value = which.map((row) => `${idOf(row)}:${row.dataset["version"] ?? ""}`).join(",");
  const who = find("[data-who]", dialog);
  if (who) who.textContent = which.map((row) => find(".c-who a", row)?.textContent ?? "").join(", ");
  dialog.showModal();
  return true;
}

/** In a dialog a digit is the answer: a button is pressed, a reason is chosen. */
function digit(dialog: HTMLDialogElement, event: KeyboardEvent): boolean {
  if (typing() || event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return false;
  const target = find(`[data-digit="${event.key}"]`, dialog);
  target?.click();
  target?.focus();
  return target !== null;
}

function press(name: string): boolean {
  const target = (here() && find(`[data-hot=${name}]`, here())) || find(`#board-acts [data-hot=${name}]`);
  target?.click();
  return Boolean(target);
}

const KEYS: Record<string, () => boolean> = {
  h: () => open("hand_over"),
  z: () => open("snooze"),
  d: () => open("close"),
  r: () => press("release"),
  u: () => press("undo"),
  " ": () => toggle(here() ?? rows()[0]),
  "*": everything,
  Escape: none,
  Enter: () => document.activeElement === document.body && press("next"),
};

let going = 0;

function key(event: KeyboardEvent): boolean {
  const dialog = find<HTMLDialogElement>("dialog.ask[open]");
  if (dialog) return digit(dialog, event);
  const free = single() && !typing() && !event.ctrlKey && !event.metaKey && !event.altKey && !find("dialog[open]");
  if (!free || !board()) return false;
  // "g d" goes to the desk: the letter after a g is not ours.
  const left = Date.now() - going < 1200;
  going = event.key === "g" ? Date.now() : 0;
  if (left) return false;
  if (event.key === " " && document.activeElement?.matches("button, input, summary")) return false;
  return KEYS[event.key]?.() ?? false;
}

/** Words of one's own are reason enough: then none of the list need be chosen. */
function own(field: HTMLInputElement): void {
  const form = field.form;
  if (!form) return;
  for (const choice of all<HTMLInputElement>("input[name=reason]", form)) choice.required = field.value.trim() === "";
}

interface TaskFrame {
  type: string;
  data: { task: number; kind: string; state: string; client_name: string; number: string | null; escalated_at: string | null };
}

const told = new Set<number>();

/** A supervisor hears of a broken promise when it is told to him, on whatever page he is. */
function escalated(event: Event): void {
  const frame = (event as CustomEvent<TaskFrame>).detail;
  if (frame.type !== "task.changed" || frame.data.kind !== "callback" || frame.data.state !== "open") return;
  const at = Date.parse(frame.data.escalated_at ?? "");
  const supervises = find("#callers")?.dataset["supervises"] === "yes";
  if (!supervises || !(now() - at < 60000) || told.has(frame.data.task)) return;
  told.add(frame.data.task);
  tell(say("escalated", { who: frame.data.client_name || frame.data.number || "" }));
}

/** Listen before the general keys do: on the board some letters mean more. */
export function startBoard(): void {
  document.addEventListener("push-frame", escalated);
  if (!board()) return;
  document.addEventListener("keydown", (event) => {
    if (!event.defaultPrevented && !event.isComposing && key(event)) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    const pick = event.target instanceof HTMLInputElement && event.target.matches("[data-pick]") ? event.target : null;
    if (pick) toggle(pick.closest<HTMLElement>("[data-row]") ?? undefined);
  });
  document.addEventListener("input", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.matches("[data-own]")) own(event.target);
  });
  document.addEventListener("htmx:before:swap", () => (current = here() ? idOf(here() as HTMLElement) : ""));
  document.addEventListener("htmx:after:swap", show);
  onClick("[data-board]", (button) => {
    const act = button.dataset["board"] ?? "";
    if (act === "none") none();
    else open(act);
  });
}
