// The player: one <audio> per recording, driven by buttons, the waveform and keys; the playhead runs over the story.
import { all, find, onClick, typing } from "./dom";
import { duration } from "./clock";
import { single } from "./keys";

const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2, 2.5];

const boxOf = (element: Element): HTMLElement | null => element.closest<HTMLElement>("[data-player]");
const audioOf = (box: HTMLElement): HTMLAudioElement | null => find<HTMLAudioElement>("audio", box);

function toggle(box: HTMLElement): void {
  const audio = audioOf(box);
  if (!audio) return;
  for (const other of all<HTMLAudioElement>("audio")) if (other !== audio) other.pause();
  if (audio.paused) void audio.play();
  else audio.pause();
}

function speed(box: HTMLElement, step: 1 | -1 | 0): void {
  const audio = audioOf(box);
  if (!audio) return;
  const at = SPEEDS.indexOf(audio.playbackRate);
  const next = step === 0 ? (at + 1) % SPEEDS.length : Math.min(SPEEDS.length - 1, Math.max(0, at + step));
  audio.playbackRate = SPEEDS[next] ?? 1;
  for (const label of all("[data-speed]", box)) label.textContent = `${audio.playbackRate}×`;
}

function seek(box: HTMLElement, seconds: number): void {
  const audio = audioOf(box);
  if (audio) audio.currentTime = Math.max(0, Math.min(audio.duration || 1e9, seconds));
}

/** Where a click on a wave lies in its sound. */
function jump(wave: HTMLElement, event: MouseEvent): void {
  const box = boxOf(wave);
  const audio = box && audioOf(box);
  if (!box || !audio) return;
  const place = wave.getBoundingClientRect();
  const share = (event.clientX - place.left) / place.width;
  seek(box, share * (audio.duration || Number(box.dataset["seconds"] ?? 0)));
  if (audio.paused) void audio.play();
}

function moved(audio: HTMLAudioElement): void {
  const box = boxOf(audio);
  if (!box) return;
  const total = audio.duration || Number(box.dataset["seconds"] ?? 0);
  const share = total ? audio.currentTime / total : 0;
  for (const label of all("[data-position]", box)) label.textContent = duration(audio.currentTime * 1000);
  for (const mark of all<SVGElement>("[data-played]", box)) mark.setAttribute("width", `${share * 100}%`);
  const from = Number(box.dataset["from"] ?? 0);
  const of = Number(box.dataset["of"] ?? 100);
  for (const head of all<SVGElement>("[data-head]", box)) {
    for (const end of ["x1", "x2"]) head.setAttribute(end, `${from + share * of}%`);
  }
}

function state(audio: HTMLAudioElement): void {
  const box = boxOf(audio);
  if (!box) return;
  for (const button of all("[data-act=play]", box)) {
    const use = button.querySelector("use");
    const sprite = use?.getAttribute("href")?.split("#")[0] ?? "";
    use?.setAttribute("href", `${sprite}#${audio.paused ? "play" : "pause"}`);
    button.setAttribute("aria-pressed", String(!audio.paused));
  }
}

const KEYS: Record<string, (box: HTMLElement, audio: HTMLAudioElement, far: boolean) => void> = {
  ArrowLeft: (box, audio, far) => seek(box, audio.currentTime - (far ? 15 : 5)),
  ArrowRight: (box, audio, far) => seek(box, audio.currentTime + (far ? 15 : 5)),
  "[": (box) => speed(box, -1),
  "]": (box) => speed(box, 1),
};

/** Wire every player, now and later. */
export function startPlayers(): void {
  onClick("[data-act=play]", (button) => {
    const box = boxOf(button);
    if (box) toggle(box);
  });
  onClick("[data-act=speed]", (button) => {
    const box = boxOf(button);
    if (box) speed(box, 0);
  });
  onClick("[data-act=back], [data-act=forward]", (button) => {
    const box = boxOf(button);
    const audio = box && audioOf(box);
    if (box && audio) seek(box, audio.currentTime + (button.dataset["act"] === "back" ? -5 : 5));
  });
  onClick("[data-wave]", jump);
  for (const kind of ["timeupdate", "seeked"]) document.addEventListener(kind, (event) => event.target instanceof HTMLAudioElement && moved(event.target), true);
  for (const kind of ["play", "pause", "ended"]) document.addEventListener(kind, (event) => event.target instanceof HTMLAudioElement && state(event.target), true);
  document.addEventListener("keydown", (event) => {
    const box = find("[data-player][data-keys]");
    const audio = box && audioOf(box);
    const act = KEYS[event.key];
    if (!box || !audio || !act || typing() || !single() || event.ctrlKey || event.altKey || find("dialog[open]")) return;
    act(box, audio, event.shiftKey);
    event.preventDefault();
  });
}
