// Click to call: a warning is overridden by a second Enter, never by the first one's echo; tel: links are offered.
import htmx from "htmx.org";
import { find, onClick, say } from "./dom";

/** So long a warning must have been on the screen before Enter means "call anyway". */
const READ_MS = 700;
const FADE_MS = 4000;
let shownAt = 0;

const anyway = (): HTMLFormElement | null => find<HTMLFormElement>("#dialing form[data-anyway]");

/** Where Enter has no other meaning: nowhere in particular, or on the very button that asked for the call. */
function free(): boolean {
  const at = document.activeElement;
  if (!at || at === document.body || at.id === "main") return true;
  return at.closest("form.dial, form[action='/dial'], #dialing, .is-here") !== null;
}

function enter(event: KeyboardEvent): void {
  const form = anyway();
  if (event.key !== "Enter" || !form || !free() || find("dialog[open]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.repeat || performance.now() - shownAt < READ_MS) return;
  form.requestSubmit();
}

/** Call a number as its button would, or whom a row names whose number is masked; the steps come into the same place. */
export function callNumber(values: { number: string } | { whom: string }): void {
  void htmx.ajax("POST", "/dial", { target: "#dialing", swap: "innerHTML", values });
}

/** Ask the browser to lead tel: links here; it asks the person. */
function offerLinks(): void {
  const said = find("[data-tel-said]");
  try {
    navigator.registerProtocolHandler("tel", `${location.origin}/dial?number=%s`);
    if (said) said.textContent = say("tel_asked");
  } catch {
    if (said) said.textContent = say("tel_none");
  }
}

/** Wire what is there. */
export function startDial(): void {
  const place = find("#dialing");
  if (!place) return;
  new MutationObserver(() => {
    if (!find("[data-warned]", place)) shownAt = 0;
    else shownAt ||= performance.now();
    const done = find("[data-fades]", place);
    if (done) window.setTimeout(() => done.isConnected && place.replaceChildren(), FADE_MS); // the live call says the rest
  }).observe(place, { childList: true, subtree: true });
  window.addEventListener("keydown", enter, true);
  onClick("[data-act=tel-links]", offerLinks);
}
