// The score form beside a call: saved as it is filled in, answered by digits, submitted by Ctrl Enter. Loaded only there.
import { duration } from "./clock";
import { all, find, say, single, typing } from "./dom";

/** What the server says of a saved draft: its new version, the total as HTML, and which questions are asked now. */
interface Kept {
  evaluation: number;
  version: number;
  total: string;
  sums: Record<string, string>;
  asked: string[];
  silent: string[];
  open: string[];
  saved: string;
}

const RETRY = 3000;
const form = find<HTMLFormElement>("[data-score] form.score-form");
let waiting: number | undefined;
let running: Promise<void> | null = null;
let dirty = false;
let stopped = false;
let last: Kept | null = null;
let passing = false;

const shown = (): HTMLElement[] => (form ? all(".question[data-question]", form).filter((one) => !one.hidden) : []);
const answered = (one: Element): boolean => find("input:checked", one) !== null;
const field = (name: string): HTMLInputElement | null => form && find<HTMLInputElement>(`input[name="${name}"]`, form);

/** The question that digits answer. */
function here(): HTMLElement | null {
  return shown().find((one) => one.classList.contains("is-now")) ?? null;
}

function go(one: HTMLElement | undefined): void {
  if (!one) return;
  for (const other of all(".question.is-now")) other.classList.toggle("is-now", other === one);
  one.classList.add("is-now");
  one.scrollIntoView({ block: "nearest" });
}

/** On to the next question that waits for an answer; the last one stays. */
function onward(from: HTMLElement): void {
  const list = shown();
  const after = list.slice(list.indexOf(from) + 1);
  go(after.find((one) => !answered(one)) ?? list.find((one) => !answered(one)) ?? after[0] ?? from);
}

function line(text: string): void {
  const place = form && find("[data-saved]", form);
  if (place) place.textContent = text;
}

function trouble(text: string): void {
  const place = form && find("[data-trouble]", form);
  if (!place) return;
  place.hidden = !text;
  const words = find("span", place);
  if (words) words.textContent = text;
}

function mark(kept: Kept): void {
  for (const one of all(".question[data-question]")) {
    const key = one.dataset["question"] ?? "";
    one.hidden = !kept.asked.includes(key);
    const silent = kept.silent.includes(key);
    one.toggleAttribute("data-silent", silent);
    if (silent) comment(one, true);
    const says = find("[data-says]", one);
    if (says) says.hidden = !silent;
    find("textarea", one)?.setAttribute("aria-invalid", String(silent));
  }
  if (!here()) go(shown().find((one) => !answered(one)));
}

function take(kept: Kept): void {
  last = kept;
  const [evaluation, version] = [field("evaluation"), field("version")];
  if (evaluation) evaluation.value = String(kept.evaluation);
  if (version) version.value = String(kept.version);
  const drop = form && find<HTMLButtonElement>("[data-drop]", form);
  if (drop) {
    drop.hidden = false;
    drop.formAction = `/quality/evaluations/${kept.evaluation}/drop`;
  }
  const total = form && find("[data-total]", form);
  if (total) total.innerHTML = kept.total;
  for (const [key, sum] of Object.entries(kept.sums)) {
    const place = find(`[data-sum="${CSS.escape(key)}"]`);
    if (place) place.textContent = sum;
  }
  mark(kept);
  line(kept.saved);
}

/** Save once; what is typed meanwhile is saved after it, so that no two savings overtake each other. */
async function send(): Promise<void> {
  if (!form) return;
  dirty = false;
  line(say("saving"));
  const body = new URLSearchParams(all<HTMLInputElement>("[name]", form).flatMap((one) => value(one)));
  try {
    const answer = await fetch(form.dataset["save"] ?? "", { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.ok) {
      trouble("");
      return take((await answer.json()) as Kept);
    }
    if (answer.status < 500) {
      // What the server refuses would be refused again: a person has to look.
      stopped = answer.status !== 422;
      line(say("not_saved"));
      return trouble(((await answer.json()) as { title?: string }).title ?? String(answer.status));
    }
  } catch {
    /* not reached: tried again below */
  }
  dirty = true;
  line(say("not_saved"));
  waiting = window.setTimeout(() => void save(), RETRY);
}

function value(one: HTMLInputElement): [string, string][] {
  return one instanceof HTMLButtonElement || (one.type === "radio" && !one.checked) ? [] : [[one.name, one.value]];
}

/** Save now, after what is on its way. */
async function save(): Promise<void> {
  window.clearTimeout(waiting);
  waiting = undefined;
  if (running) {
    dirty = true;
    return running;
  }
  running = (async () => {
    do await send();
    while (dirty && !stopped && waiting === undefined);
  })();
  await running;
  running = null;
}

function soon(): void {
  dirty = true;
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => void save(), 600);
}

function comment(one: HTMLElement, open: boolean): void {
  const part = find(".with-second", one);
  if (part) part.hidden = !open;
  find("[data-act=comment]", one)?.setAttribute("aria-expanded", String(open));
}

