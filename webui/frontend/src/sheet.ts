// Being ready for the next call: everything is saved, the next step is kept, and the cursor goes to what comes next.
import { find, onClick, post, say, tell } from "./dom";
import { nextStep } from "./next";
import { saveNotes } from "./note";
import { findWord, saveSaid } from "./said";

let going = false;

/** Note, disposition and next step in one go, then ready for the next call. */
async function ready(button: HTMLElement): Promise<void> {
  if (going) return;
  going = true;
  try {
    await Promise.all([saveNotes(), saveSaid()]);
    const at = document.activeElement;
    const free = !at || at === document.body || at.closest("#live") !== null;
    const answer = await post(`/desk/pop/${encodeURIComponent(button.dataset["pop"] ?? "")}/close`, nextStep());
    if (answer.ok) document.dispatchEvent(new CustomEvent("sheet-done", { detail: { free } }));
    else await refused(answer);
  } catch {
    tell(say("not_reached"));
  } finally {
    going = false;
  }
}

async function refused(answer: Response): Promise<void> {
  const body = (await answer.json().catch(() => ({}))) as { detail?: string; fields?: Record<string, string> };
  tell(body.detail ?? say("not_saved"));
  if (body.fields?.["disposition"]) findWord();
}

/** After a call was put away: the next call's note, else the first thing that is owed. */
export function focusNext(): void {
  const open = find("#live[data-pop] #note");
  const owed = find("#work .due a") ?? find("#work .todo a") ?? find("#main");
  (open ?? owed)?.focus();
}

/** Wire the buttons; the sheet may be replaced at any time, so everything is delegated. */
export function startSheet(): void {
  onClick("#live [data-hot=ready]", (button) => void ready(button));
}
