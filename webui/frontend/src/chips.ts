// Calls that a person wants to open himself: a quiet chip in the strip, which a key opens.
import { all, find, meta, say } from "./dom";
import { caller, fill, shownState, stateWord, type PopData } from "./popdata";

const GONE_AFTER = 3000;
const opened = new Set<string>();
/** What was told of the chips: the server's table is a moment behind the socket. */
const told = new Map<string, PopData>();

const chip = (pop: string): HTMLElement | null => find(`#chips [data-chip="${CSS.escape(pop)}"]`);

/** Whether this call waits for the person's key. */
export function waits(pop: PopData): boolean {
  const policy = meta("pop");
  if (opened.has(pop.pop) || find("#live")?.dataset["pop"] === pop.pop) return false;
  return policy === "hand" || (policy === "answered" && pop.state === "offered");
}

/** The person opened it, here or in another tab; what was told of it comes back. */
export function unchip(pop: string): PopData | undefined {
  const last = told.get(pop);
  told.delete(pop);
  opened.add(pop);
  chip(pop)?.remove();
  return last;
}

/** Whether a chip of this call stands in the strip. */
export function chipped(pop: string): boolean {
  return chip(pop) !== null;
}

/** Show the call in the strip, or as it stands now. */
export function showChip(pop: PopData): void {
  told.set(pop.pop, pop);
  const template = find<HTMLTemplateElement>("#chip-template");
  const made = chip(pop.pop) ?? (template?.content.cloneNode(true) as DocumentFragment | undefined)?.querySelector<HTMLElement>("button");
  if (!made) return;
  made.dataset["chip"] = made.dataset["popOpen"] = pop.pop;
  made.dataset["call"] = pop.call;
  made.dataset["state"] = shownState(pop);
  fill(made, "state", stateWord(pop));
  fill(made, "who", caller(pop));
  fill(made, "line", pop.line?.label || pop.queue_label);
  if (pop.state === "wrapup") for (const other of all("#chips [data-state=wrapup]")) if (other !== made) other.remove();
  if (!made.isConnected) find("#chips")?.append(made);
}

/** It is no longer his: the chip says why for a moment. */
export function dropChip(pop: PopData): void {
  told.delete(pop.pop);
  const there = chip(pop.pop);
  if (!there) return;
  there.dataset["state"] = "offline";
  fill(there, "state", pop.answered_by ? say("answered_by", { who: pop.answered_by }) : say("state_offline"));
  window.setTimeout(() => there.remove(), GONE_AFTER);
}
