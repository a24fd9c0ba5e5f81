// The four lights: each a word and an icon; one that is not green says what to do.
import { find, onClick, say, tell } from "./dom";
import { audible, chime, unlock } from "./sound";

type Light = "server" | "sound" | "alerts";

function icon(name: string): SVGSVGElement {
  const sprite = find("#live, .rail")?.querySelector("use")?.getAttribute("href")?.split("#")[0] ?? "";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** Set a light: good with a plain word, or a button whose text says what to do. */
export function light(which: Light, good: boolean, words: string, act = ""): void {
  const item = find(`[data-light=${which}]`);
  if (!item) return;
  const signature = `${good}|${words}|${act}`;
  if (item.dataset["signature"] === signature) return;
  item.dataset["signature"] = signature;
  item.dataset["state"] = good ? "ok" : "warn";
  const mark = icon(good ? "check" : "triangle-alert");
  if (!act) {
    item.replaceChildren(mark, words);
    return;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.dataset["act"] = act;
  button.append(mark, words);
  item.replaceChildren(button);
}

function alertsLight(): void {
  if (!("Notification" in window)) return light("alerts", false, say("alerts_none"));
  const state = Notification.permission;
  if (state === "granted") return light("alerts", true, say("alerts"));
  light("alerts", false, say(state === "denied" ? "alerts_blocked" : "alerts_allow"), "alerts");
}

function soundLight(): void {
  if (audible()) light("sound", true, say("sound"));
  else light("sound", false, say("sound_off"), "sound");
}

/** Ask for what a shift needs: sound and notifications; each is asked for by a click of the person. */
export async function prepare(): Promise<void> {
  if (await unlock()) chime();
  if ("Notification" in window && Notification.permission === "default") await Notification.requestPermission();
  soundLight();
  alertsLight();
}

/** Show the lights, and let their buttons mend what they can. */
export function startLights(): void {
  if (!find("[data-light]")) return;
  onClick("[data-act=sound]", () => void unlock().then(() => (chime(), soundLight())));
  onClick("[data-act=alerts]", () => {
    if (Notification.permission === "denied") tell(say("alerts_how"));
    else void Notification.requestPermission().then(alertsLight);
  });
  onClick("[data-act=test]", () => void prepare().then(() => tell(say(audible() ? "tested" : "tested_silent"))));
  soundLight();
  alertsLight();
  document.addEventListener("pointerdown", () => void unlock().then(soundLight), { once: true });
  document.addEventListener("keydown", () => void unlock().then(soundLight), { once: true });
}
