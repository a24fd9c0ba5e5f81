// Facts changed in place, and forms that send themselves when a choice changes.
import { find, onClick } from "./dom";

/** `Esc` leaves a fact as it was; a changed filter is a new page address. */
export function startEdit(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !(event.target instanceof Element)) return;
    const leave = event.target.closest(".editing")?.querySelector<HTMLElement>("[data-leave]");
    leave?.click();
  });
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    if (target.matches("[data-submit]")) target.form?.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    // An empty filter is no filter: keep addresses short.
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "get") return;
    for (const field of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")) field.disabled = field.value === "";
  });
  onClick("[data-more]", (button) => {
    const part = find(`#${button.dataset["more"] ?? ""}`);
    if (!part) return;
    part.hidden = !part.hidden;
    button.setAttribute("aria-expanded", String(!part.hidden));
  });
  onClick("[data-close]", (button) => button.closest("dialog")?.close());
  onClick("[data-clear]", (button) => find("#dialing", document)?.replaceChildren(button.ownerDocument.createTextNode("")));
  document.addEventListener("htmx:after:swap", () => find<HTMLInputElement>(".editing [data-focus]")?.focus());
}
