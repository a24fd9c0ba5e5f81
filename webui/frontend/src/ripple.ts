// A message of the server as an event of the page, so that fragments know when to be read anew.
import htmx from "htmx.org";

const due = new Map<string, number>();

/** Fragments say `hx-trigger="push-task from:body"`; a burst of messages is one refresh. */
export function ripple(kind: string): void {
  if (due.has(kind)) return;
  due.set(
    kind,
    window.setTimeout(() => {
      due.delete(kind);
      htmx.trigger(document.body, `push-${kind}`);
    }, 400),
  );
}
