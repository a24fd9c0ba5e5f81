// A desktop notification when no tab of ours is seen; one per call, replaced as it changes.
import { say } from "./dom";
import { caller, type PopData } from "./popdata";

/** Tell of a ringing call outside of the browser, unless this tab is in front; `shown` when it is on the screen. */
export function notify(pop: PopData, shown: () => void): void {
  if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
  const line = pop.line?.label || pop.queue_label;
  const note = new Notification(say("calls_you", { who: caller(pop) }), { body: [pop.shown, line].filter(Boolean).join(" · "), tag: pop.call });
  note.onshow = shown;
  note.onclick = () => {
    window.focus();
    note.close();
  };
}
