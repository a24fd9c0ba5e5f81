// Small helpers over the document, so that the modules read as what they do.

/** The first element that matches, typed. */
export function find<T extends Element = HTMLElement>(selector: string, root: ParentNode = document): T | null {
  return root.querySelector<T>(selector);
}

/** Every element that matches. */
export function all<T extends Element = HTMLElement>(selector: string, root: ParentNode = document): T[] {
  return [...root.querySelectorAll<T>(selector)];
}

/** The content of a named meta tag, or "". */
export function meta(name: string): string {
  return find<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
}

let words: Record<string, string> | undefined;

/** A sentence in the page's language, with `{name}` filled in. The page carries them in a meta tag. */
export function say(key: string, values: Record<string, string> = {}): string {
  words ??= JSON.parse(meta("words") || "{}") as Record<string, string>;
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
}

/** Clicks on what matches, now or later in the document. */
export function onClick(selector: string, act: (target: HTMLElement, event: MouseEvent) => void): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>(selector) : null;
    if (target) act(target, event);
  });
}

/** True while somebody types: single keys are then letters, not commands. */
export function typing(): boolean {
  const at = document.activeElement;
  if (at instanceof HTMLInputElement) return !["radio", "checkbox", "button", "submit"].includes(at.type);
  return at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement || (at instanceof HTMLElement && at.isContentEditable);
}

/** True while single keys are commands. */
export function single(): boolean {
  return document.documentElement.dataset["keys"] !== "off";
}

/** A value kept in this browser for this account; storage may be shut off, then nothing is kept. */
export const kept = {
  get(key: string): string | null {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key: string, value: string): void {
    try {
      localStorage.setItem(key, value);
    } catch {
      /* private window or full: the server has the truth */
    }
  },
  drop(key: string): void {
    try {
      localStorage.removeItem(key);
    } catch {
      /* as above */
    }
  },
  keys(): string[] {
    try {
      return Object.keys(localStorage);
    } catch {
      return [];
    }
  },
};

/** One sentence in the live region at the foot of the page; `undo` may hold a form's action. */
export function tell(sentence: string): void {
  const line = find("#tell");
  if (!line) return;
  line.textContent = sentence;
  window.setTimeout(() => {
    if (line.textContent === sentence) line.textContent = "";
  }, 6000);
}

/** POST fields as a form, as the pages do; the browser adds Origin, the server answers JSON or nothing. */
export function post(path: string, fields: Record<string, string>, keepalive = false): Promise<Response> {
  return fetch(path, { method: "POST", body: new URLSearchParams(fields), headers: { Accept: "application/json" }, keepalive });
}
