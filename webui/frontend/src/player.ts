// The small player of a list: one <audio>, driven by its buttons and its waveform. The call's own page has review.ts.
import { all, find, onClick } from "./dom";
import { again } from "./lost";

const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2, 2.5];

const boxOf = (element: Element): HTMLElement | null => element.closest<HTMLElement>("[data-player]");
const audioOf = (box: HTMLElement): HTMLAudioElement | null => find<HTMLAudioElement>("audio", box);

function toggle(box: HTMLElement): void {
  const audio = audioOf(box);
  if (!audio) return;
  for (const other of all<HTMLAudioElement>("audio")) if (other !== audio) other.pause();
  if (!audio.paused) return audio.pause();
  again(audio);
  void audio.play().catch(() => undefined);
}

function speed(box: HTMLElement): void {
  const audio = audioOf(box);
  if (!audio) return;
  audio.playbackRate = SPEEDS[(SPEEDS.indexOf(audio.playbackRate) + 1) % SPEEDS.length] ?? 1;
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
  for (const mark of all<SVGElement>("[data-played]", box)) mark.setAttribute("width", `${share * 100}%`);
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

/** Wire every player, now and later. */
export function startPlayers(): void {
  onClick("[data-act=play]", (button) => {
    const box = boxOf(button);
    if (box) toggle(box);
  });
  onClick("[data-act=speed]", (button) => {
    const box = boxOf(button);
    if (box) speed(box);
  });
  onClick("[data-wave]", jump);
  for (const kind of ["timeupdate", "seeked"]) document.addEventListener(kind, (event) => event.target instanceof HTMLAudioElement && moved(event.target), true);
  for (const kind of ["play", "pause", "ended"]) document.addEventListener(kind, (event) => event.target instanceof HTMLAudioElement && state(event.target), true);
}
