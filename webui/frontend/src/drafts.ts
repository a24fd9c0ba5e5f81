// Drafts of notes in this browser's store: one for each page and call, so that no page writes over another's.
import { kept, meta } from "./dom";

/** A note on its way: what it was made from, what was sent without an answer, and how it stands. */
export interface Draft {
  base: string;
  tried: string[];
  text: string;
  at: number;
}

const PAGE = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const LOCK = "callcrm.page.";
/** A draft that the server never took is let go after so long. */
const OLDEST = 14 * 24 * 3600 * 1000;
/** Where pages cannot be told alive from gone, a draft that is so old is a gone page's. */
const QUIET = 10000;

const prefix = (): string => `note.${meta("user")}.`;
const keyOf = (call: string): string => `${prefix()}${PAGE}.${call}`;

// Held as long as the page lives: who finds the lock free knows that the page is gone.
if (navigator.locks) void navigator.locks.request(LOCK + PAGE, () => new Promise<void>(() => undefined));

async function alive(): Promise<Set<string> | null> {
  const state = await navigator.locks?.query();
  return state ? new Set((state.held ?? []).map((lock) => (lock.name ?? "").replace(LOCK, ""))) : null;
}

function read(key: string): Draft | null {
  try {
    const draft = JSON.parse(kept.get(key) ?? "null") as Partial<Draft> | null;
    if (typeof draft?.text !== "string" || typeof draft.base !== "string") return null;
    return { base: draft.base, tried: draft.tried ?? [], text: draft.text, at: draft.at ?? 0 };
  } catch {
    return null;
  }
}

/** This person's drafts. */
export const drafts = {
  keep(call: string, draft: Draft): void {
    kept.set(keyOf(call), JSON.stringify(draft));
  },
  drop(call: string): void {
    kept.drop(keyOf(call));
  },
  forget(key: string): void {
    kept.drop(key);
  },
  /** What pages left that are no more. */
  async orphans(): Promise<{ key: string; call: string; draft: Draft }[]> {
    const there = await alive();
    const found = [];
    for (const key of kept.keys()) {
      if (!key.startsWith(prefix())) continue;
      const [page = "", ...rest] = key.slice(prefix().length).split(".");
      const draft = read(key);
      if (!draft || Date.now() - draft.at > OLDEST) kept.drop(key);
      else if (page !== PAGE && (there ? !there.has(page) : Date.now() - draft.at > QUIET)) found.push({ key, call: rest.join("."), draft });
    }
    return found;
  },
};
