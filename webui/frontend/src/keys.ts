// Keys: go to a page, move in lists, act on the call. Single keys can be switched off (WCAG 2.1.4).
import { all, find, onClick, post, single, typing } from "./dom";
import { pickFound } from "./else";
import { step } from "./next";
import { openPalette } from "./palette";
import { digit, findWord } from "./said";
import { openMenu } from "./shift";

const PAGES: Record<string, string> = { d: "/", c: "/clients", l: "/calls", b: "/callbacks", t: "/tasks", q: "/quality", s: "/shifts", p: "/pbx", a: "/accounts" };
let going = 0;

function press(selector: string): boolean {
  const target = all(selector).find((element) => element.offsetParent !== null);
  target?.click();
  return target !== undefined;
}

function move(step: 1 | -1): boolean {
  const rows = all("[data-rows] [data-row]");
  if (!rows.length) return false;
  const at = rows.findIndex((row) => row.classList.contains("is-here"));
  const row = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  rows[at]?.classList.remove("is-here");
  row?.classList.add("is-here");
  row?.scrollIntoView({ block: "nearest" });
  find("a", row)?.focus({ preventScroll: true });
  return true;
}

function note(): boolean {
  const field = find<HTMLTextAreaElement>("#note") ?? find<HTMLTextAreaElement>("[data-note]");
  field?.focus();
  // Who comes by key writes on behind what is there.
  if (field?.selectionEnd === 0) field.setSelectionRange(field.value.length, field.value.length);
  return field !== null;
}

const inRow = (selector: string): string => `.is-here ${selector}`;

const SINGLE: Record<string, () => boolean> = {
  "?": () => openKeys(),
  j: () => move(1),
  k: () => move(-1),
  n: note,
  c: () => press(inRow("[data-hot=call]")) || press("[data-hot=call]"),
  t: () => press(inRow("[data-hot=take]")) || press(".sampled-next [data-hot=take]") || press("[data-hot=task]"),
  x: () => press("#live [data-hot=else]"),
  v: () => press("#chips [data-pop-open]") || press("#live .stacked[data-pop-open]"),
  V: () => press("#live [data-pop-next]"),
  o: findWord,
  b: () => step("callback"),
  d: () => step("task") || press(inRow("[data-hot=done]")) || press("main .page-head [data-hot=done]"),
  u: () => press("main [data-hot=undo]"),
  s: () => press("#live [data-hot=silence]"),
  p: () => openMenu(),
  "/": () => {
    const field = find<HTMLInputElement>(".find-in input");
    field?.focus();
    return field !== null;
  },
  " ": () => press("[data-hot=play]"),
};

function openKeys(): boolean {
  find<HTMLDialogElement>("#keys")?.showModal();
  return true;
}

/** The pads of the call: they work while a note is typed, and a held key is pressed once. */
function pad(event: KeyboardEvent): boolean {
  if (!/^F(2|4|7|8|9)$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return false;
  if (event.repeat) return true;
  return press(`#live [data-key="${event.key}"]`);
}

function chord(event: KeyboardEvent): boolean {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return openPalette();
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") return press("#live [data-hot=ready]");
  if (event.altKey && !event.ctrlKey && !event.metaKey) return withAlt(event);
  return event.key === "Escape" && leaveField();
}

/** Also while a note is being written: a person while several are to choose from, else the disposition. */
function withAlt(event: KeyboardEvent): boolean {
  // By its place: with Option held, a Mac writes another sign.
  const pressed = /^Digit([0-9])$/.exec(event.code)?.[1] ?? (/^[0-9]$/.test(event.key) ? event.key : "");
  if (!pressed || find("dialog[open]")) return false;
  return pickFound(pressed) || press(`#live [data-hot=choose-${pressed}]`) || digit(pressed);
}

/** Out of the sheet's fields, so that single keys are commands again. */
function leaveField(): boolean {
  const at = document.activeElement;
  if (!(at instanceof HTMLElement) || !typing() || !at.closest("#live") || find("dialog[open]")) return false;
  at.blur();
  return true;
}

function plain(event: KeyboardEvent): boolean {
  const key = event.key;
  if (going && Date.now() - going < 1200 && PAGES[key]) {
    const link = find<HTMLAnchorElement>(`.rail a[href="${PAGES[key]}"]`);
    going = 0;
    link?.click();
    return link !== null;
  }
  going = key === "g" ? Date.now() : 0;
  if (/^[1-9]$/.test(key)) return digit(key);
  if (key === " " && document.activeElement instanceof HTMLButtonElement) return false;
  return SINGLE[key]?.() ?? false;
}

/** Listen for keys, and for the switch in the sheet of keys. */
export function startKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const free = single() && !typing() && !event.ctrlKey && !event.metaKey && !event.altKey && !find("dialog[open]");
    if (event.key === "Escape" && !typing() && !find("dialog[open]") && press("#dialing [data-hot=cancel-dial]")) return event.preventDefault();
    if (!find("dialog[open]") && pad(event)) return event.preventDefault();
    if (chord(event) || (free && plain(event))) event.preventDefault();
  });
  onClick("[data-act=keys]", openKeys);
  const choice = find<HTMLInputElement>("#keys input[name=single]");
  if (!choice) return;
  choice.checked = single();
  choice.addEventListener("change", () => {
    document.documentElement.dataset["keys"] = choice.checked ? "on" : "off";
    void post("/me/look", { keys: choice.checked ? "on" : "off" });
  });
}
