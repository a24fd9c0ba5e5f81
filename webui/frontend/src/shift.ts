// The shift: its start with the tests, the menu of pauses (P), and limits that run out in the strip.
import htmx from "htmx.org";
import { now } from "./clock";
import { all, find, onClick, say, tell } from "./dom";
import { prepare } from "./lights";
import { audible, chime } from "./sound";

const ASKS = { "HX-Request": "true", Accept: "application/json, text/html" };
const dialog = (): HTMLDialogElement | null => find<HTMLDialogElement>("dialog#shift");
const menu = (): HTMLElement | null => find("#menu-me");

function mark(which: string, good: boolean, words: string): void {
  const line = find(`#shift [data-check=${which}]`);
  if (!line) return;
  line.dataset["state"] = good ? "ok" : "warn";
  const use = line.querySelector("use");
  use?.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*/, good ? "#check" : "#triangle-alert"));
  const said = line.querySelector("span");
  if (said) said.textContent = words;
}

function testAlerts(): void {
  if (!("Notification" in window)) return mark("alerts", false, say("check_alerts_none"));
  if (Notification.permission !== "granted") return mark("alerts", false, say(Notification.permission === "denied" ? "alerts_how" : "check_alerts_ask"));
  const note = new Notification("callcrm", { body: say("check_alerts_body"), tag: "callcrm-test", silent: true });
  window.setTimeout(() => note.close(), 4000);
  mark("alerts", true, say("check_alerts_ok"));
}

/** Each test says what to do when it fails; none keeps anybody from starting. */
function test(ms: number): void {
  const linked = document.documentElement.dataset["push"] === "open";
  mark("server", linked, linked ? say("check_server_ok", { ms: String(Math.round(ms)) }) : say("check_server_gone"));
  mark("sound", audible(), say(audible() ? "check_sound_ok" : "tested_silent"));
  testAlerts();
}

/** Called inside the click or key of the person: browsers allow sound and ask for alerts only then. */
async function open(): Promise<void> {
  const box = dialog();
  if (!box || box.open) return;
  menu()?.hidePopover();
  const ready = prepare();
  const began = performance.now();
  const answer = await fetch("/me/shift", { headers: ASKS });
  const ms = performance.now() - began;
  if (!answer.ok) return tell(say("not_saved"));
  fill(box, await answer.text());
  box.showModal();
  await ready;
  test(ms);
}

function fill(box: HTMLDialogElement, text: string): void {
  box.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
}

/** Send a form of the shift; what is refused is said where it was asked. */
async function send(form: HTMLFormElement): Promise<void> {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.set(name, value);
  const answer = await fetch(form.action, { method: "POST", body: fields, headers: ASKS });
  const box = dialog();
  if (form.dataset["shift"] === "start" && box && !answer.ok && answer.headers.get("Content-Type")?.startsWith("text/html")) {
    fill(box, await answer.text());
    find<HTMLInputElement>("[name=other]", box)?.focus();
    return test(0);
  }
  const body = (await answer.json().catch(() => ({}))) as { said?: string; detail?: string };
  tell(body.said ?? body.detail ?? say("not_saved"));
  if (!answer.ok) return;
  box?.close();
  menu()?.hidePopover();
  htmx.trigger(document.body, "push-operator");
  document.dispatchEvent(new CustomEvent("sheet-changed"));
}

/** The menu of one's own state, with the focus on its first entry. */
export function openMenu(): boolean {
  const box = menu();
  if (!box) return false;
  box.togglePopover(true);
  find<HTMLButtonElement>("button[data-pick], button", box)?.focus();
  return true;
}

function inMenu(event: KeyboardEvent): void {
  const box = menu();
  if (!box?.matches(":popover-open") || event.ctrlKey || event.metaKey || event.altKey) return;
  const entries = all<HTMLButtonElement>("button", box);
  const at = entries.indexOf(document.activeElement as HTMLButtonElement);
  if (/^[0-9]$/.test(event.key)) find<HTMLButtonElement>(`[data-pick="${event.key}"]`, box)?.click();
  else if (event.key === "ArrowDown") entries[(at + 1) % entries.length]?.focus();
  else if (event.key === "ArrowUp") entries[(at - 1 + entries.length) % entries.length]?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** A pause or wrap-up over its limit is red, and says so. */
function tickLimits(): void {
  const button = find(".me[data-limit]");
  if (!button) return;
  const over = now() - Date.parse(button.dataset["from"] ?? "") > Number(button.dataset["limit"]) * 1000;
  if (over && button.dataset["code"] === "paused") button.dataset["state"] = "late";
}

/** Wire the dialog, the menu and the forms; the strip may be replaced at any time, so everything is delegated. */
export function startShift(): void {
  onClick("[data-act=shift]", (_, event) => {
    event.preventDefault();
    void open();
  });
  onClick("#shift [data-close]", () => dialog()?.close());
  onClick("#shift [data-act=chime]", () => void prepare().then(() => (chime(), test(0))));
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || field.name !== "other") return;
    const radio = find<HTMLInputElement>("#shift input[name=phone][value=other]");
    if (radio) radio.checked = true;
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.dataset["shift"]) return;
    event.preventDefault();
    void send(form);
  });
  document.addEventListener("keydown", inMenu, true);
  tickLimits();
  window.setInterval(tickLimits, 1000);
}
