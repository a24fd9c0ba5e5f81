// What a pop message carries, and how it is said in a line.
import { say } from "./dom";

/** A pop as the server tells it; the server's docs say it field by field. */
export interface PopData {
  pop: string;
  call: string;
  state: "offered" | "answered" | "wrapup" | "closed" | "withdrawn";
  reason: string;
  answered_by: string;
  direction: string;
  number: string | null;
  shown: string;
  said_name: string;
  clients: { id: number; name: string; organisation: string; job: string }[];
  match: { step: string; words: string } | null;
  line: { number: string; label: string } | null;
  queue_label: string;
  waited_s: number | null;
  began: string;
  ring_since: string | null;
  answered_at: string | null;
  ended_at: string | null;
  phone: string;
}

/** Who calls, in one line: a name, several, or the number. */
export function caller(pop: PopData): string {
  const only = pop.clients.length === 1 ? pop.clients[0] : undefined;
  if (pop.clients.length > 1) return say("several", { n: String(pop.clients.length) });
  return only?.name || pop.said_name || pop.shown || say("withheld");
}

/** How the sheet shows a pop's state: an own call out is a talk from its beginning. */
export function shownState(pop: PopData): string {
  if (pop.state === "offered") return pop.direction === "outbound" ? "talking" : "ringing";
  return { answered: "talking", wrapup: "wrapup" }[pop.state as string] ?? "offline";
}

/** The state in a word. */
export function stateWord(pop: PopData): string {
  if (pop.state === "offered" && pop.direction === "outbound") return say("state_out");
  return say(`state_${shownState(pop)}`);
}

/** Put texts where the template names them: text nodes only, so a hostile name stays a name. */
export function fill(root: ParentNode, slot: string, text: string): void {
  for (const element of root.querySelectorAll(`[data-fill="${slot}"]`)) element.textContent = text;
}
