"""The palette in a real browser, by keyboard alone: found, walked, opened, called; nothing for axe in either theme."""

import pytest

from tests import people
from tests.browser.conftest import Desk
from tests.browser.looking import violations
from tests.webui import office

pytestmark = pytest.mark.browser
CHOSEN = "#palette [aria-selected=true]"


async def test_a_client_is_opened_by_part_of_the_number_and_enter(desk: Desk) -> None:
    ids = await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("8 (916) 123-45")
    # Enter before the answer opens what is found first.
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/clients/{ids['marina']}")


async def test_the_list_is_walked_by_keys_and_the_field_keeps_the_focus(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("коваленко")
    await page.wait_for_selector("#palette mark")
    first = await page.locator(CHOSEN).get_attribute("href")
    await page.keyboard.press("ArrowDown")
    second = await page.locator(CHOSEN).get_attribute("href")
    assert first != second
    active = await page.locator("#palette input").get_attribute("aria-activedescendant")
    assert active == await page.locator(CHOSEN).get_attribute("id")
    assert await page.evaluate("document.activeElement === document.querySelector('#palette input')")
    await page.keyboard.press("PageDown")
    await page.keyboard.press("PageUp")
    await page.keyboard.press("ArrowUp")
    assert await page.locator(CHOSEN).get_attribute("href") == first
    await page.keyboard.press("Escape")
    assert await page.locator("#palette[open]").count() == 0


async def test_control_and_enter_call_whom_the_line_is_about(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("марина")
    await page.wait_for_selector(f"{CHOSEN}[data-number='+{office.MARINA}']")
    async with page.expect_request(lambda request: request.url.endswith("/dial")) as asked:
        await page.keyboard.press("Control+Enter")
    assert office.MARINA in ((await asked.value).post_data or "")
    assert await page.locator("#palette[open]").count() == 0


async def test_a_note_is_found_by_its_words_and_opens_its_call(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("#instal")
    await page.wait_for_selector("#palette mark")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/calls/talked")


async def test_axe_finds_nothing_in_what_was_found(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await page.keyboard.press("Control+k")
    complaints = {}
    for typed in ("коваленко", "4567", "no such thing"):
        await page.locator("#palette input").fill(typed)
        waited = "#palette-found > p" if typed.startswith("no") else "#palette mark"
        await page.wait_for_selector(waited)
        complaints[typed] = await violations(page)
    assert {typed: found for typed, found in complaints.items() if found} == {}
