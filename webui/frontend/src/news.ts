// News of quality: one quiet line where it concerns this person, and pages of quality that renew themselves.
// Nothing takes the focus; while somebody types, chooses or listens on such a page, it waits.
import htmx from "htmx.org";
import { now } from "./clock";
import { all, find, meta, say, tell, typing } from "./dom";

interface Told {
  type: string;
  id: string;
  at: string;
  data: { operator?: number | null; operator_name?: string; act?: string; replaces?: number | null; title?: string };
}

const KINDS = ["evaluation.changed", "coaching.changed", "review.changed"];
/** What happened longer ago was missed: the counts at the rail tell of it, no sentence does. */
const FRESH_MS = 60_000;
const SOON_MS = 400;
const LATER_MS = 1500;
const heard = new Set<string>();
let due = 0;

/** The sentence for this person; "" where there is nothing to say. */
function sentence({ type, data }: Told): string {
  const mine = String(data.operator ?? "") === meta("user");
  if (type === "coaching.changed") return mine && data.act === "given" ? say("news_given", { title: data.title ?? "" }) : "";
  if (type !== "evaluation.changed") return "";
  if (!mine) return data.act === "disputed" ? say("news_disputed", { who: data.operator_name ?? "" }) : "";
  if (data.act === "released") return data.replaces ? "" : say("news_released");
  return data.act === "kept" || data.act === "corrected" ? say(`news_${data.act}`) : "";
}

/** Somebody is at work in what would be renewed: a morph under his hands would take it away. */
function busy(region: Element): boolean {
  const at = document.activeElement;
  if (find("dialog[open]") || (typing() && at !== null && region.contains(at))) return true;
  if (all<HTMLTextAreaElement>("textarea", region).some((field) => field.value !== field.defaultValue)) return true;
  if (all<HTMLInputElement>("input", region).some((box) => box.checked !== box.defaultChecked)) return true;
  return find("details[open] form", region) !== null;
}

function renew(): void {
  due = 0;
  const region = find("[data-quality-live]");
  if (region && busy(region)) due = window.setTimeout(renew, LATER_MS);
  else if (region) htmx.trigger(document.body, "push-quality");
}

function later(): void {
  if (!due) due = window.setTimeout(renew, SOON_MS);
}

function on(told: Told): void {
  if (told.type === "refetch") return later();
  if (!KINDS.includes(told.type)) return;
  later();
  const what = sentence(told);
  const key = `${told.type} ${told.at} ${what}`;
  if (!what || heard.has(key) || document.hidden || now() - Date.parse(told.at) > FRESH_MS) return;
  heard.add(key);
  tell(what);
}

/** Listen to what the push tells. */
export function startNews(): void {
  document.addEventListener("push-frame", (event) => on((event as CustomEvent<Told>).detail));
}
