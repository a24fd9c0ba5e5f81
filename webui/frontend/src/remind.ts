// Reminders: the strip shows them on every tab; the leading tab tells them outside of the browser, once.
import { say, tell } from "./dom";

/** What a reminder's message carries. */
export interface ReminderData {
  task: number;
  state: "due" | "asleep" | "gone";
  title: string;
  client_name: string;
}

const shown = new Map<number, Notification>();

/** A reminder fell due, sleeps or was put away. */
export function remind(data: ReminderData, leads: boolean): void {
  if (data.state !== "due") {
    shown.get(data.task)?.close();
    shown.delete(data.task);
    return;
  }
  const what = [data.title || say("call_back"), data.client_name].filter(Boolean).join(" · ");
  if (!document.hidden) tell(say("reminder", { what }));
  if (!leads || document.hasFocus() || !("Notification" in window) || Notification.permission !== "granted") return;
  const note = new Notification(say("reminder", { what }), { tag: `task-${data.task}` });
  note.onclick = () => {
    window.focus();
    location.assign(`/tasks/${data.task}`);
    note.close();
  };
  shown.set(data.task, note);
}
