// The list of those to whom a call may go: filtered by what is typed, walked by arrows; Enter asks first, Shift+Enter hands on.
import { all, find, onClick, post, say } from "./dom";
import htmx from "htmx.org";

const dialog = (): HTMLDialogElement | null => find<HTMLDialogElement>("#transfer");
const options = (): HTMLElement[] => all("#transfer [role=option]").filter((one) => !one.hidden);
const field = (): HTMLInputElement | null => find<HTMLInputElement>("#transfer input[name=to]");

function select(index: number): void {
  const list = options();
  const at = Math.min(list.length - 1, Math.max(-1, index));
  for (const one of all("#transfer [role=option]")) one.setAttribute("aria-selected", "false");
  list[at]?.setAttribute("aria-selected", "true");
  list[at]?.scrollIntoView({ block: "nearest" });
  field()?.setAttribute("aria-activedescendant", list[at]?.id ?? "");
}

const chosen = (): HTMLElement | undefined => options().find((one) => one.getAttribute("aria-selected") === "true");

/** A number that is typed whole is meant itself; letters, or part of an extension, mean the first who fits. */
function filter(): void {
  const typed = (field()?.value ?? "").trim().toLowerCase();
  for (const one of all("#transfer [role=option]")) one.hidden = !(one.dataset["words"] ?? "").includes(typed);
  const number = /^[+\d][\d\s()*#-]{5,}$/.test(typed);
  select(typed && !number ? 0 : -1);
}

function complain(words: string): void {
  const line = find("#transfer [data-bad]");
  if (!line) return;
  line.textContent = words;
  line.hidden = words === "";
}

let sending = false;

/** One wish at a time; the row of pads that comes back takes the place of the old one. */
async function send(action: "attended" | "blind"): Promise<void> {
  const form = find<HTMLFormElement>("#transfer form[data-transfer]");
  const button = find<HTMLButtonElement>(`#transfer button[value=${action}]`);
  const picked = chosen();
  if (!form || !button || sending) return;
  if (button.getAttribute("aria-disabled") === "true") return complain(button.title);
  if (picked?.getAttribute("aria-disabled") === "true") return complain(picked.title);
  const to = picked?.dataset["to"] ?? field()?.value.trim() ?? "";
  if (!to) return complain(say("to_whom"));
  sending = true;
  try {
    const once = find<HTMLInputElement>("input[name=once]", form)?.value ?? "";
    const answer = await post(form.getAttribute("action") ?? "", { action, to, once });
    if (answer.ok) dialog()?.close();
    else complain(((await answer.json().catch(() => ({}))) as { detail?: string }).detail ?? say("not_saved"));
  } finally {
    sending = false;
  }
  htmx.trigger(document.body, "push-call");
}

function keys(event: KeyboardEvent): void {
  if (event.target !== field()) return;
  const at = options().findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") select(at + 1);
  else if (event.key === "ArrowUp") select(at - 1);
  else if (event.key === "Enter") {
    if (!event.repeat) void send(event.shiftKey ? "blind" : "attended");
  } else return;
  event.preventDefault();
}

async function open(call: string): Promise<void> {
  const box = dialog();
  const inner = find("#transfer-in");
  if (!box || !inner || box.open) return;
  const answer = await fetch(`/calls/${encodeURIComponent(call)}/transfer`, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const made = new DOMParser().parseFromString(await answer.text(), "text/html");
  inner.replaceChildren(...made.body.childNodes);
  box.showModal();
  field()?.focus();
  filter();
}

/** Wire the pads and the list; both may be replaced at any time. */
export function startActing(): void {
  onClick("[data-act=transfer]", (button) => void open(button.dataset["call"] ?? ""));
  onClick("#transfer [role=option]", (option) => select(options().indexOf(option)));
  onClick("#live .pad[aria-disabled=true]", (_, event) => event.preventDefault());
  dialog()?.addEventListener("input", filter);
  dialog()?.addEventListener("keydown", keys);
  dialog()?.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    void send(button instanceof HTMLButtonElement && button.value === "blind" ? "blind" : "attended");
  });
}
