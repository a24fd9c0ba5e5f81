"""Beside a live call: pages keep what one acts on in sight, and the sheet, the strip and the story keep step."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page

from callcrm.shifts import service as shifts
from tests import people
from tests.browser.conftest import Desk
from tests.custody.conftest import Office
from tests.webui import office

pytestmark = pytest.mark.browser
#: The buttons of a list that are cut off at the right, or lie under something else.
HIDDEN_ACTS = """() => [...document.querySelectorAll("main tbody .c-act :is(button, a)")].filter((one) => {
  const box = one.getBoundingClientRect();
  if (box.top < 0 || box.bottom > innerHeight - 60) return false;
  const there = document.elementFromPoint(box.right - 3, box.top + box.height / 2);
  return !one.contains(there);
}).length"""
WIDTH_OF = "selector => document.querySelector(selector).getBoundingClientRect().width"
#: The upper edges of the sheet's parts that have a place of their own in every state.
ROWS = """() => ["#s-who", "#s-said", "#s-next", ".live-foot"].map(
  (one) => Math.round(document.querySelector(`#live ${one}`).getBoundingClientRect().top))"""
#: Whether the page asks for what stands beside a message sooner than a timer goes off that began with the message
#: (both wait for the same thread, however busy that is). It is shorter than the pause between bursts.
AT_ONCE = """([type, path]) => new Promise((done) => {
  let late;
  document.addEventListener("push-frame", (event) => {
    if (event.detail.type !== type || late !== undefined) return;
    late = false;
    setTimeout(() => (late = true), 350);
  });
  const ask = window.fetch;
  window.fetch = (what, ...more) => {
    const { pathname } = new URL(what.url ?? what, location.href);
    if (late !== undefined && pathname === path) done(!late);
    return ask(what, ...more);
  };
})"""


async def ringing(desk: Desk, path: str, width: int = 1200) -> Page:
    """A page of Olga's beside which her phone rings."""
    page = await desk.page(people.OLGA, path)
    await page.set_viewport_size({"width": width, "height": 800})
    await desk.ring("now", office.MARINA)
    await page.wait_for_selector("#live[data-state=ringing] #s-next")
    return page


async def test_lists_keep_their_buttons_and_the_card_its_history_beside_the_sheet(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await ringing(desk, "/")
    hidden = {}
    for path in ("/clients", "/callbacks", "/tasks", "/tasks?show=all", "/organisations"):
        await page.goto(desk.url + path)
        await page.wait_for_selector("#live[data-state=ringing]")
        hidden[path] = await page.evaluate(HIDDEN_ACTS)
    assert hidden == dict.fromkeys(hidden, 0)
    await page.goto(f"{desk.url}/clients/1")
    await page.wait_for_selector("#live[data-state=ringing]")
    assert await page.evaluate(WIDTH_OF, ".card-cols > :nth-child(2)") > 400


@pytest.mark.parametrize(("width", "sees"), [(1440, ["fate", "said", "c-rec", "note"]), (1200, ["fate", "said"])])
async def test_the_log_has_no_sideways_scrolling_and_the_note_is_seen_whole(
    desk: Desk, width: int, sees: list[str]
) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.VERA, "/calls")
    await page.set_viewport_size({"width": width, "height": 900})
    wide = "() => { const box = document.querySelector('main .scroll'); return box.scrollWidth - box.clientWidth; }"
    assert await page.evaluate(wide) == 0
    heads = page.locator("thead :is(.fate, .said, .c-rec, .note):visible")
    assert [str(await one.get_attribute("class")).split()[-1] for one in await heads.all()] == sees


async def test_nothing_in_the_sheet_moves_from_ringing_to_wrap_up_not_even_where_the_call_is_recorded(
    desk: Desk,
) -> None:
    running = desk.running
    await office.fill(running.writer)
    page = await ringing(desk, "/", width=1440)
    rows = [await page.evaluate(ROWS)]
    await desk.answer("101")
    await page.wait_for_selector("#live[data-state=talking] .pad")
    rows.append(await page.evaluate(ROWS))
    pbx = Office(running.database, running.writer, running.bus)  # type: ignore[arg-type]
    await pbx.add_recording("now", 0, "now.wav", state="writing", seconds=None)
    await page.wait_for_selector("[data-taping=recording]")
    rows.append(await page.evaluate(ROWS))
    await desk.end()
    await page.wait_for_selector("#live[data-state=wrapup] .pad")
    rows.append(await page.evaluate(ROWS))
    assert rows == [rows[0]] * 4


async def test_the_strip_asks_for_its_state_as_soon_as_it_is_told_that_it_changed(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    await desk.running.writer.do(lambda unit: shifts.start(unit, people.OLGA), name="shift")
    page = await ringing(desk, "/")
    await page.locator(".me[data-state=ringing]").wait_for()
    await desk.pause(0.5)
    at_once = asyncio.create_task(page.evaluate(AT_ONCE, ["operator.changed", "/shell/me"]))
    await desk.pause(0.1)
    await desk.answer("101")
    async with asyncio.timeout(20):
        assert await at_once
    await page.locator(".me[data-state=talking]").wait_for()


async def test_the_story_of_a_call_follows_its_end_at_once_and_whole(desk: Desk, tmp_path: Path) -> None:
    await office.fill(desk.running.writer, tmp_path / "sound")
    page = await ringing(desk, "/calls")
    await desk.answer("101")
    await page.wait_for_selector("#live[data-state=talking]")
    await page.goto(f"{desk.url}/calls/now")
    await page.wait_for_selector("html[data-push=open]")
    head = page.locator("#story .client-head .state")
    await head.filter(has_text="Talking").wait_for()
    await desk.pause(0.5)
    at_once = asyncio.create_task(page.evaluate(AT_ONCE, ["call.changed", "/calls/now"]))
    await desk.pause(0.1)
    await desk.end()
    async with asyncio.timeout(20):
        assert await at_once
    await head.wait_for(state="detached")
    assert "hung up" in await page.locator(".events").inner_text()
