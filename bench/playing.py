"""How soon an hour's sound is heard in Chromium: from the key to the browser's word that it plays.

Each time the call's page is opened in a browser that has nothing of it yet, at its beginning and half an hour in.
"""

import shutil
import statistics

from playwright.async_api import Browser, async_playwright

from webui.identity import COOKIE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
TIMES = 10
#: From the key to the first moment at which the sound has moved on.
LISTEN = """
window.heard = new Promise(done => {
  let pressed = 0;
  document.addEventListener("keydown", event => { if (event.key === " ") pressed = performance.now(); }, true);
  document.addEventListener("playing", () => done(performance.now() - pressed), true);
});
"""


async def heard(address: str, cookie: str, seconds: list[float]) -> dict[float, list[float]] | None:
    """Milliseconds for each of these beginnings of the call at `address`, sorted; None without a Chromium."""
    if CHROMIUM is None:
        return None
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            return {at: sorted([await _once(browser, address, cookie, at) for _ in range(TIMES)]) for at in seconds}
        finally:
            await browser.close()


async def _once(browser: Browser, address: str, cookie: str, at: float) -> float:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_cookies([{"name": COOKIE, "value": cookie, "domain": "127.0.0.1", "path": "/"}])
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(f"{address}?t={at:.0f}")
    await page.wait_for_selector("[data-deck] audio", state="attached")
    await page.wait_for_load_state("networkidle")
    await page.keyboard.press("Space")
    took = float(await page.evaluate("window.heard"))
    await context.close()
    return took


def line(times: list[float]) -> str:
    """In words."""
    return f"{statistics.median(times):.0f} ms, at most {max(times):.0f} ms"
