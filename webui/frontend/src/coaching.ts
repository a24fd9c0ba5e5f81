// Moments to learn from: they play one after the other, each one only its own seconds, and what was heard is noted.
import { duration } from "./clock";
import { all, find, onClick, post, single, typing } from "./dom";

const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const root = find("[data-coach]");
const audio = root && find<HTMLAudioElement>("audio", root);
let now: HTMLElement | null = null;

const moments = (): HTMLElement[] => all("[data-moment]");
const place = (): number => (now ? moments().indexOf(now) : -1);

function tell(text: string): void {
  const line = root && find("[data-told]", root);
  if (line) line.textContent = text;
}

/** Show a moment as the one that is heard, without playing it yet. */
function choose(moment: HTMLElement | undefined): boolean {
  if (!root || !audio || !moment) return false;
  if (moment !== now) {
    audio.pause();
    audio.src = moment.dataset["src"] ?? "";
    now = moment;
  }
  for (const item of all(".moments > li[data-now]")) item.removeAttribute("data-now");
  moment.closest("li")?.setAttribute("data-now", "");
  for (const other of moments()) other.removeAttribute("aria-current");
  moment.setAttribute("aria-current", "true");
  const shown: [string, string][] = [["[data-place]", String(place() + 1)], ["[data-words]", find("[data-text]", moment)?.textContent ?? ""]];
  for (const [where, text] of shown) {
    const line = find(where, root);
    if (line) line.textContent = text;
  }
  return true;
}

function play(moment: HTMLElement | undefined): void {
  if (!choose(moment) || !audio) return;
  if (now?.hasAttribute("data-silent")) return step(1);
  const rate = audio.playbackRate;
  audio.currentTime = 0;
  void audio.play().catch(() => undefined);
  audio.playbackRate = rate;
}

/** The next moment with sound, or the one before; behind the last one it is said that it was the last. */
function step(by: 1 | -1): void {
  const list = moments();
  for (let at = place() + by; at >= 0 && at < list.length; at += by) {
    if (!list[at]?.hasAttribute("data-silent")) return play(list[at]);
  }
  if (by > 0) tell(root?.dataset["wordsEnd"] ?? "");
}

function toggle(): void {
  if (!audio || !now) return;
  if (!audio.paused) return audio.pause();
  if (now.hasAttribute("data-silent") || (audio.ended && place() === moments().length - 1)) return play(moments().find((one) => !one.hasAttribute("data-silent")));
  void audio.play().catch(() => undefined);
}

function pace(): void {
  if (!audio || !root) return;
  audio.playbackRate = SPEEDS[(SPEEDS.indexOf(audio.playbackRate) + 1) % SPEEDS.length] ?? 1;
  audio.defaultPlaybackRate = audio.playbackRate;
  const label = find("[data-pace]", root);
  if (label) label.textContent = `${audio.playbackRate}×`;
}

async function heard(moment: HTMLElement): Promise<void> {
  const answer = await post(moment.dataset["heard"] ?? "", {}, true).catch(() => null);
  const seen = find("[data-seen]", moment);
  if (!answer?.ok || !seen || find(".state", seen)) return;
  const chip = document.createElement("span");
  chip.className = "state";
  chip.dataset["state"] = "kept";
  chip.textContent = root?.dataset["wordsHeard"] ?? "";
  seen.replaceChildren(chip);
}

function moved(): void {
  if (!audio || !root) return;
  const bar = find<HTMLProgressElement>("[data-bar]", root);
  if (bar && audio.duration) bar.value = (100 * audio.currentTime) / audio.duration;
  const at = find("[data-at]", root);
  if (at) at.textContent = `${duration(audio.currentTime * 1000)} / ${duration((audio.duration || 0) * 1000)}`;
}

function stands(): void {
  const button = root && find("[data-act=moment-play]", root);
  const use = button?.querySelector("use");
  const sprite = use?.getAttribute("href")?.split("#")[0] ?? "";
  use?.setAttribute("href", `${sprite}#${audio?.paused ? "play" : "pause"}`);
  button?.setAttribute("aria-pressed", String(!audio?.paused));
}

const KEYS: Record<string, () => void> = { n: () => step(1), p: () => step(-1), r: () => play(now ?? undefined) };

if (root && audio) {
  choose(moments().find((one) => one.dataset["moment"] === root.dataset["first"]) ?? moments()[0]);
  onClick("[data-act=moment-play]", toggle);
  onClick("[data-act=moment-next]", () => step(1));
  onClick("[data-act=moment-back]", () => step(-1));
  onClick("[data-act=moment-again]", () => play(now ?? undefined));
  onClick("[data-act=moment-speed]", pace);
  onClick("[data-moment]", (moment) => play(moment));
  for (const kind of ["timeupdate", "loadedmetadata"]) audio.addEventListener(kind, moved);
  for (const kind of ["play", "pause", "ended"]) audio.addEventListener(kind, stands);
  audio.addEventListener("ended", () => {
    if (now) void heard(now);
    step(1);
  });
  audio.addEventListener("error", () => {
    if (!audio.getAttribute("src")) return;
    tell(root.dataset["wordsFailed"] ?? "");
    step(1);
  });
  // Before the keys of the whole page: here P is the moment before, and N no note.
  document.addEventListener(
    "keydown",
    (event) => {
      const act = KEYS[event.key];
      if (!act || !single() || typing() || event.ctrlKey || event.altKey || event.metaKey || find("dialog[open]")) return;
      act();
      event.preventDefault();
    },
    true,
  );
}
