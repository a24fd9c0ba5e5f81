// A message of the server as an event of the page, so that fragments know when to be read anew.
import htmx from "htmx.org";

const APART = 400;
const due = new Set<string>();
const last = new Map<string, number>();

/** At most one event of a name in 400 ms; the last message of a burst is never lost. */
function later(name: string, wait: number): void {
  if (due.has(name)) return;
  due.add(name);
  window.setTimeout(() => {
    due.delete(name);
    last.set(name, performance.now());
    htmx.trigger(document.body, `push-${name}`);
  }, wait);
}

/** Fragments say `hx-trigger="push-task from:body"`; a burst of messages is one refresh. */
export function ripple(kind: string): void {
  later(kind, APART);
}

/** The same without waiting for the burst to end: for what stands beside something that has changed already. */
export function rippleNow(name: string): void {
  later(name, Math.max(0, APART - (performance.now() - (last.get(name) ?? -APART))));
}
