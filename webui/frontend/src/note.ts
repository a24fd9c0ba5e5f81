// Notes: kept in this browser from the first letter until the server has them, sent when it can be reached,
// and joined with what another tab or colleague writes meanwhile. The server merges; here nothing is thrown away.
import { Draft, drafts } from "./drafts";
import { all, find, say } from "./dom";

const PAUSE = 400;
const LONGEST_PAUSE = 2000;
const RETRIES = [1000, 2000, 5000, 10000];

/** What everybody wrote of a call, as the server has it. */
export interface Written {
  text: string;
  version: number;
  disposition: string;
  by: string;
  others: { user: number; person: string; text: string }[];
  merged?: boolean;
}

/** One's own note of one call. `base` is what the server has for certain, `tried` what it perhaps has. */
class Writing {
  text: string;
  tried: string[] = [];
  private busy = false;
  private again = false;
  private failed = 0;
  private timer = 0;
  private since = 0;

  constructor(readonly call: string, public base: string, public version: number) {
    this.text = base;
  }

  get dirty(): boolean {
    return this.text !== this.base || this.tried.length > 0;
  }

  /** The field that shows this note, if it is on the page. */
  private get field(): HTMLTextAreaElement | null {
    const field = noteField();
    return field?.dataset["call"] === this.call ? field : null;
  }

  typed(text: string): void {
    this.text = text;
    drafts.keep(this.call, this.draft());
    if (!this.since) this.since = Date.now();
    this.later(Math.max(0, Math.min(PAUSE, this.since + LONGEST_PAUSE - Date.now())));
    this.status();
  }

  private draft(): Draft {
    return { base: this.base, tried: this.tried, text: this.text, at: Date.now() };
  }

  private later(after: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), after);
  }

  /** Send what stands here; one request at a time. */
  async save(keepalive = false): Promise<void> {
    window.clearTimeout(this.timer);
    this.since = 0;
    if (!this.dirty) return drafts.drop(this.call);
    if (this.busy && !keepalive) return void (this.again = true);
    this.busy = true;
    const sent = this.text;
    this.status();
    try {
      const answer = await send(this.call, { ...this.draft(), text: sent }, keepalive);
      this.answered(sent, answer);
    } catch {
      if (!this.tried.includes(sent)) this.tried = [...this.tried, sent].slice(-3);
      drafts.keep(this.call, this.draft());
      this.later(RETRIES[Math.min(this.failed++, RETRIES.length - 1)] ?? 10000);
    } finally {
      this.busy = false;
      this.status();
      if (this.again) this.later(0);
      this.again = false;
    }
  }

  private answered(sent: string, answer: Answer): void {
    if (!answer.written) {
      this.refused(answer);
      return;
    }
    this.failed = 0;
    this.tried = [];
    this.base = sent;
    this.version = answer.written.version;
    if (this.text === sent) this.take(answer.written);
    else drafts.keep(this.call, this.draft());
    spread(this.call, answer.written);
  }

  /** The server heard, and said no: told beside the field. What may pass (a session that ended) is tried again. */
  private refused(answer: Answer): void {
    drafts.keep(this.call, this.draft());
    if (answer.status === 401 || answer.status === 403 || answer.status >= 500) this.later(10000);
    this.says = answer.detail;
  }

  private says = "";

  /** The server's text is newer than what stands here, and nothing here is unsaved. */
  private take(written: Written): void {
    this.says = "";
    this.base = written.text;
    this.version = written.version;
    if (this.text !== written.text) {
      this.text = written.text;
      if (this.field) replaceText(this.field, this.text);
    }
    drafts.drop(this.call);
  }

  /** What was read anew: it is shown unless something here waits to be saved, for then the server joins both. */
  heard(written: Written): void {
    spread(this.call, written);
    if (written.version < this.version) return;
    if (this.dirty || this.busy) this.later(PAUSE);
    else this.take(written);
    this.status();
  }

  /** The field was put on the page, perhaps by a sheet that is older than what was typed. */
  bind(field: HTMLTextAreaElement): void {
    if (!this.dirty && Number(field.dataset["version"] ?? 0) > this.version) {
      this.base = this.text = field.value;
      this.version = Number(field.dataset["version"]);
    }
    if (field.value !== this.text) replaceText(field, this.text);
    this.status();
  }

  /** A draft that a page left behind when it was closed. */
  adopt(draft: Draft): void {
    this.base = draft.base;
    this.tried = draft.tried;
    this.text = draft.text;
    if (this.field) replaceText(this.field, this.text);
    drafts.keep(this.call, this.draft());
    void this.save();
  }

  private status(): void {
    const line = find("#saved");
    if (!line || !this.field) return;
    const failed = this.dirty && (this.failed > 0 || this.says !== "");
    const words = failed ? this.says || say("not_saved") : this.dirty ? say("saving") : this.text ? say("saved") : say("saves");
    if (line.textContent !== words) line.textContent = words;
    if (failed) line.dataset["state"] = "late";
    else delete line.dataset["state"];
  }
}