/** Where the player stands, in seconds of the call; null without a player, or before it was moved. */
function second(): number | null {
  const deck = find("[data-deck]");
  const head = find("[data-head]");
  const share = parseFloat(head?.getAttribute("x1") ?? "");
  const total = Number(deck?.dataset["total"] ?? "");
  return deck && total > 0 && share > 0 ? Math.round(share * total) / 100 : null;
}

function pin(one: HTMLElement, at: number | null): void {
  const kept = find<HTMLInputElement>("input[name^='t.']", one);
  const word = find("[data-second]", one);
  if (!kept || !word) return;
  kept.value = at === null ? "" : at.toFixed(1);
  word.textContent = at === null ? say("at_this_second") : say("at_second", { at: duration(at * 1000) });
}

function choose(digit: string): boolean {
  const one = here();
  const radio = one && find<HTMLInputElement>(`input[data-key="${digit}"]`, one);
  if (!one || !radio) return false;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

function step(by: 1 | -1): boolean {
  const list = shown();
  const at = list.findIndex((one) => one.classList.contains("is-now"));
  go(list[Math.min(list.length - 1, Math.max(0, at + by))]);
  return list.length > 0;
}

function write(): boolean {
  const one = here();
  if (!one) return false;
  comment(one, true);
  find<HTMLTextAreaElement>("textarea", one)?.focus();
  return true;
}

const KEYS: Record<string, () => boolean> = {
  "0": () => choose("0"),
  ArrowUp: () => step(-1),
  ArrowDown: () => step(1),
  n: write,
};

/** The words of a call that is being written up are chosen by digits, too: that comes first. */
const busy = (): boolean => all("#live #words").some((one) => one.offsetParent !== null);

function press(event: KeyboardEvent): void {
  if (!form || event.defaultPrevented || event.isComposing || find("dialog[open]")) return;
  const at = document.activeElement;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    if (at?.closest("#live") || (at instanceof HTMLTextAreaElement && !form.contains(at))) return;
    event.preventDefault();
    event.stopPropagation();
    return find<HTMLButtonElement>("[data-hot=submit]", form)?.click();
  }
  if (event.key === "Escape" && at instanceof HTMLTextAreaElement && form.contains(at)) return at.blur();
  if (typing() || !single() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.startsWith("Arrow") && (event.shiftKey || at?.matches("input, select, summary, [tabindex='0']"))) return;
  const done = /^[1-9]$/.test(event.key) ? !busy() && choose(event.key) : (KEYS[event.key]?.() ?? false);
  if (!done) return;
  event.preventDefault();
  event.stopPropagation();
}

/** Submit what is saved: what is missing is shown first, and nothing typed is left behind. */
async function submit(button: HTMLElement | null): Promise<void> {
  if (!form) return;
  await save();
  if (stopped || !last) return;
  const missing = [...last.open, ...last.silent];
  if (missing.length) {
    trouble(say(last.open.length ? "answers_missing" : "comments_missing"));
    return go(shown().find((one) => missing.includes(one.dataset["question"] ?? "")));
  }
  passing = true;
  form.requestSubmit(button);
}

if (form) {
  form.addEventListener("change", (event) => {
    const one = event.target instanceof HTMLInputElement && event.target.type === "radio" ? event.target.closest<HTMLElement>(".question") : null;
    if (!one) return;
    void save().then(() => one.classList.contains("is-now") && onward(one));
    go(one);
  });
  form.addEventListener("input", (event) => {
    if (!(event.target instanceof HTMLTextAreaElement)) return;
    const one = event.target.closest<HTMLElement>(".question[data-question]");
    const kept = one && find<HTMLInputElement>("input[name^='t.']", one);
    // The first letter of a comment is pinned to where the sound stands.
    if (one && kept && !kept.value && event.target.value.length === 1) pin(one, second());
    soon();
  });
  form.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-act]") : null;
    const one = button?.closest<HTMLElement>(".question");
    if (!button || !one) return;
    if (button.dataset["act"] === "comment") return comment(one, button.getAttribute("aria-expanded") !== "true");
    const [at, before] = [second() ?? 0, find<HTMLInputElement>("input[name^='t.']", one)?.value];
    pin(one, before && Math.abs(Number(before) - at) < 0.5 ? null : at);
    soon();
  });
  form.addEventListener("focusin", (event) => {
    const one = event.target instanceof Element ? event.target.closest<HTMLElement>(".question[data-question]") : null;
    if (one && !one.classList.contains("is-now")) go(one);
  });
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (passing || (button instanceof HTMLButtonElement && button.hasAttribute("data-drop"))) return window.clearTimeout(waiting);
    event.preventDefault();
    void submit(button);
  });
  window.addEventListener("pagehide", () => {
    if (!dirty || stopped || passing) return;
    const body = new URLSearchParams(all<HTMLInputElement>("[name]", form).flatMap((one) => value(one)));
    void fetch(form.dataset["save"] ?? "", { method: "POST", body, keepalive: true });
  });
  document.addEventListener("keydown", press, true);
  go(shown().find((one) => one.hasAttribute("data-silent")) ?? shown().find((one) => !answered(one)) ?? shown()[0]);
}
