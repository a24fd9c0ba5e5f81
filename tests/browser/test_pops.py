"""Pops in a real browser: when they open, who it is, several calls, two tabs, transfers, a reload in every state."""

from dataclasses import replace

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from callcrm.accounts import service
from callcrm.calls.call import Change
from callcrm.calls.tables import CallRow, Pop
from callcrm.push.pop import pop_id
from tests import people
from tests.browser.conftest import Desk
from tests.browser.looking import violations
from tests.calls import making
from tests.webui import office

pytestmark = pytest.mark.browser


async def known(desk: Desk) -> dict[str, int]:
    """The office's clients, without its history."""
    return await desk.running.writer.do(office.add_clients, name="clients")


async def prefers(desk: Desk, policy: str) -> None:
    """Olga says when a call opens."""
    olga = people.OLGA.user_id
    await desk.running.writer.do(lambda unit: service.change_user(unit, olga, pop=policy), name="policy")


async def shows(page: Page, state: str, call: str | None = None) -> None:
    """The sheet is in this state, whole."""
    await expect(page.locator("#live")).to_have_attribute("data-state", state)
    await expect(page.locator("#live #note")).to_be_visible()
    if call is not None:
        await expect(page.locator("#live")).to_have_attribute("data-call", call)


async def client_of(desk: Desk, call: str) -> int | None:
    async with desk.running.database.read() as db:
        return await db.scalar(select(CallRow.client_id).where(CallRow.id == call))


async def test_a_call_waits_in_the_strip_until_its_key_is_pressed(desk: Desk) -> None:
    await known(desk)
    await prefers(desk, "hand")
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    chip = page.locator("#chips [data-chip]")
    await expect(chip).to_contain_text("Ringing Марина Коваленко Sales line")
    await expect(page.locator("#live")).to_contain_text("No call")
    assert await violations(page) == []
    await desk.answer("101")
    await expect(chip).to_contain_text("Talking")
    await page.reload()
    await expect(chip).to_contain_text("Talking Марина Коваленко")
    await page.keyboard.press("v")
    await shows(page, "talking", "one")
    await expect(chip).to_have_count(0)
    await page.wait_for_timeout(600)  # until it is written that he opened it
    await page.reload()
    await shows(page, "talking", "one")


async def test_a_call_opens_itself_when_it_is_answered(desk: Desk) -> None:
    await known(desk)
    await prefers(desk, "answered")
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await expect(page.locator("#chips [data-chip]")).to_contain_text("Ringing")
    await expect(page.locator("#live")).to_contain_text("No call")
    await desk.answer("101")
    await shows(page, "talking", "one")
    await expect(page.locator("#chips [data-chip]")).to_have_count(0)


async def test_a_chip_says_who_answered_and_goes(desk: Desk) -> None:
    await prefers(desk, "hand")
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await desk.answer("102")
    await expect(page.locator("#chips")).to_contain_text("Answered by Ruslan Tkach")
    await expect(page.locator("#chips [data-chip]")).to_have_count(0)


async def test_not_him_is_mended_by_keys_alone(desk: Desk) -> None:
    clients = await known(desk)
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await shows(page, "ringing")
    await page.keyboard.press("x")
    await page.keyboard.type("santoso")
    await expect(page.locator("#else-found [role=option]").first).to_contain_text("Budi Santoso")
    assert await violations(page) == []
    await page.keyboard.press("Enter")
    await expect(page.locator("#live .who")).to_have_text("Budi Santoso")
    await expect(page.locator("#live .match")).to_contain_text("chosen by a person")
    assert await client_of(desk, "one") == clients["north"]
    await page.keyboard.press("x")
    await page.keyboard.type("Ann Lee")
    await expect(page.locator("#else-found [data-new]")).to_contain_text("Ann Lee")
    await page.keyboard.press("Alt+0")
    await expect(page.locator("#live .who")).to_have_text("Ann Lee")


async def test_one_of_three_who_share_a_number_is_chosen_by_a_key(desk: Desk) -> None:
    clients = await known(desk)
    page = await desk.page(people.OLGA)
    await desk.ring("shared", office.SHARED)
    await expect(page.locator("#live .choose [data-client]").first).to_be_visible()
    wanted = page.locator("#live .choose [data-client]", has_text="Oxana Lys")
    digit = (await wanted.locator("kbd").inner_text()).split()[-1]
    await page.keyboard.press(f"Alt+{digit}")
    await expect(page.locator("#live .who")).to_have_text("Oxana Lys")
    assert await client_of(desk, "shared") == clients["oxana"]


