// The deck: one clock, the call's, over all its recordings; plays, seeks, skips silence, and moves the playhead.
import { all, find, kept } from "../dom";
import { duration } from "../clock";
import { again } from "../lost";

/** A recording: its stretch of the call, what was left out of it (where in it, how long) and its silences. */
interface Track {
  n: number;
  from: number;
  to: number;
  cuts: [number, number][];
  quiet: [number, number][];
}

export const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5];
/** So much of a silence is left, that words do not run into each other; in seconds. */
const LEFT = 0.35;

const clamp = (value: number, most: number): number => Math.max(0, Math.min(most, value));

/** The second of the call at a second of the recording, and the other way round. */
const ofCall = (track: Track, second: number): number =>
  track.cuts.reduce((sum, [at, length]) => sum + (at <= second ? length : 0), track.from + second);
const ofSound = (track: Track, second: number): number =>
  Math.max(0, track.cuts.reduce((left, [at, length]) => left - Math.min(length, Math.max(0, left - at)), second - track.from));

export class Deck {
  readonly total: number;
  readonly call: string;
  private readonly tracks: Track[];
  private current: Track;
  private at: number;
  private skipping = kept.get("review.skip") === "on";
  private rate = Number(kept.get("review.speed")) || 1;
  private frame = 0;

  constructor(readonly root: HTMLElement, private readonly settled: (second: number) => void) {
    this.tracks = JSON.parse(root.dataset["deck"] ?? "[]") as Track[];
    this.total = Number(root.dataset["total"]);
    this.call = root.dataset["call"] ?? "";
    this.at = Number(root.dataset["begin"]);
    this.current = this.covering(this.at) ?? this.tracks[0]!;
    if (!SPEEDS.includes(this.rate)) this.rate = 1;
    for (const audio of all<HTMLAudioElement>("audio", root)) this.wire(audio);
    this.show();
    this.showChoices();
  }

  /** The second of the call where the playhead is. */
  get second(): number {
    return this.at;
  }

  /** The recording under the playhead, or the next one, and the second within it: where a pin goes. */
  get place(): { n: number; at: number } {
    const track = this.covering(this.at) ?? this.current;
    return { n: track.n, at: clamp(ofSound(track, this.at), track.to - track.from) };
  }

  get playing(): boolean {
    return !this.audio(this.current).paused;
  }

  toggle(): void {
    if (this.playing) this.audio(this.current).pause();
    else this.play();
  }

  play(): void {
    for (const other of all<HTMLAudioElement>("audio")) other.pause();
    if (this.at >= this.total - 0.05) this.at = 0;
    const track = this.covering(this.at) ?? this.tracks.find((one) => one.from >= this.at) ?? this.tracks[0]!;
    again(this.audio(track));
    this.cue(track, Math.max(this.at, track.from));
    const audio = this.audio(track);
    audio.playbackRate = this.rate;
    void audio.play().catch(() => this.show());
  }

  /** Go to a second of the call; it goes on playing if it did. */
  seek(second: number): void {
    const was = this.playing;
    this.at = clamp(second, this.total);
    const track = this.covering(this.at);
    if (track && track !== this.current) this.audio(this.current).pause();
    if (track) this.cue(track, this.at);
    else if (was) this.play();
    if (track && was && !this.playing) this.play();
    this.show();
    this.settled(this.at);
  }

  speed(step: 1 | -1 | 0): void {
    const at = SPEEDS.indexOf(this.rate);
    const next = step === 0 ? (at + 1) % SPEEDS.length : clamp(at + step, SPEEDS.length - 1);
    this.rate = SPEEDS[next] ?? 1;
    for (const audio of all<HTMLAudioElement>("audio", this.root)) audio.playbackRate = this.rate;
    kept.set("review.speed", String(this.rate));
    this.showChoices();
  }

  skip(): void {
    this.skipping = !this.skipping;
    kept.set("review.skip", this.skipping ? "on" : "off");
    this.showChoices();
  }

  private audio(track: Track): HTMLAudioElement {
    return find<HTMLAudioElement>(`audio[data-track="${track.n}"]`, this.root)!;
  }

  private covering(second: number): Track | undefined {
    if (this.current && second >= this.current.from && second < this.current.to) return this.current;
    return this.tracks.find((one) => second >= one.from && second < one.to);
  }

  private cue(track: Track, second: number): void {
    this.current = track;
    const audio = this.audio(track);
    audio.preload = "metadata";
    audio.currentTime = ofSound(track, second);
    this.at = second;
  }

  private wire(audio: HTMLAudioElement): void {
    audio.preservesPitch = true;
    audio.addEventListener("play", () => this.run());
    for (const kind of ["timeupdate", "seeked"]) audio.addEventListener(kind, () => this.follow(audio));
    audio.addEventListener("pause", () => {
      this.show();
      if (audio === this.audio(this.current)) this.settled(this.at);
    });
    audio.addEventListener("ended", () => this.next());
  }

  /** After a recording the next one, wherever it begins. */
  private next(): void {
    const later = this.tracks.filter((one) => one.from >= this.current.to - 0.5 && one !== this.current);
    if (!later.length) return this.show();
    this.cue(later[0]!, later[0]!.from);
    this.play();
  }

  private follow(audio: HTMLAudioElement): void {
    // A seek that is under way still tells the old second.
    if (audio !== this.audio(this.current) || audio.seeking || (audio.paused && audio.readyState < 1)) return;
    if (!audio.paused) this.at = clamp(ofCall(this.current, audio.currentTime), this.total);
    if (this.skipping && !audio.paused) this.jump(audio);
    this.show();
  }

  private jump(audio: HTMLAudioElement): void {
    const now = audio.currentTime;
    const span = this.current.quiet.find(([begin, end]) => now >= begin + LEFT && now < end - LEFT);
    if (span) audio.currentTime = span[1] - LEFT;
  }

  /** While it plays the playhead moves with each frame; a tab that is not seen goes by `timeupdate`. */
  private run(): void {
    cancelAnimationFrame(this.frame);
    const step = (): void => {
      const audio = this.audio(this.current);
      this.follow(audio);
      if (!audio.paused) this.frame = requestAnimationFrame(step);
    };
    step();
    this.show();
  }

  private show(): void {
    for (const label of all("[data-position]", this.root)) label.textContent = duration(this.at * 1000);
    for (const head of all<SVGElement>("[data-head]", this.root)) {
      for (const end of ["x1", "x2"]) head.setAttribute(end, `${(this.at / this.total) * 100}%`);
    }
    const which = find("[data-which]", this.root);
    if (which) which.textContent = (which.dataset["words"] ?? "").replace("{n}", String(this.tracks.indexOf(this.current) + 1)).replace("{of}", String(this.tracks.length));
    const playing = this.playing;
    const button = find("[data-act=play]", this.root);
    const use = button?.querySelector("use");
    if (!button || button.getAttribute("aria-pressed") === String(playing)) return;
    button.setAttribute("aria-pressed", String(playing));
    use?.setAttribute("href", `${use.getAttribute("href")?.split("#")[0] ?? ""}#${playing ? "pause" : "play"}`);
  }

  private showChoices(): void {
    for (const label of all("[data-speed]", this.root)) label.textContent = `${this.rate}×`;
    find("[data-act=skip]", this.root)?.setAttribute("aria-pressed", String(this.skipping));
  }
}
