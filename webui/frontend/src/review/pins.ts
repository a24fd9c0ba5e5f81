// Pins: a comment at this second, written beside the transport; the ruler and the list are put in anew by the server.
import { duration } from "../clock";
import { find, tell } from "../dom";
import type { Deck } from "./deck";

const form = (): HTMLFormElement | null => find<HTMLFormElement>("#pin-new");

/** Open the field for the second under the playhead; the sound goes on as it was. */
export function openPin(deck: Deck): void {
  const box = form();
  if (!box) return;
  const { n, at } = deck.place;
  find<HTMLInputElement>("[name=n]", box)!.value = String(n);
  find<HTMLInputElement>("[name=at_s]", box)!.value = at.toFixed(2);
  find("[data-pin-at]", box)!.textContent = duration(deck.second * 1000);
  wrong("");
  box.hidden = false;
  find("[data-act=pin]", deck.root)?.setAttribute("aria-expanded", "true");
  find<HTMLInputElement>("[name=text]", box)?.focus();
}

/** Close it; what was typed stays for the next time. */
export function closePin(deck: Deck): boolean {
  const box = form();
  if (!box || box.hidden) return false;
  box.hidden = true;
  const button = find("[data-act=pin]", deck.root);
  button?.setAttribute("aria-expanded", "false");
  button?.focus({ preventScroll: true });
  return true;
}

function wrong(why: string): void {
  const line = find("[data-pin-bad]");
  if (!line) return;
  line.textContent = why;
  line.hidden = !why;
}

async function send(sent: HTMLFormElement): Promise<string> {
  const answer = await fetch(sent.action, { method: "POST", body: new URLSearchParams(new FormData(sent) as unknown as Record<string, string>), headers: { Accept: "application/json", "X-Part": "pins" } });
  const text = await answer.text();
  if (answer.ok) return text;
  let why = "";
  try {
    why = (JSON.parse(text) as { detail?: string }).detail ?? "";
  } catch {
    /* a proxy's page: its status has to do */
  }
  throw new Error(why || `${answer.status}`);
}

/** Put the server's two parts in the places of the old ones. */
function show(html: string): void {
  const part = new DOMParser().parseFromString(html, "text/html").body;
  for (const id of ["pin-lane", "pins"]) {
    const fresh = part.querySelector(`#${id}`);
    if (fresh) find(`#${id}`)?.replaceWith(document.importNode(fresh, true));
  }
  tell(find("[data-done]", part)?.dataset["done"] ?? "");
}

/** Every form of a pin goes without leaving the page; without this module it goes with it. */
export function startPins(deck: () => Deck | null): void {
  document.addEventListener("submit", (event) => {
    const sent = event.target;
    const now = deck();
    if (!(sent instanceof HTMLFormElement) || !sent.matches("[data-pin-form]") || !now) return;
    event.preventDefault();
    const fresh = sent.id === "pin-new";
    send(sent).then(
      (html) => {
        show(html);
        if (!fresh) return;
        sent.reset();
        closePin(now);
      },
      (error: Error) => (fresh ? wrong(error.message) : tell(error.message)),
    );
  });
}
