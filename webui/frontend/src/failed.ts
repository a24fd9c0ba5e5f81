// A part of the page that could not be read or changed: what stands there stays, and the person is told.
import { tell } from "./dom";

interface Asked {
  request: { method: string };
  response: { raw: Response };
  text: string;
  swap: string;
}

/** A refused form comes back as itself, in HTML; a failure is a sentence in plain text. */
function failed(event: Event): void {
  const { ctx } = (event as CustomEvent<{ ctx: Asked }>).detail;
  if (!ctx.response.raw.headers.get("Content-Type")?.startsWith("text/plain")) return;
  ctx.swap = "none";
  if (ctx.request.method !== "GET") tell(ctx.text);
}

/** Listen for what fails in the background. */
export function startFailed(): void {
  document.addEventListener("htmx:response:error", failed);
}
