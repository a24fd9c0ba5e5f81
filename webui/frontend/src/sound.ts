// The ring, made by the browser itself: two soft tones. Allowed only after a click, so "Start shift" unlocks it.
import { kept } from "./dom";

let context: AudioContext | undefined;
let ringing = 0;

/** Ask the browser to let this page sound; true when it may. */
export async function unlock(): Promise<boolean> {
  context ??= new AudioContext();
  if (context.state === "suspended") await context.resume().catch(() => undefined);
  if (context.state === "running") kept.set("sound", "yes");
  return context.state === "running";
}

/** True when a ring would be heard. */
export function audible(): boolean {
  return context?.state === "running";
}

function tone(frequency: number, at: number, length: number): void {
  if (!context) return;
  const oscillator = context.createOscillator();
  const volume = context.createGain();
  oscillator.frequency.value = frequency;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.18, at + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.001, at + length);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + length);
}

/** One ring. */
export function chime(): void {
  if (!audible() || !context) return;
  tone(660, context.currentTime, 0.35);
  tone(880, context.currentTime + 0.18, 0.5);
}

/** Ring until `hush`, at most half a minute. */
export function ring(): void {
  hush();
  let left = 12;
  chime();
  ringing = window.setInterval(() => (--left > 0 ? chime() : hush()), 2500);
}

/** Stop ringing. */
export function hush(): void {
  window.clearInterval(ringing);
  ringing = 0;
}
