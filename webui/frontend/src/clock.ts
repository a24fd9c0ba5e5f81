// Times that run: durations, "8 min ago" and promise clocks, by the server's clock.
import { all, meta, say } from "./dom";

const off = Date.parse(meta("now")) - Date.now() || 0;
const lang = document.documentElement.lang || "en";

/** The present moment as the server has it, in ms. */
export function now(): number {
  return Date.now() + off;
}

/** m:ss, or h:mm:ss. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

function unit(n: number, of: "minute" | "hour" | "day"): string {
  return new Intl.NumberFormat(lang, { style: "unit", unit: of, unitDisplay: "short" }).format(n);
}

function span(ms: number): string {
  const minutes = Math.floor(Math.abs(ms) / 60000);
  if (minutes < 90) return unit(minutes, "minute");
  return minutes < 48 * 60 ? unit(Math.round(minutes / 60), "hour") : unit(Math.floor(minutes / 1440), "day");
}

function tickDurations(): void {
  for (const element of all("[data-until]")) {
    const until = Date.parse(element.dataset["until"] ?? "");
    if (!Number.isNaN(until)) element.textContent = duration(until - now());
  }
  for (const element of all("[data-since]")) {
    const since = Date.parse(element.dataset["since"] ?? "");
    if (!Number.isNaN(since)) element.textContent = duration(now() - since);
  }
}

function tickAges(): void {
  for (const element of all<HTMLTimeElement>("time[data-ago]")) {
    const age = now() - Date.parse(element.dateTime);
    if (age >= 0 && age < 24 * 3600 * 1000) element.textContent = age < 60000 ? say("now") : span(age);
  }
}

/** A promise: how much is left, or by how much it is broken; before it opens the server's word stands. */
function tickPromise(element: HTMLElement): void {
  const left = Date.parse(element.dataset["due"] ?? "") - now();
  const word = element.querySelector("[data-word]");
  if (Number.isNaN(left) || !word || Date.parse(element.dataset["opens"] ?? "") > now()) return;
  const state = left < 0 ? "late" : left < 15 * 60000 ? "soon" : "ok";
  if (element.dataset["state"] !== state) element.dataset["state"] = state;
  const said = say(left < 0 ? "over" : "left", { span: span(Math.max(60000, Math.abs(left))) });
  if (word.textContent !== said) word.textContent = said;
  const whole = Number(element.dataset["whole"]) * 1000;
  const part = whole > 0 ? Math.max(0, Math.min(100, Math.floor((100 * left) / whole))) : 0;
  element.querySelector(".left")?.setAttribute("stroke-dasharray", `${part} 100`);
}

function tickPromises(): void {
  all("[data-due]").forEach(tickPromise);
}

/** Start the ticking: seconds for what runs, half minutes for what ages. */
export function startClocks(): void {
  tickDurations();
  window.setInterval(tickDurations, 1000);
  window.setInterval(() => {
    tickAges();
  }, 30000);
  window.setInterval(tickPromises, 5000);
}
