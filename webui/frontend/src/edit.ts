// Facts changed in place, and forms that send themselves when a choice changes.
import { find, onClick } from "./dom";

let editing = "";

/** The keyboard stays where it was: on the fact that is changed, and on its button afterwards. */
function keepPlace(): void {
  for (const kind of ["click", "submit", "keydown"]) {
    document.addEventListener(kind, (event) => {
      const fact = event.target instanceof Element ? event.target.closest("[id^=fact-]") : null;
      if (fact) editing = fact.id;
    });
  }
  document.addEventListener("htmx:after:swap", () => {
    const fact = editing ? document.getElementById(editing) : null;
    const field = fact?.querySelector<HTMLElement>("[data-focus]");
    if (field && document.activeElement !== field) field.focus();
    else if (fact && (!document.activeElement || document.activeElement === document.body)) find(".edit", fact)?.focus();
  });
}

/** `Esc` leaves a fact as it was, `Ctrl Enter` saves one of several lines; a changed filter is a new page address. */
export function startEdit(): void {
  keepPlace();
  document.addEventListener(
    "keydown",
    (event) => {
      const field = event.target;
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      if (!(field instanceof HTMLTextAreaElement) || !field.closest(".editing, .write-note")) return;
      event.preventDefault();
      event.stopPropagation();
      editing = field.closest("[id^=fact-]")?.id ?? editing;
      field.form?.requestSubmit();
    },
    true,
  );
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
}
