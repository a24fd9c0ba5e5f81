// Keys: go to a page, move in lists, act on the call. Single keys can be switched off (WCAG 2.1.4).
import { all, find, kept, onClick, typing } from "./dom";
import { openPalette } from "./palette";

const PAGES: Record<string, string> = { d: "/", c: "/clients", l: "/calls", b: "/callbacks", t: "/tasks", p: "/pbx", a: "/accounts" };
let going = 0;

/** True while single keys are commands. */
export function single(): boolean {
  return document.documentElement.dataset["keys"] !== "off";
}

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
  return field !== null;
}

function outcome(key: string): boolean {
  const choice = find<HTMLInputElement>(`#live input[name=disposition][data-key="${key}"]`);
  if (!choice) return false;
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

const inRow = (selector: string): string => `.is-here ${selector}`;

const SINGLE: Record<string, () => boolean> = {
  "?": () => openKeys(),
  j: () => move(1),
  k: () => move(-1),
  n: note,
  c: () => press(inRow("[data-hot=call]")) || press("[data-hot=call]"),
  t: () => press(inRow("[data-hot=take]")) || press("[data-hot=task]"),
  x: () => press("#live [data-hot=else]"),
  s: () => press("#live [data-hot=silence]"),
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

function chord(event: KeyboardEvent): boolean {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return openPalette();
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") return press("#live [data-hot=ready]");
  if (event.altKey && /^[0-9]$/.test(event.key)) return press(`#live [data-hot=choose-${event.key}]`);
  return false;
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
  if (/^[1-9]$/.test(key)) return outcome(key);
  if (key === " " && document.activeElement instanceof HTMLButtonElement) return false;
  return SINGLE[key]?.() ?? false;
}

/** Listen for keys, and for the switch in the sheet of keys. */
export function startKeys(): void {
  if (kept.get("keys") === "off") document.documentElement.dataset["keys"] = "off";
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const free = single() && !typing() && !event.ctrlKey && !event.metaKey && !event.altKey && !find("dialog[open]");
    if (chord(event) || (free && plain(event))) event.preventDefault();
  });
  onClick("[data-act=keys]", openKeys);
  const choice = find<HTMLInputElement>("#keys input[name=single]");
  if (!choice) return;
  choice.checked = single();
  choice.addEventListener("change", () => {
    document.documentElement.dataset["keys"] = choice.checked ? "on" : "off";
    kept.set("keys", choice.checked ? "on" : "off");
  });
}
