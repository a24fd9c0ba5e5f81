// Tells the service which seconds of a recording were really heard: what was skipped or sought over is not.
import { post } from "./dom";

const TELL_MS = 15_000;
/** A longer step than this between two ticks is a jump, at whatever speed. */
const STEP_S = 1.5;

interface Ear {
  spans: [number, number][];
  last: number;
}

const ears = new Map<string, Ear>();

/** The address that hears of this sound; "" for what is neither a recording of a call nor a moment of a list. */
function listenerOf(audio: HTMLAudioElement): string {
  const source = audio.currentSrc || audio.src;
  if (!source) return "";
  const path = new URL(source, location.href).pathname;
  if (/^\/quality\/coaching\/\d+\/moments\/\d+\/sound$/.test(path)) return path.replace(/sound$/, "heard");
  return /^\/calls\/[^/]+\/recordings\/\d+$/.test(path) ? `${path}/heard` : "";
}

function tick(audio: HTMLAudioElement): void {
  const path = listenerOf(audio);
  if (!path) return;
  const at = audio.currentTime;
  const ear = ears.get(path) ?? { spans: [], last: at };
  ears.set(path, ear);
  const step = at - ear.last;
  if (step > 0 && step <= STEP_S * Math.max(1, audio.playbackRate)) {
    const span = ear.spans[ear.spans.length - 1];
    if (span && ear.last - span[1] < 0.05 && ear.last >= span[0]) span[1] = at;
    else ear.spans.push([ear.last, at]);
  }
  ear.last = at;
}

/** Where hearing begins anew: after a jump, and when the sound starts. */
function from(audio: HTMLAudioElement): void {
  const ear = ears.get(listenerOf(audio));
  if (ear) ear.last = audio.currentTime;
}

function tellAll(): void {
  for (const [path, ear] of ears) {
    if (ear.spans.length === 0) continue;
    const spans = ear.spans.splice(0).map((span) => span.map((edge) => Math.round(edge * 100) / 100));
    void post(path, { spans: JSON.stringify(spans) }, true).catch(() => undefined);
  }
}

const on = (kind: string, act: (audio: HTMLAudioElement) => void): void =>
  document.addEventListener(kind, (event) => event.target instanceof HTMLAudioElement && act(event.target), true);

/** Listen to every player, now and later. */
export function startHearing(): void {
  on("timeupdate", tick);
  on("seeking", from);
  on("playing", from);
  on("pause", (audio) => {
    tick(audio);
    tellAll();
  });
  on("ended", tellAll);
  window.addEventListener("pagehide", tellAll);
  setInterval(tellAll, TELL_MS);
}
