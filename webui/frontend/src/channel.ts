// One socket per person over all tabs. The tab that holds the lock has the socket; the others hear it by BroadcastChannel.
import { kept } from "./dom";

/** A message of the push server. */
export interface Frame {
  type: string;
  id: string;
  at: string;
  data: Record<string, unknown>;
}

/** What the tabs say to each other. */
type Note = { frame: Frame } | { link: boolean } | { send: Wish } | { ask: true } | { opened: string };
export interface Wish {
  type: "pop.painted" | "pop.opened";
  id: string;
}

export interface Ears {
  frame(frame: Frame, leads: boolean): void;
  link(open: boolean): void;
  /** Another tab opened this pop by hand. */
  opened(id: string): void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const LAST = "push.last";
const SIGNED_OUT = 4401;

/** The push connection of this person; `leads` in the one tab that rings and notifies. */
export class Channel {
  private readonly tabs = new BroadcastChannel("callcrm.push");
  private socket: WebSocket | undefined;
  private wait = FIRST_WAIT;
  private leads = false;
  private timer = 0;

  constructor(private readonly url: string, private readonly ears: Ears) {
    this.tabs.onmessage = (event: MessageEvent<Note>) => this.heard(event.data);
  }

  /** Stand for election; the lock is held until the tab closes. */
  start(): void {
    this.tabs.postMessage({ ask: true } satisfies Note);
    if (!navigator.locks) return this.lead();
    void navigator.locks.request("callcrm.push", () => {
      this.lead();
      return new Promise<void>(() => undefined);
    });
  }

  /** A receipt; goes through whichever tab has the socket. */
  send(wish: Wish): void {
    if (!this.leads) this.tabs.postMessage({ send: wish } satisfies Note);
    else if (this.open()) this.socket?.send(JSON.stringify(wish));
  }

  /** A person opened this pop here: the server hears of it, and so do the other tabs. */
  openedHere(id: string): void {
    this.send({ type: "pop.opened", id });
    this.tabs.postMessage({ opened: id } satisfies Note);
  }

  private open(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  private heard(note: Note): void {
    if ("frame" in note) this.ears.frame(note.frame, false);
    else if ("link" in note) this.ears.link(note.link);
    else if ("opened" in note) this.ears.opened(note.opened);
    else if (!this.leads) return;
    else if ("send" in note) this.send(note.send);
    else this.tabs.postMessage({ link: this.open() } satisfies Note);
  }

  private lead(): void {
    this.leads = true;
    this.connect();
    window.addEventListener("online", () => this.again(0));
  }

  private connect(): void {
    window.clearTimeout(this.timer);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => this.opened(socket);
    socket.onmessage = (event: MessageEvent<string>) => this.told(event.data);
    socket.onclose = (event) => this.closed(socket, event.code);
  }

  private opened(socket: WebSocket): void {
    this.wait = FIRST_WAIT;
    const after = kept.get(LAST);
    if (after) socket.send(JSON.stringify({ type: "resume", after }));
    this.say(true);
  }

  private told(text: string): void {
    const frame = JSON.parse(text) as Frame;
    kept.set(LAST, frame.id);
    this.tabs.postMessage({ frame } satisfies Note);
    this.ears.frame(frame, true);
  }

  private closed(socket: WebSocket, code: number): void {
    if (socket !== this.socket) return;
    if (code === 1007 || code === 1008) kept.drop(LAST); // what we said was refused: begin afresh
    if (code === SIGNED_OUT) this.wait = LONGEST_WAIT;
    this.say(false);
    this.again(this.wait * (0.5 + Math.random()));
    this.wait = Math.min(LONGEST_WAIT, this.wait * 2);
  }

  private again(after: number): void {
    window.clearTimeout(this.timer);
    if (!this.open()) this.timer = window.setTimeout(() => this.connect(), after);
  }

  private say(link: boolean): void {
    this.tabs.postMessage({ link } satisfies Note);
    this.ears.link(link);
  }
}
