// Every page's module: starts the parts; each does nothing where its elements are missing.
import "htmx.org";
import { startClocks } from "./clock";
import { onClick } from "./dom";
import { startEdit } from "./edit";
import { startKeys } from "./keys";
import { prepare, startLights } from "./lights";
import { startLook } from "./look";
import { startPalette } from "./palette";
import { startPlayers } from "./player";
import { startPop } from "./pop";
import { startSheet } from "./sheet";

startLook();
startClocks();
startKeys();
startPalette();
startEdit();
startLights();
startSheet();
startPop();
startPlayers();
onClick("[data-act=shift]", (_, event) => {
  // Permissions may only be asked for inside the click; the form goes on its way afterwards.
  const form = event.target instanceof Element ? event.target.closest("form") : null;
  event.preventDefault();
  void prepare().finally(() => form?.requestSubmit());
});
