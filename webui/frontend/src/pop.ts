// The screen-pop: painted at once from the message, completed from the server, never taking the focus.
import { Channel, type Frame } from "./channel";
import { chipped, dropChip, showChip, unchip, waits } from "./chips";
import { find, kept, meta, onClick, say, typing } from "./dom";
import { light } from "./lights";
import { reread } from "./note";
import { notify } from "./notify";
import { caller, fill, shownState, stateWord, type PopData } from "./popdata";
import { focusNext } from "./sheet";
import { card, heed, live, refresh, said } from "./sheetview";
import { hush, ring } from "./sound";
import { ripple, rippleNow } from "./ripple";
import { remind, type ReminderData } from "./remind";

const GONE_AFTER = 3000;
let channel: Channel | undefined;
const rung = new Set<string>();

/** Paint from the message alone; the whole sheet follows. */
function paint(pop: PopData): void {
  const template = find<HTMLTemplateElement>("#pop-template");
  const sheet = live();
  if (!template || !sheet) return;
  document.dispatchEvent(new CustomEvent("sheet-leaves"));
  const made = template.content.cloneNode(true) as DocumentFragment;
  const only = pop.clients.length === 1 ? pop.clients[0] : undefined;
  const state = shownState(pop);
  for (const icon of made.querySelectorAll<HTMLElement>("[data-icon]")) if (icon.dataset["icon"] !== state) icon.remove();
  fill(made, "state", stateWord(pop));
  fill(made, "who", caller(pop));
  fill(made, "role", [only?.job, only?.organisation].filter(Boolean).join(", "));
  fill(made, "number", pop.shown);
  fill(made, "match", say(`match_${pop.match?.step ?? "none"}`));
  fill(made, "line", pop.line?.label || pop.line?.number || "");
  fill(made, "queue", pop.queue_label ? say("queue", { queue: pop.queue_label }) : "");
  made.querySelector("[data-since]")?.setAttribute("data-since", (state === "talking" ? pop.answered_at : pop.ring_since) ?? pop.began);
  sheet.replaceChildren(made);
  sheet.className = "live";
  sheet.dataset["state"] = state;
  sheet.dataset["pop"] = pop.pop;
  sheet.dataset["call"] = pop.call;
}

/** Tell the server that this pop is on the screen, once the frame that holds it has been painted. */
function receipt(pop: PopData): void {
  requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = () => {
      channel?.send({ type: "pop.painted", id: pop.pop });
      const at = performance.timeOrigin + performance.now();
      document.dispatchEvent(new CustomEvent("pop-painted", { detail: { pop: pop.pop, call: pop.call, phone: pop.phone, since: pop.ring_since, at } }));
    };
    after.port2.postMessage(null);
  });
}

const mine = (pop: PopData): boolean => live()?.dataset["pop"] === pop.pop;

/** Somebody writes in the sheet: it is not taken away under his hands. */
const writing = (): boolean => typing() && live()?.contains(document.activeElement) === true;

/** A talk is never covered, nor a sheet in which somebody writes: the new call is stacked above it. */
function busy(): boolean {
  const told = said.get(live()?.dataset["pop"] ?? "");
  return (told ? shownState(told) : live()?.dataset["state"]) === "talking" || writing();
}

/** What cannot wait, as it was told: the server's table may not have it yet. */
function pressing(): PopData | undefined {
  const told = [...said.values()].filter((pop) => !waits(pop));
  return told.find((pop) => pop.state === "answered") ?? told.find((pop) => pop.state === "offered");
}

/** The sheet of whichever call is next. */
function next(): Promise<void> {
  const pop = pressing();
  return refresh(pop?.pop ?? "", pop);
}

/** Ring and notify once, in the one tab that does so. */
function alarm(pop: PopData, leads: boolean): void {
  if (!leads || pop.direction === "outbound" || rung.has(pop.pop)) return;
  rung.add(pop.pop);
  ring();
  notify(pop, () => channel?.send({ type: "pop.painted", id: pop.pop }));
}

/** Show a call that is new here: in the strip, in the stack, or on the sheet. */
function open(pop: PopData, covered: boolean): void {
  if (waits(pop)) {
    showChip(pop);
    receipt(pop);
  } else if (mine(pop)) {
    receipt(pop);
    void refresh(pop.pop, pop).then(card);
  } else if (covered) {
    void refresh(undefined, pop).then(() => receipt(pop));
  } else {
    paint(pop);
    receipt(pop);
    void refresh(pop.pop, pop).then(card);
  }
}

