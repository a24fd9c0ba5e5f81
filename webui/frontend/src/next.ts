// The next step after a call: nothing, a call back at a time, or a task; proposed by the disposition, changed by keys.
import { all, find, onClick } from "./dom";

const field = (name: string): HTMLInputElement | null => find<HTMLInputElement>(`#live input[name=${name}]`);
const times = (): HTMLElement[] => all("#live [data-time]");

/** The step that is chosen, and its fields. */
export function nextStep(): Record<string, string> {
  const next = find<HTMLInputElement>("#live input[name=next]:checked")?.value ?? "nothing";
  return { next, what: field("next_what")?.value ?? "", when: field("next_when")?.value ?? "" };
}

function show(): void {
  const { next = "nothing", when = "" } = nextStep();
  for (const part of all("#live [data-next]")) part.hidden = part.dataset["next"] !== next && !(part.dataset["next"] === "some" && next !== "nothing");
  for (const time of times()) time.setAttribute("aria-pressed", String(time.dataset["time"] === when));
}

function choose(step: string, time?: HTMLElement): void {
  const radio = find<HTMLInputElement>(`#live input[name=next][value=${step}]`);
  const when = field("next_when");
  if (radio) radio.checked = true;
  if (when && time) when.value = time.dataset["time"] ?? when.value;
  show();
}

/** A key for a step: first it is chosen, pressed again it takes the next of the quick times. */
export function step(wish: "callback" | "task"): boolean {
  if (!find("#live input[name=next]")) return false;
  const { next, when } = nextStep();
  const at = times().findIndex((time) => time.dataset["time"] === when);
  const quick = next === wish ? times()[(at + 1) % times().length] : wish === "callback" ? times()[0] : undefined;
  choose(wish, quick);
  touched = true;
  if (wish === "task") field("next_what")?.focus();
  return true;
}

let touched = false;

/** The disposition proposes a step, as long as nobody chose one. */
function proposed(event: Event): void {
  const { next } = (event as CustomEvent<{ next: string }>).detail;
  if (!touched) choose(next, next === "callback" ? times()[0] : undefined);
}

/** Wire the step; the sheet may be replaced at any time, so everything is delegated. */
export function startNext(): void {
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (!(target instanceof HTMLInputElement) || !target.closest("#live")) return;
    if (target.name === "next") {
      touched = true;
      choose(target.value, target.value === "callback" ? times()[0] : undefined);
    }
    if (target.name === "next_when") show();
  });
  onClick("#live [data-time]", (button) => {
    touched = true;
    choose(nextStep()["next"] ?? "callback", button);
  });
  document.addEventListener("said", proposed);
  document.addEventListener("sheet-leaves", () => (touched = false));
  document.addEventListener("sheet", show);
  show();
}
