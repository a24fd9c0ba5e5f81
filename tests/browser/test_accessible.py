"""axe on every page in both themes, and no page overflows sideways."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests import people
from tests.browser.conftest import Desk
from tests.webui import office

pytestmark = pytest.mark.browser
OLGAS = ["/", "/clients", "/clients/1", "/clients/4", "/clients/new", "/calls", "/calls/talked", "/calls/moved"]
OLGAS += ["/callbacks", "/callbacks?show=closed", "/tasks", "/tasks/new", "/me", "/calls?show=held"]
ADAMS = ["/pbx", "/accounts", "/accounts/new", "/accounts/8"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def violations(page: Page) -> list[str]:
    """What axe complains of, in a line each."""
    found: Any = await Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    return [
        f"{one['id']}: {one['help']} at {[node['target'] for node in one['nodes']][:4]}"
        for one in found.response["violations"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_on_any_page(desk: Desk, tmp_path: Path, theme: str) -> None:
    await office.fill(desk.running.writer, tmp_path / "sound")
    complaints: dict[str, list[str]] = {}
    for actor, paths in ((people.OLGA, OLGAS), (people.ADAM, ADAMS), (None, ["/sign-in", "/static/none"])):
        context = await desk.context(actor, color_scheme=theme)
        page = await context.new_page()
        for path in paths:
            await page.goto(desk.url + path)
            if found := await violations(page):
                complaints[path] = found
            if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                complaints[path] = [*complaints.get(path, []), "overflows sideways"]
    assert complaints == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_on_a_call_in_any_state(desk: Desk, theme: str) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA, color_scheme=theme)
    complaints: dict[str, list[str]] = {}
    await desk.ring("shared", office.SHARED)
    await page.wait_for_selector("#live[data-state=ringing] .choose")
    complaints["ringing"] = await violations(page)
    await desk.answer("101")
    await page.wait_for_selector("#live[data-state=talking]")
    complaints["talking"] = await violations(page)
    await desk.end()
    await page.wait_for_selector("#live[data-state=wrapup]")
    complaints["wrapup"] = await violations(page)
    await page.keyboard.press("Control+k")
    await page.wait_for_selector("#palette [role=option]")
    complaints["palette"] = await violations(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    complaints["keys"] = await violations(page)
    assert {state: found for state, found in complaints.items() if found} == {}


@pytest.mark.parametrize("width", [390, 1024, 1280])
async def test_no_page_overflows_sideways(desk: Desk, width: int) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await page.set_viewport_size({"width": width, "height": 800})
    wide = []
    for path in OLGAS:
        await page.goto(desk.url + path)
        if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path)
    assert wide == []
