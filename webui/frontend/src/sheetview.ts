// The live sheet as the server draws it: read anew, and put in place around what is being typed.
import htmx from "htmx.org";
import { find } from "./dom";
import type { PopData } from "./popdata";

let wanted = 0;
/** The pop that was asked for and is on its way: what comes meanwhile reads that one anew, not the one before it. */
let coming: { id: string; told: PopData | undefined } | undefined;

/** The sheet. */
export const live = (): HTMLElement | null => find("#live");

/** Each pop of this person as it was told last: the server's table is a moment behind the socket. */
export const said = new Map<string, PopData>();
const FORGOTTEN_AFTER = 3000;

/** Remember what was told. What is over is remembered until the table surely knows. */
export function heed(pop: PopData): void {
  said.set(pop.pop, pop);
  if (pop.state !== "closed" && pop.state !== "withdrawn") return;
  window.setTimeout(() => said.get(pop.pop) === pop && said.delete(pop.pop), FORGOTTEN_AFTER);
}

/** How the pops stand that were told of, but for the one that is handed on with all it said. */
function stackOf(pop?: PopData): { said?: string } {
  const others = [...said.values()].filter((one) => one.pop !== pop?.pop).slice(-8);
  return others.length ? { said: JSON.stringify(others.map((one) => [one.pop, one.call, one.state, one.phone])) } : {};
}

/** What the messages told, handed on: of the pop that is asked for all, of the others how they stand. */
function hints(pop: PopData | undefined): string {
  const stack = stackOf(pop);
  const told = pop ? { pop: pop.pop, call: pop.call, state: pop.state, reason: pop.reason, by: pop.answered_by, phone: pop.phone } : {};
  const query = new URLSearchParams({ ...told, ...stack }).toString();
  return query ? `&${query}` : "";
}

/** The whole sheet of one pop (by default the one that is open), or with "" of whichever is next. */
export async function refresh(id?: string, told?: PopData): Promise<void> {
  const sheet = live();
  if (!sheet) return;
  const mine = ++wanted;
  if (id !== undefined) coming = { id, told };
  const wish = coming ?? { id: sheet.dataset["pop"] ?? "", told };
  const of = told ?? wish.told;
  const path = `/desk/live?desk=${sheet.dataset["desk"] ?? ""}&open=${wish.id}${of ? "" : `&pop=${wish.id}`}${hints(of)}`;
  const answer = await fetch(path, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (mine !== wanted) return;
  coming = undefined;
  if (!answer?.ok || answer.redirected) return;
  await show(await answer.text());
  document.dispatchEvent(new CustomEvent("sheet"));
}

/** The same call is morphed around what is being typed; another call's sheet replaces this one, its note saved first. */
async function show(text: string): Promise<void> {
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector<HTMLElement>("#live");
  const sheet = live();
  if (!fresh || !sheet) return;
  const same = fresh.dataset["call"] === sheet.dataset["call"] && sheet.querySelector("#note") !== null;
  if (!same) document.dispatchEvent(new CustomEvent("sheet-leaves"));
  await htmx.swap({ text, target: sheet, swap: same ? "outerMorph" : "outerHTML" });
}

/** The centre of the desk follows the sheet. */
export async function card(): Promise<void> {
  const client = find("#client");
  const sheet = live();
  if (!client || !sheet) return;
  const path = `/desk/client?pop=${sheet.dataset["pop"] ?? ""}&call=${sheet.dataset["call"] ?? ""}`;
  await htmx.ajax("GET", path, { target: "#client", swap: "outerMorph" });
}

interface Asking {
  ctx: { sourceElement: Element; request: { body: FormData } };
}

/** Own state in the strip is read when a message tells of it: with what the messages told of the pops. */
document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement, request } = (event as CustomEvent<Asking>).detail.ctx;
  if (sourceElement.id !== "strip-me") return;
  for (const [name, value] of Object.entries(stackOf())) request.body.set(name, value as string);
});
