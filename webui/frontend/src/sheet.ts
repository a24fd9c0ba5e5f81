// The sheet's own work: the note saves itself from the first letter, outcomes by key, "save and ready".
import { find, kept, meta, onClick, post, say, tell } from "./dom";

const PAUSE = 500;
let timer = 0;
let saving: Promise<void> = Promise.resolve();

const field = (): HTMLTextAreaElement | null => find<HTMLTextAreaElement>("#note");
const draftOf = (call: string): string => `note.${meta("user")}.${call}`;

function status(words: string, bad = false): void {
  const line = find("#saved");
  if (!line) return;
  line.textContent = words;
  if (bad) line.dataset["state"] = "late";
  else delete line.dataset["state"];
}

function chosen(): string {
  return find<HTMLInputElement>("#live input[name=disposition]:checked")?.value ?? "";
}

/** Save what stands in the sheet; one request at a time, each with the version it is built on. */
function save(keepalive = false): Promise<void> {
  window.clearTimeout(timer);
  const note = field();
  const disposition = chosen();
  if (note) saving = saving.then(() => send(note, disposition, keepalive));
  return saving;
}

async function send(note: HTMLTextAreaElement, disposition: string, keepalive: boolean): Promise<void> {
  const call = note.dataset["call"];
  if (!call) return;
  const text = note.value;
  if (text === note.dataset["saved"] && disposition === (note.dataset["disposition"] ?? "")) return;
  status(say("saving"));
  try {
    const answer = await post(`/calls/${encodeURIComponent(call)}/note`, { text, disposition, version: note.dataset["version"] ?? "0" }, keepalive);
    took(note, call, text, disposition, answer.status, (await answer.json()) as { version?: number; text?: string; detail?: string });
  } catch {
    status(say("not_saved"), true);
    timer = window.setTimeout(() => void save(), 3000);
  }
}

function took(note: HTMLTextAreaElement, call: string, text: string, disposition: string, code: number, body: { version?: number; text?: string; detail?: string }): void {
  if (code === 200) {
    note.dataset["version"] = String(body.version ?? 0);
    note.dataset["saved"] = text;
    note.dataset["disposition"] = disposition;
    if (note.value === text) kept.drop(draftOf(call));
    status(say("saved"));
  } else if (code === 409 && body.text !== undefined) {
    note.dataset["version"] = String(body.version ?? 0);
    note.value = body.text === text ? text : `${body.text}\n${text}`;
    status(say("joined"), true);
    timer = window.setTimeout(() => void save(), PAUSE);
  } else {
    status(body.detail ?? say("not_saved"), true);
  }
}

function typed(): void {
  const note = field();
  if (!note?.dataset["call"]) return;
  kept.set(draftOf(note.dataset["call"]), note.value);
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void save(), PAUSE);
}

/** A draft that never reached the server (reload, dead network) comes back and is saved. */
function restore(): void {
  const note = field();
  const call = note?.dataset["call"];
  if (!note || !call) return;
  note.dataset["saved"] ??= note.defaultValue;
  const draft = kept.get(draftOf(call));
  if (draft !== null && draft !== note.value) {
    note.value = draft;
    void save();
  }
}

/** Outcome, note and next step in one go, then ready for the next call. */
async function ready(button: HTMLElement): Promise<void> {
  await save();
  const pop = button.dataset["pop"] ?? "";
  const next = find<HTMLInputElement>("#live input[name=next]:checked")?.value ?? "nothing";
  const what = find<HTMLInputElement>("#live input[name=next_what]")?.value ?? "";
  const when = find<HTMLInputElement>("#live input[name=next_when]")?.value ?? "";
  const answer = await post(`/desk/pop/${encodeURIComponent(pop)}/close`, { next, what, when });
  if (answer.ok) {
    document.dispatchEvent(new CustomEvent("sheet-done"));
    return;
  }
  const body = (await answer.json().catch(() => ({}))) as { detail?: string };
  tell(body.detail ?? say("not_saved"));
}

async function choose(button: HTMLElement): Promise<void> {
  const call = button.dataset["call"] ?? "";
  const answer = await post(`/calls/${encodeURIComponent(call)}/client`, { client: button.dataset["client"] ?? "" });
  if (answer.ok) document.dispatchEvent(new CustomEvent("sheet-changed"));
  else tell(((await answer.json().catch(() => ({}))) as { detail?: string }).detail ?? say("not_saved"));
}

function nextFields(): void {
  const next = find<HTMLInputElement>("#live input[name=next]:checked")?.value ?? "nothing";
  for (const part of document.querySelectorAll<HTMLElement>("#live [data-next]")) part.hidden = part.dataset["next"] !== next && !(part.dataset["next"] === "some" && next !== "nothing");
}

/** Wire the sheet; it may be replaced at any time, so everything is delegated. */
export function startSheet(): void {
  document.addEventListener("input", (event) => {
    if (event.target === field()) typed();
  });
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (!(target instanceof HTMLInputElement) || !target.closest("#live")) return;
    if (target.name === "disposition") void save();
    if (target.name === "next") nextFields();
  });
  document.addEventListener("focusout", (event) => {
    if (event.target === field()) void save();
  });
  window.addEventListener("pagehide", () => void save(true));
  onClick("#live [data-hot=ready]", (button) => void ready(button));
  onClick("#live [data-client]", (button) => void choose(button));
  document.addEventListener("sheet-leaves", () => void save());
  document.addEventListener("sheet", () => (restore(), nextFields()));
  restore();
  nextFields();
}
