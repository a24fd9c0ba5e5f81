// A sound that does not come, or stops coming, says why: the server knows it in words.
import { all, find, say, tell } from "./dom";

/** The beginning and the end: a file that became shorter has the one and not the other. */
const PARTS = ["bytes=0-1", "bytes=-2"];
const asking = new WeakSet<HTMLAudioElement>();

/** What the server says of a sound; the browser's own trouble where the server has it. */
async function why(source: string): Promise<string> {
  for (const part of PARTS) {
    const answer = await fetch(source, { headers: { Accept: "application/json", Range: part } }).catch(() => null);
    if (!answer) return say("lost_server");
    if (answer.ok) continue;
    const told = (await answer.json().catch(() => ({}))) as { detail?: string };
    return told.detail || say("lost_here");
  }
  return say("lost_here");
}

/** Beside the player, where it has a place for it; else at the foot of the page. */
function show(audio: HTMLAudioElement, words: string): void {
  const line = find("[data-lost]", audio.closest("[data-deck], [data-player]") ?? audio);
  if (!line) return words ? tell(words) : undefined;
  const text = find("[data-lost-words]", line) ?? line;
  text.textContent = words;
  line.hidden = words === "";
}

async function lost(audio: HTMLAudioElement): Promise<void> {
  const source = audio.currentSrc || audio.src;
  // A list of moments says it itself, and goes on with the next one.
  if (!source || asking.has(audio) || audio.closest("[data-coach]")) return;
  asking.add(audio);
  show(audio, await why(source));
  asking.delete(audio);
}

/** Ask again for a sound that failed: it may be back. */
export function again(audio: HTMLAudioElement): void {
  if (audio.error) audio.load();
}

/** Listen to every player, now and later; one may have failed before this module came. */
export function startLost(): void {
  for (const [kind, act] of [["error", lost], ["playing", (audio: HTMLAudioElement) => show(audio, "")]] as const) {
    document.addEventListener(kind, (event) => event.target instanceof HTMLAudioElement && void act(event.target), true);
  }
  for (const audio of all<HTMLAudioElement>("audio")) if (audio.error) void lost(audio);
}
