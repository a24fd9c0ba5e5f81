// The screen-pop: painted at once from the message, completed from the server, never taking the focus.
import htmx from "htmx.org";
import { Channel, type Frame } from "./channel";
import { find, kept, meta, onClick, say, typing } from "./dom";
import { light } from "./lights";
import { notify } from "./notify";
import { hush, ring } from "./sound";

/** What a pop message carries; the server's docs say it field by field. */
export interface PopData {
  pop: string;
  call: string;
  state: "offered" | "answered" | "wrapup" | "closed" | "withdrawn";
  reason: string;
  answered_by: string;
  direction: string;
  number: string | null;
  shown: string;
  said_name: string;
  clients: { id: number; name: string; organisation: string; job: string }[];
  match: { step: string; words: string } | null;
  line: { number: string; label: string } | null;
  queue_label: string;
  waited_s: number | null;
  began: string;
  ring_since: string | null;
  phone: string;
}

const GONE_AFTER = 3000;
let channel: Channel | undefined;
const painted = new Set<string>();

const live = (): HTMLElement | null => find("#live");

/** Who calls, in one line: a name, several, or the number. */
export function caller(pop: PopData): string {
  const only = pop.clients.length === 1 ? pop.clients[0] : undefined;
  if (pop.clients.length > 1) return say("several", { n: String(pop.clients.length) });
  return only?.name || pop.said_name || pop.shown || say("withheld");
}

function fill(root: ParentNode, slot: string, text: string): void {
  for (const element of root.querySelectorAll(`[data-fill="${slot}"]`)) element.textContent = text;
}

/** Paint from the message alone: text nodes only, so a hostile name stays a name. */
function paint(pop: PopData): void {
  const template = find<HTMLTemplateElement>("#pop-template");
  const sheet = live();
  if (!template || !sheet) return;
  document.dispatchEvent(new CustomEvent("sheet-leaves"));
  const made = template.content.cloneNode(true) as DocumentFragment;
  const only = pop.clients.length === 1 ? pop.clients[0] : undefined;
  fill(made, "who", caller(pop));
  fill(made, "role", [only?.job, only?.organisation].filter(Boolean).join(", "));
  fill(made, "number", pop.shown);
  fill(made, "match", say(`match_${pop.match?.step ?? "none"}`));
  fill(made, "line", pop.line?.label || pop.line?.number || "");
  fill(made, "queue", pop.queue_label ? say("queue", { queue: pop.queue_label }) : "");
  made.querySelector("[data-since]")?.setAttribute("data-since", pop.ring_since ?? pop.began);
  sheet.replaceChildren(made);
  sheet.className = "live";
  sheet.dataset["state"] = pop.direction === "outbound" ? "talking" : "ringing";
  sheet.dataset["pop"] = pop.pop;
  sheet.dataset["call"] = pop.call;
}

/** Tell the server that this pop is on the screen, once it truly is. */
function receipt(id: string): void {
  if (painted.has(id)) return;
  painted.add(id);
  requestAnimationFrame(() => requestAnimationFrame(() => channel?.send({ type: "pop.painted", id })));
  window.setTimeout(() => channel?.send({ type: "pop.painted", id }), document.hidden ? 0 : 250);
}

let wanted = 0;

/** What the message told, handed on: the server's table is a moment behind the socket. */
function hints(pop: PopData | undefined): string {
  if (!pop) return "";
  const told = { call: pop.call, state: pop.state, reason: pop.reason, by: pop.answered_by, phone: pop.phone };
  return `&${new URLSearchParams(told).toString()}`;
}

