// What came of the call: words by key, in groups behind one key, or found by typing. Kept here until the server has it.
import { all, find, kept, meta, onClick, post, say } from "./dom";
import type { Written } from "./note";

const RETRY = 5000;
const key = (call: string): string => `said.${meta("user")}.${call}`;
let timer = 0;

const box = (): HTMLElement | null => find("#live [data-said]");
const words = (): HTMLElement | null => find("#live #words");
const radios = (): HTMLInputElement[] => all<HTMLInputElement>("#live input[name=disposition]");

/** The call that the words on the sheet are for. */
function call(): string {
  return box()?.dataset["said"] ?? "";
}

/** Open a group of words (or, with "", none). */
function open(group: string): void {
  const list = words();
  if (!list) return;
  list.dataset["open"] = group;
  for (const button of all("[data-group]", list)) button.setAttribute("aria-expanded", String(button.dataset["group"] === group));
}

function mark(): void {
  const list = words();
  if (!list) return;
  for (const button of all("[data-group]", list)) {
    const chosen = find<HTMLInputElement>(`[data-in="${button.dataset["group"] ?? ""}"] input:checked`, list);
    const name = (button.dataset["name"] ??= find("span", button)?.textContent ?? "");
    const span = find("span", button);
    if (span) span.textContent = chosen ? `${name}: ${chosen.value}` : name;
    button.classList.toggle("is-chosen", chosen !== null);
  }
}

function set(word: string): void {
  for (const radio of radios()) radio.checked = radio.value === word;
  mark();
}

/** Tell the server, and go on telling it until it has heard. */
async function tellServer(of: string, word: string): Promise<boolean> {
  try {
    const answer = await post(`/calls/${encodeURIComponent(of)}/note`, { disposition: word });
    if (answer.status >= 500 || answer.status === 401 || answer.redirected) throw new Error(String(answer.status));
    if (kept.get(key(of)) === word) kept.drop(key(of));
    if (answer.ok) return true;
    const body = (await answer.json().catch(() => ({}))) as { detail?: string };
    says(body.detail ?? say("not_saved"));
    return false;
  } catch {
    says(say("not_saved"));
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void saveSaid(), RETRY);
    return false;
  }
}

function says(sentence: string): void {
  const line = find("#live [data-said-by]");
  if (line) line.textContent = sentence;
}

/** Choose a word, or take it back when it was chosen. */
function choose(radio: HTMLInputElement, again: boolean): void {
  const word = again ? "" : radio.value;
  set(word);
  open("");
  says("");
  kept.set(key(call()), word);
  void tellServer(call(), word);
  document.dispatchEvent(new CustomEvent("said", { detail: { next: word ? (radio.dataset["proposes"] ?? "nothing") : "nothing" } }));
}

/** A digit: a word, or a group whose words have the digits then. True when there was one. */
export function digit(pressed: string): boolean {
  const list = words();
  if (!list) return false;
  const group = list.dataset["open"] ?? "";
  if (!group) {
    const button = find(`[data-group][data-key="${pressed}"]`, list);
    if (button) return open(button.dataset["group"] ?? ""), true;
  }
  const inside = group ? `[data-in="${group}"]` : "label:not([data-in])";
  const radio = find<HTMLInputElement>(`${inside} input[data-key="${pressed}"]`, list);
  if (!radio) return false;
  choose(radio, radio.checked);
  return true;
}

/** The field in which typing finds a word; without one, the words themselves. */
export function findWord(): boolean {
  const field = find("#live #find-word") ?? find("#live #words input:checked") ?? find("#live #words input, #live #words button");
  field?.focus();
  return field !== null;
}

function sift(typed: string): void {
  const list = words();
  if (!list) return;
  list.classList.toggle("is-sifted", typed !== "");
  let first = typed !== "";
  for (const radio of radios()) {
    const label = radio.closest("label");
    const fits = radio.value.toLocaleLowerCase().includes(typed.toLocaleLowerCase());
    label?.toggleAttribute("data-out", !fits);
    label?.toggleAttribute("data-first", fits && first);
    if (fits) first = false;
  }
}

function inField(event: KeyboardEvent, field: HTMLInputElement): void {
  if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
    const radio = find<HTMLInputElement>("#live #words [data-first] input");
    event.preventDefault();
    if (!radio) return;
    choose(radio, false);
  } else if (event.key !== "Escape") return;
  field.value = "";
  sift("");
  field.blur();
}

/** What waits to be told is told now. */
export async function saveSaid(): Promise<void> {
  const mine = key("");
  for (const one of kept.keys().filter((name) => name.startsWith(mine))) await tellServer(one.slice(mine.length), kept.get(one) ?? "");
}

function heard(event: Event): void {
  const { call: of, written } = (event as CustomEvent<{ call: string; written: Written }>).detail;
  if (of !== call() || kept.get(key(of)) !== null) return;
  const before = radios().find((radio) => radio.checked)?.value ?? "";
  if (before === written.disposition) return;
  if (written.disposition && !radios().some((radio) => radio.value === written.disposition)) return;
  set(written.disposition);
  says(written.by && written.disposition ? say("chose", { who: written.by }) : "");
}

function restored(): void {
  const waiting = call() ? kept.get(key(call())) : null;
  if (waiting !== null) set(waiting);
  mark();
}

/** Wire the words; they may be replaced at any time, so everything is delegated. */
export function startSaid(): void {
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target instanceof HTMLInputElement && target.name === "disposition" && target.closest("#live")) choose(target, false);
  });
  onClick("#live [data-group]", (button) => open(words()?.dataset["open"] === button.dataset["group"] ? "" : (button.dataset["group"] ?? "")));
  document.addEventListener("input", (event) => {
    const target = event.target;
    if (target instanceof HTMLInputElement && target.id === "find-word") sift(target.value.trim());
  });
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (target instanceof HTMLInputElement && target.id === "find-word") inField(event, target);
    else if (event.key === "Escape") open("");
  });
  document.addEventListener("written", heard);
  document.addEventListener("sheet", restored);
  document.addEventListener("push-open", () => void saveSaid());
  window.addEventListener("online", () => void saveSaid());
  restored();
  void saveSaid();
}
