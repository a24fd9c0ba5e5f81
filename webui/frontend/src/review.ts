// The page of one call: its player with keys, moments in the address, pins. Loaded only there.
import { duration } from "./clock";
import { all, find, onClick, single, tell, typing } from "./dom";
import { Deck } from "./review/deck";
import { closePin, openPin, startPins } from "./review/pins";

let deck: Deck | null = null;
/** When "g" was pressed: the letter after it names a page. */
let going = 0;

/** The second that the address names, if any: `#t=`, of the call. */
function asked(): number | null {
  const found = /(?:^#|&)t=(\d+(?:\.\d+)?)/.exec(location.hash);
  return found ? Number(found[1]) : null;
}

/** The address always names the second where one stopped, so that it can be sent on or marked. */
function settle(second: number): void {
  history.replaceState(history.state, "", `${location.pathname}${location.search}#t=${Math.round(second * 10) / 10}`);
}

function open(): void {
  const root = find("[data-deck]");
  if (!root || root === deck?.root) return;
  deck = new Deck(root, settle);
  const second = asked();
  if (second !== null || deck.second > 0) deck.seek(second ?? deck.second);
}

function copied(text: string): Promise<boolean> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  // Without https a browser has no clipboard; the old way still works.
  const field = document.createElement("textarea");
  field.value = text;
  const back = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (back instanceof HTMLElement) back.focus({ preventScroll: true });
  return Promise.resolve(done);
}

async function copy(button: HTMLElement): Promise<void> {
  if (!deck) return;
  const second = Math.round(deck.second * 10) / 10;
  settle(second);
  const done = await copied(`${location.origin}/calls/${deck.call}?t=${second}`);
  tell(done ? (button.dataset["words"] ?? "").replace("{time}", duration(second * 1000)) : (button.dataset["failed"] ?? ""));
}

/** A click on the ruler or a voice: where it lies in the call. */
function jump(lane: HTMLElement, event: MouseEvent): void {
  const track = find<SVGElement>(".track", lane);
  if (!deck || !track) return;
  const place = track.getBoundingClientRect();
  if (event.clientX >= place.left) deck.seek(((event.clientX - place.left) / place.width) * deck.total);
}

const KEYS: Record<string, (deck: Deck, far: boolean) => void> = {
  " ": (now) => now.toggle(),
  k: (now) => now.toggle(),
  j: (now) => now.seek(now.second - 10),
  l: (now) => now.seek(now.second + 10),
  ArrowLeft: (now, far) => now.seek(now.second - (far ? 15 : 5)),
  ArrowRight: (now, far) => now.seek(now.second + (far ? 15 : 5)),
  "[": (now) => now.speed(-1),
  "]": (now) => now.speed(1),
  s: (now) => now.skip(),
  m: (now) => openPin(now),
};

/** The key by its letter; on a keyboard of other letters by its place. */
function named(event: KeyboardEvent): string {
  if (event.key.length > 1 || event.key === " ") return event.key;
  const place = { BracketLeft: "[", BracketRight: "]" }[event.code] ?? /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase();
  return event.key.charCodeAt(0) < 128 ? event.key.toLowerCase() : (place ?? event.key);
}

/** Whether the element in focus needs this key itself. */
function taken(key: string): boolean {
  const at = document.activeElement;
  if (!(at instanceof HTMLElement)) return false;
  if (key === " ") return at.matches("button, input, summary, [role=button]");
  return key.startsWith("Arrow") && at.matches("input, select, summary, [role=tab], [role=slider]");
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !deck) return;
  if (event.key === "Escape" && find("#pin-new:focus-within") && closePin(deck)) return event.preventDefault();
  const key = named(event);
  const after = Date.now() - going < 1200;
  going = key === "g" && !typing() ? Date.now() : 0;
  const act = KEYS[key];
  if (!act || after || typing() || taken(key) || find("dialog[open]")) return;
  // Arrows and Space are no letters; the rest can be switched off (WCAG 2.1.4).
  if (key.length === 1 && key !== " " && !single()) return;
  if (event.repeat && !key.startsWith("Arrow") && key !== "j" && key !== "l") return event.preventDefault();
  if (key === "s" && all("#live [data-hot=silence]").some((one) => one.offsetParent !== null)) return;
  act(deck, event.shiftKey);
  event.preventDefault();
}

const ACTS: Record<string, (deck: Deck, button: HTMLElement) => void> = {
  play: (now) => now.toggle(),
  back: (now) => now.seek(now.second - 5),
  forward: (now) => now.seek(now.second + 5),
  speed: (now) => now.speed(0),
  skip: (now) => now.skip(),
  pin: (now) => openPin(now),
  unpin: (now) => void closePin(now),
  copy: (_now, button) => void copy(button),
  // A link: it leads on with the second that is under the playhead.
  coach: (now, link) => link.setAttribute("href", `${link.dataset["list"] ?? ""}&n=${now.place.n}&t=${now.place.at.toFixed(1)}`),
};

open();
startPins(() => deck);
onClick("[data-act]", (button) => {
  const act = ACTS[button.dataset["act"] ?? ""];
  if (deck && act) act(deck, button);
});
onClick("[data-seek]", jump);
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-to]") : null;
  if (!link || !deck || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  deck.seek(Number(link.dataset["to"]));
});
document.addEventListener("keydown", press, true);
window.addEventListener("hashchange", () => {
  const second = asked();
  if (deck && second !== null) deck.seek(second);
});
// The story of a call that goes on is put in anew; its player then begins with it.
document.addEventListener("htmx:after:swap", open);