/** The whole sheet from the server; what is being typed is spared by the morph. */
export async function refresh(id?: string, told?: PopData): Promise<void> {
  const sheet = live();
  if (!sheet) return;
  const mine = ++wanted;
  const path = `/desk/live?pop=${id ?? sheet.dataset["pop"] ?? ""}&desk=${sheet.dataset["desk"] ?? ""}${hints(told)}`;
  const answer = await fetch(path, { headers: { "HX-Request": "true" } });
  if (mine !== wanted || !answer.ok) return;
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

function card(): void {
  const client = find("#client");
  const sheet = live();
  if (!client || !sheet) return;
  const path = `/desk/client?pop=${sheet.dataset["pop"] ?? ""}&call=${sheet.dataset["call"] ?? ""}`;
  void htmx.ajax("GET", path, { target: "#client", swap: "outerMorph" });
}

/** A talk is never covered, nor a wrap-up in which somebody types: the new call is stacked above it. */
function busy(): boolean {
  const sheet = live();
  const state = sheet?.dataset["state"];
  return state === "talking" || (state === "wrapup" && typing() && sheet?.contains(document.activeElement) === true);
}

function offered(pop: PopData, leads: boolean): void {
  const shown = busy() && live()?.dataset["pop"] !== pop.pop;
  if (!shown) paint(pop);
  receipt(pop.pop);
  void refresh(shown ? undefined : pop.pop, shown ? undefined : pop).then(shown ? undefined : card);
  if (leads && pop.direction !== "outbound") {
    ring();
    notify(pop);
  }
}

function withdrawn(pop: PopData): void {
  hush();
  const sheet = live();
  if (sheet?.dataset["pop"] !== pop.pop) return void refresh();
  void refresh(pop.pop, pop).then(() =>
    window.setTimeout(() => {
      if (live()?.dataset["pop"] === pop.pop && live()?.dataset["state"] !== "ringing") void refresh("").then(card);
    }, GONE_AFTER),
  );
}

const ACTS: Record<string, (pop: PopData, leads: boolean) => void> = {
  "pop.offered": offered,
  "pop.answered": (pop) => {
    hush();
    receipt(pop.pop);
    void refresh(pop.pop, pop).then(card);
  },
  "pop.withdrawn": withdrawn,
  "pop.ended": (pop) => {
    hush();
    const here = live()?.dataset["pop"] === pop.pop;
    void (pop.state === "closed" ? refresh("") : refresh(undefined, here ? pop : undefined)).then(card);
  },
};

const due = new Map<string, number>();

/** Fragments say `hx-trigger="push-task from:body"`; a burst of messages is one refresh. */
function ripple(kind: string): void {
  if (due.has(kind)) return;
  due.set(
    kind,
    window.setTimeout(() => {
      due.delete(kind);
      htmx.trigger(document.body, `push-${kind}`);
    }, 400),
  );
}

function heard(frame: Frame, leads: boolean): void {
  if (frame.type === "refetch") return void everything();
  const act = ACTS[frame.type];
  if (act) act(frame.data as unknown as PopData, leads);
  ripple(frame.type.split(".")[0] ?? "");
}

function everything(): void {
  for (const kind of ["call", "task", "operator", "queue", "link"]) ripple(kind);
  void refresh();
}

function linked(open: boolean): void {
  if (open) light("server", true, say("server"));
  else light("server", false, say("server_gone"), "reload");
  document.documentElement.dataset["push"] = open ? "open" : "away";
}

/** Connect, and act on the sheet's own buttons. */
export function startPop(): void {
  const url = meta("push");
  if (!url || !live()) return;
  if (kept.get("push.user") !== meta("user")) {
    kept.drop("push.last");
    kept.set("push.user", meta("user"));
  }
  channel = new Channel(url, { frame: heard, link: linked });
  channel.start();
  onClick("[data-act=reload]", () => location.reload());
  onClick("[data-hot=silence]", hush);
  onClick("[data-pop-open]", (button) => {
    const id = button.dataset["popOpen"] ?? "";
    channel?.send({ type: "pop.opened", id });
    void refresh(id).then(card);
  });
  document.addEventListener("sheet-done", () => void refresh("").then(card));
  document.addEventListener("sheet-changed", () => void refresh().then(card));
}
