"""What axe finds on a page in both themes and densities, from one visit.

Everything is asked in the light theme; of the dark one with dense rows, the rules that colours and sizes can break:
the document is the same, and nothing else of it can differ.
"""

from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_LOOKS = ["color-contrast", "link-in-text-block", "target-size"]
AXE = Axe().axe_script
RUN = """async options => (await axe.run(document, options)).violations.map(one =>
    `${one.id}: ${one.help} at ${JSON.stringify(one.nodes.slice(0, 4).map(node => node.target))}`)"""
#: A colour on its way to another is none that anybody reads.
AT_REST = """() => Promise.all(document.getAnimations()
    .filter(one => one.effect?.getComputedTiming().endTime !== Infinity).map(one => one.finished.catch(() => null)))"""
DENSITY = "value => { document.documentElement.dataset.density = value }"


async def violations(page: Page) -> list[str]:
    """What axe complains of, in a line each."""
    before = await page.evaluate("document.documentElement.dataset.density ?? ''")
    await page.emulate_media(reduced_motion="reduce")
    await page.evaluate(AT_REST)
    found = await _found(page, {"type": "tag", "values": TAGS})
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    await page.evaluate(DENSITY, "compact")
    await page.evaluate(AT_REST)
    dark = await _found(page, {"type": "rule", "values": OF_LOOKS})
    await page.evaluate(DENSITY, before)
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
    await page.evaluate(AT_REST)
    await page.emulate_media(reduced_motion="no-preference")
    return found + [f"dark: {one}" for one in dark]


async def _found(page: Page, which: dict[str, Any]) -> list[str]:
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    found: list[str] = await page.evaluate(RUN, {"runOnly": which, "resultTypes": ["violations"], "elementRef": False})
    return found