async def transferred(desk: Desk) -> None:
    """Olga hands the client on to Ruslan."""
    assert desk.call is not None
    one, at = desk.call, (desk.call.at or 0) + 12
    gone = replace(one, talking=(), state="ringing")
    rings = making.rings(gone, "102", after=13.0)
    desk.call = rings[-1].call
    await office.record(desk.running.writer, Change("call.left", gone, at, "101"), *rings)


async def test_a_transfer_hands_the_pop_on(desk: Desk) -> None:
    await known(desk)
    first, second = await desk.page(people.OLGA), await desk.page(people.RUSLAN)
    await desk.ring("one", office.MARINA)
    await desk.answer("101")
    await shows(first, "talking", "one")
    await expect(second.locator("#live")).to_contain_text("No call")
    await first.locator("#note").fill("Asks for the workshop")
    await transferred(desk)
    await shows(second, "ringing", "one")
    await shows(first, "wrapup", "one")
    await expect(second.locator("#live .who")).to_have_text("Марина Коваленко")
    await expect(second.locator("[data-colleagues]")).to_contain_text("Olga Bondar Asks for the workshop")
    await desk.answer("102")
    await shows(second, "talking", "one")
    await shows(first, "wrapup", "one")
    await desk.end()
    await shows(second, "wrapup", "one")


async def test_two_calls_stand_in_a_stack_and_a_key_goes_from_one_to_the_other(desk: Desk) -> None:
    await known(desk)
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await desk.answer("101")
    await shows(page, "talking", "one")
    await page.locator("#note").press_sequentially("of the first")
    await desk.ring("two", office.NORTH)
    stacked = page.locator("#live button.stacked")
    await expect(stacked).to_contain_text("RingingBudi Santoso")
    await expect(page.locator("#note")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("v")
    await shows(page, "ringing", "two")
    await expect(page.locator("#note")).to_have_value("")
    await expect(stacked).to_contain_text("TalkingМарина Коваленко")
    await page.keyboard.press("Shift+V")
    await shows(page, "talking", "one")
    await expect(page.locator("#note")).to_have_value("of the first")


async def test_a_reload_brings_the_call_back_in_every_state(desk: Desk) -> None:
    await known(desk)
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await shows(page, "ringing", "one")
    await page.keyboard.press("n")
    await page.keyboard.type("before, ")
    await page.reload()
    await shows(page, "ringing", "one")
    await expect(page.locator("#note")).to_have_value("before, ")
    await desk.answer("101")
    await shows(page, "talking", "one")
    await page.keyboard.press("n")
    await page.keyboard.type("during, ")
    await page.reload()
    await shows(page, "talking", "one")
    await expect(page.locator("#note")).to_have_value("before, during, ")
    await desk.end()
    await shows(page, "wrapup", "one")
    await page.keyboard.press("n")
    await page.keyboard.type("after")
    await page.reload()
    await shows(page, "wrapup", "one")
    await expect(page.locator("#note")).to_have_value("before, during, after")


async def test_a_pop_that_a_tab_opens_by_hand_is_open_in_the_other(desk: Desk) -> None:
    await known(desk)
    await prefers(desk, "hand")
    context = await desk.context(people.OLGA)
    first, second = await context.new_page(), await context.new_page()
    for page in (first, second):
        await page.goto(desk.url)
        await page.wait_for_selector("html[data-push=open]")
    await desk.ring("one", office.MARINA)
    for page in (first, second):
        await expect(page.locator("#chips [data-chip]")).to_have_count(1)
    await second.keyboard.press("v")
    for page in (first, second):
        await shows(page, "ringing", "one")
        await expect(page.locator("#chips [data-chip]")).to_have_count(0)


async def test_each_pop_keeps_when_it_was_sent_painted_and_opened(desk: Desk) -> None:
    await prefers(desk, "hand")
    page = await desk.page(people.OLGA)
    await page.evaluate("window.seen = []")
    await page.evaluate("document.addEventListener('pop-painted', (event) => window.seen.push(event.detail))")
    await desk.ring("one", office.MARINA)
    await expect(page.locator("#chips [data-chip]")).to_have_count(1)
    await page.keyboard.press("v")
    await shows(page, "ringing", "one")
    key = pop_id("one", people.OLGA.user_id)
    for _ in range(100):
        await page.wait_for_timeout(100)
        async with desk.running.database.read() as db:
            row = (await db.execute(select(Pop.sent_at, Pop.painted_at, Pop.opened_at).where(Pop.id == key))).one()
        if all(row):
            break
    assert row.sent_at <= row.painted_at <= row.opened_at
    assert key in {one["pop"] for one in await page.evaluate("window.seen")}
