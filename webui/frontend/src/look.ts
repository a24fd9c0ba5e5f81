// Theme and density: kept in the account, so they follow the person; shown at once.
import { onClick, post } from "./dom";

const root = document.documentElement;

function dark(): boolean {
  const set = root.dataset["theme"];
  return set === "dark" || (set !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

/** Buttons that change how the page looks. */
export function startLook(): void {
  onClick("[data-act=theme]", (button) => {
    const theme = button.dataset["theme"] ?? (dark() ? "light" : "dark");
    if (theme === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = theme;
    void post("/me/look", { theme });
  });
  onClick("[data-act=density]", (button) => {
    root.dataset["density"] = button.dataset["density"] ?? "";
    void post("/me/look", { density: root.dataset["density"] ?? "" });
  });
}