interface Answer {
  status: number;
  written: Written | null;
  detail: string;
}

/** A form in parts, for a long text in Cyrillic is six times as long in an address. Raises when nobody answers. */
async function send(call: string, draft: Draft, keepalive = false): Promise<Answer> {
  const body = new FormData();
  body.set("text", draft.text);
  body.set("base", draft.base);
  for (const one of draft.tried) body.append("tried", one);
  const answer = await fetch(`/calls/${encodeURIComponent(call)}/note`, { method: "POST", body, headers: { Accept: "application/json" }, keepalive });
  const said = (await answer.json().catch(() => ({}))) as Written & { detail?: string };
  // A page that asks to sign in is an answer, too, but none that has the note.
  if (answer.ok && typeof said.version !== "number") return { status: 401, written: null, detail: say("signed_out") };
  if (answer.ok) return { status: answer.status, written: said, detail: "" };
  return { status: answer.status, written: null, detail: said.detail ?? say("not_saved") };
}

const writings = new Map<string, Writing>();

/** The note's field of the sheet. */
export function noteField(): HTMLTextAreaElement | null {
  return find<HTMLTextAreaElement>("#note");
}

function writing(call: string): Writing {
  const field = noteField();
  const there = field?.dataset["call"] === call ? field : null;
  const known = writings.get(call) ?? new Writing(call, there?.defaultValue ?? "", Number(there?.dataset["version"] ?? 0));
  writings.set(call, known);
  return known;
}

/** Only what differs is replaced, so that the cursor stays where it was in the text. */
function replaceText(field: HTMLTextAreaElement, text: string): void {
  const was = field.value;
  let head = 0;
  while (head < was.length && head < text.length && was[head] === text[head]) head++;
  let tail = 0;
  while (tail < was.length - head && tail < text.length - head && was[was.length - 1 - tail] === text[text.length - 1 - tail]) tail++;
  field.setRangeText(text.slice(head, text.length - tail), head, was.length - tail, "preserve");
}

/** What colleagues wrote stands above the field; names and texts are text. */
function spread(call: string, written: Written): void {
  for (const place of all(`[data-colleagues="${CSS.escape(call)}"]`)) {
    const lines = written.others.map((one) => {
      const known = place.querySelector<HTMLElement>(`[data-user="${one.user}"]`) ?? document.createElement("p");
      if (!known.firstElementChild) known.append(document.createElement("b"), " ", document.createElement("span"));
      known.dataset["user"] = String(one.user);
      const [name, text] = [known.querySelector("b"), known.querySelector("span")];
      if (name && name.textContent !== one.person) name.textContent = one.person;
      if (text && text.textContent !== one.text) text.textContent = one.text;
      return known;
    });
    if (lines.length !== place.children.length || lines.some((line, n) => place.children[n] !== line)) place.replaceChildren(...lines);
  }
  document.dispatchEvent(new CustomEvent("written", { detail: { call, written } }));
}

/** Somebody wrote of this call: read it anew, if it is on the sheet. */
export async function reread(call: string): Promise<void> {
  if (noteField()?.dataset["call"] !== call) return;
  const answer = await fetch(`/calls/${encodeURIComponent(call)}/notes`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (answer?.ok) writing(call).heard((await answer.json()) as Written);
}

/** Everything that waits is sent now: before another call takes the sheet, or when the line is back. */
export async function saveNotes(keepalive = false): Promise<void> {
  await Promise.all([...writings.values()].filter((one) => one.dirty).map((one) => one.save(keepalive)));
}

function bound(): void {
  const field = noteField();
  const call = field?.dataset["call"];
  if (field && call) writing(call).bind(field);
}

/** Drafts of pages that are gone: the sheet's own comes back into its field, others go to the server from here. */
async function recover(): Promise<void> {
  for (const { call, key, draft } of await drafts.orphans()) {
    if (noteField()?.dataset["call"] === call && !writing(call).dirty) {
      writing(call).adopt(draft);
      drafts.forget(key);
      continue;
    }
    const answer = await send(call, draft).catch(() => null);
    if (answer?.written || answer?.status === 404) drafts.forget(key);
  }
}

/** Wire the field; the sheet may be replaced at any time, so everything is delegated. */
export function startNotes(): void {
  document.addEventListener("input", (event) => {
    const field = noteField();
    if (event.target === field && field?.dataset["call"]) writing(field.dataset["call"]).typed(field.value);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target === noteField()) void saveNotes();
  });
  document.addEventListener("sheet-leaves", () => void saveNotes());
  document.addEventListener("sheet", bound);
  window.addEventListener("pagehide", () => void saveNotes(true));
  window.addEventListener("online", () => void saveNotes().then(recover));
  document.addEventListener("push-open", () => void saveNotes().then(recover));
  bound();
  void recover();
}