function offered(pop: PopData, leads: boolean): void {
  open(pop, busy());
  alarm(pop, leads);
}

function answered(pop: PopData): void {
  hush();
  if (!waits(pop)) unchip(pop.pop);
  open(pop, writing());
}

function withdrawn(pop: PopData): void {
  hush();
  rung.delete(pop.pop);
  if (chipped(pop.pop)) return dropChip(pop);
  if (!mine(pop)) return void (live()?.dataset["pop"] && refresh(undefined, pop));
  void refresh(pop.pop, pop).then(() => window.setTimeout(() => leave(pop), GONE_AFTER));
}

/** A call that is not his any more goes from the sheet, unless he writes there or it rings again. */
function leave(pop: PopData): void {
  const sheet = live();
  if (sheet?.dataset["pop"] !== pop.pop || sheet.dataset["state"] !== "offline") return;
  if (writing()) window.setTimeout(() => leave(pop), GONE_AFTER);
  else void next().then(card);
}

function ended(pop: PopData): void {
  hush();
  if (pop.state === "closed") {
    unchip(pop.pop);
    void (mine(pop) ? next() : refresh()).then(card);
  } else if (waits(pop)) showChip(pop);
  else void refresh(undefined, pop).then(card);
}

const ACTS: Record<string, (pop: PopData, leads: boolean) => void> = {
  "pop.offered": offered,
  "pop.answered": answered,
  "pop.withdrawn": withdrawn,
  "pop.ended": ended,
};

/** A call's own page and its notes; what lists calls hears of it with the others. */
function changed(call: string): void {
  void reread(call);
  rippleNow(`call-${call}`);
}

function heard(frame: Frame, leads: boolean): void {
  if (frame.type === "refetch") {
    said.clear();
    return everything();
  }
  document.dispatchEvent(new CustomEvent("push-frame", { detail: frame }));
  const act = ACTS[frame.type];
  if (act) {
    const pop = frame.data as unknown as PopData;
    heed(pop);
    act(pop, leads);
  }
  if (frame.type === "task.reminded") remind(frame.data as unknown as ReminderData, leads);
  if (frame.type === "call.changed") changed(String(frame.data["call"]));
  if (frame.type === "operator.changed") rippleNow("operator");
  else ripple(frame.type.split(".")[0] ?? "");
}

function everything(): void {
  for (const kind of ["call", "task", "operator", "queue", "link", "evaluation", "coaching"]) ripple(kind);
  void refresh();
  void reread(live()?.dataset["call"] ?? "");
}

function linked(open: boolean): void {
  if (open) light("server", true, say("server"));
  else {
    light("server", false, say("server_gone"), "reload");
    said.clear(); // What is told while nobody listens is told anew at the next connection.
  }
  document.documentElement.dataset["push"] = open ? "open" : "away";
  if (open) document.dispatchEvent(new CustomEvent("push-open"));
}

/** The next call of the person takes the sheet, because he wants it to. */
function openByHand(id: string): void {
  const told = unchip(id) ?? said.get(id);
  channel?.openedHere(id);
  const wrote = writing();
  void refresh(id, told)
    .then(card)
    .then(() => wrote && focusNext());
}

/** Connect, and act on the sheet's own buttons. */
export function startPop(): void {
  const url = meta("push");
  if (!url || !live()) return;
  if (kept.get("push.user") !== meta("user")) {
    kept.drop("push.last");
    kept.set("push.user", meta("user"));
  }
  channel = new Channel(url, {
    frame: heard,
    link: linked,
    opened: (id) => {
      const told = unchip(id);
      void (busy() ? refresh() : refresh(id, told)).then(card);
    },
  });
  channel.start();
  onClick("[data-act=reload]", () => location.reload());
  onClick("[data-hot=silence]", hush);
  onClick("[data-pop-open]", (button) => openByHand(button.dataset["popOpen"] ?? ""));
  document.addEventListener("sheet-done", (event) => {
    const { free } = (event as CustomEvent<{ free: boolean }>).detail;
    void next()
      .then(card)
      .then(() => free && focusNext());
  });
  document.addEventListener("sheet-changed", () => void refresh().then(card));
}
