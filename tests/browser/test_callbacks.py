"""The board of callbacks in a real browser: by keys alone, beside each other, watched by a supervisor; both themes."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import insert, select

from callcrm.kernel.unit import Unit
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.escalation import Escalation
from callcrm.tasks.tables import Task
from tests import people
from tests.browser.conftest import Desk
from tests.browser.looking import violations
from tests.calls import making
from tests.webui import office

pytestmark = pytest.mark.browser
NAMES = {"+79160000001": "first", "+79160000002": "second", "+79160000003": "third"}


async def owe(desk: Desk, number: str, due_min: float = 10, **more: Any) -> int:
    async def work(unit: Unit) -> int:
        row = {"kind": "callback", "state": "open", "queue": "sales", "called": "+74950000001", "owner_why": "queue"}
        row |= {"number": number, "attempts": 2, "created_at": unit.now - timedelta(minutes=20)}
        row |= {"due_at": unit.now + timedelta(minutes=due_min), **more}
        task_id = int((await unit.db.execute(insert(Task).returning(Task.id), row)).scalar_one())
        unit.fact("task.created", task=task_id, owner=None)
        return task_id

    return await desk.running.writer.do(work, name="owe")


async def task_of(desk: Desk, task_id: int) -> Any:
    async with desk.running.database.read() as db:
        return (await db.execute(select(*Task.__table__.columns).where(Task.id == task_id))).one()


def row(page: Page, task_id: int) -> Any:
    return page.locator(f"#callback-{task_id}")


async def test_a_callback_is_claimed_called_and_handed_over_by_keys_alone(desk: Desk) -> None:
    first, second = await owe(desk, "+79160000001", 5), await owe(desk, "+79160000002", 9)
    page = await desk.page(people.OLGA, "/callbacks")
    await page.keyboard.press("j")
    await page.keyboard.press("t")
    await expect(row(page, first).locator(".c-owner")).to_contain_text("You")
    await page.wait_for_selector("html[data-push=open]")
    await page.keyboard.press("c")
    await expect(page.locator("#dialing")).not_to_be_empty()
    await page.keyboard.press("h")
    await expect(page.locator("#dialog-hand_over")).to_be_visible()
    await page.keyboard.press("1")
    await expect(row(page, first).locator(".c-owner")).to_contain_text("Ruslan Tkach")
    assert (await task_of(desk, first)).owner_id == people.RUSLAN.user_id
    await page.keyboard.press("u")
    await expect(row(page, first).locator(".c-owner")).to_contain_text("You")
    assert (await task_of(desk, second)).owner_id is None


async def test_the_next_one_is_taken_by_enter_and_let_go_by_r(desk: Desk) -> None:
    await owe(desk, "+79160000002", 30)
    first = await owe(desk, "+79160000001", 5)
    page = await desk.page(people.OLGA, "/callbacks")
    await page.keyboard.press("Enter")
    await expect(row(page, first).locator(".c-owner")).to_contain_text("You")
    await page.keyboard.press("r")
    await expect(row(page, first).locator(".c-owner")).to_contain_text("Free")


async def test_who_takes_one_locks_it_before_the_eyes_of_the_others(desk: Desk) -> None:
    first = await owe(desk, "+79160000001")
    olga, vera = await desk.page(people.OLGA, "/callbacks"), await desk.page(people.VERA, "/callbacks")
    await expect(row(vera, first).locator(".c-owner")).to_contain_text("Free")
    await olga.keyboard.press("j")
    await olga.keyboard.press("t")
    await expect(row(vera, first).locator(".c-owner")).to_contain_text("Olga Bondar")
    ruslan = await desk.page(people.RUSLAN, "/callbacks")
    await expect(row(ruslan, first)).to_have_count(0)


async def test_one_is_put_off_and_one_is_dropped_with_a_reason_by_keys(desk: Desk) -> None:
    first, second = await owe(desk, "+79160000001", 5), await owe(desk, "+79160000002", 9)
    page = await desk.page(people.OLGA, "/callbacks")
    await page.keyboard.press("j")
    await page.keyboard.press("z")
    await page.keyboard.press("1")
    await page.keyboard.press("Enter")
    await expect(page.locator("#tell")).to_contain_text("1 callback put off")
    assert (await task_of(desk, first)).snooze_reason == "The client asked for a later time"
    await page.goto(f"{desk.url}/callbacks?show=asleep")
    await expect(row(page, first)).to_contain_text("The client asked for a later time")
    await page.goto(f"{desk.url}/callbacks")
    await page.keyboard.press("j")
    await page.keyboard.press("d")
    await page.keyboard.press("2")
    await page.keyboard.press("Enter")
    await expect(page.locator("#tell")).to_contain_text("1 callback dropped")
    gone = await task_of(desk, second)
    assert (gone.state, gone.closed_reason) == ("dropped", "Wrong number")


async def test_many_are_chosen_by_keys_handed_over_and_taken_back(desk: Desk) -> None:
    ids = [await owe(desk, number, n) for n, number in enumerate(NAMES, 5)]
    page = await desk.page(people.VERA, "/callbacks")
    for key in ("j", " ", "j", "j", " "):
        await page.keyboard.press(key)
    await expect(page.locator("#chosen-n")).to_have_text("2")
    await owe(desk, "+79160000009", 90)
    await expect(page.locator("[data-row]")).to_have_count(4)
    await expect(page.locator("[data-pick]:checked")).to_have_count(2)
    await page.keyboard.press("h")
    await page.keyboard.press("1")
    await expect(page.locator("#tell")).to_contain_text("2 callbacks handed over")
    owners = [(await task_of(desk, key)).owner_id for key in ids]
    assert owners[0] == owners[2] is not None and owners[1] is None
    await page.keyboard.press("u")
    await expect(page.locator("#tell")).to_contain_text("Undone for 2 callbacks")
    assert [(await task_of(desk, key)).owner_id for key in ids] == [None, None, None]
    await page.keyboard.press("*")
    await expect(page.locator("#chosen-n")).to_have_text("4")
    await page.keyboard.press("Escape")
    await expect(page.locator("#chosen")).to_be_hidden()


async def test_a_broken_promise_appears_at_the_supervisor_wherever_he_is(desk: Desk) -> None:
    late = await owe(desk, "+79160000001", -20)
    board, calls = await desk.page(people.VERA, "/callbacks"), await desk.page(people.VERA, "/calls")
    olga = await desk.page(people.OLGA, "/calls")
    await Escalation(desk.running.database, desk.running.writer, Rules(escalate_min=15)).run_once()
    await expect(calls.locator("#tell")).to_contain_text("Promise broken, nobody has called back")
    await expect(board.locator(".group").first).to_contain_text("Escalated")
    await expect(row(board, late)).to_contain_text("Escalated")
    await expect(olga.locator("#tell")).to_be_empty()
    await calls.goto(desk.url)
    await expect(calls.locator("#work .due li").first).to_contain_text("Escalated")


async def test_a_callback_closes_itself_while_it_is_watched(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA, "/callbacks")
    north = page.locator("[data-row]", has_text="Budi Santoso")
    await expect(north).to_have_count(1)
    one = making.call("again", office.ago(0.2), client=office.NORTH)
    ringing = making.rings(one, "102", after=3.0)
    await office.record(desk.running.writer, making.began(one), *ringing)
    await expect(north).to_contain_text("Calling us now")
    talking = making.answers(ringing[-1].call, "102", 5.0)
    await office.record(desk.running.writer, *talking)
    closed = page.locator("tr.is-closed", has_text="Budi Santoso")
    await expect(closed).to_contain_text("Is talking now with Ruslan Tkach, on Sales line.")
    await expect(north).to_have_count(0)
    await office.record(desk.running.writer, making.ends(talking[-1].call, 60.0))
    await page.reload()
    await expect(closed).to_contain_text("Ruslan Tkach answered after 0:05")


async def test_who_was_about_to_call_is_told_when_the_caller_rings_at_a_colleague(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    olga = await desk.page(people.OLGA, "/callbacks")
    north = olga.locator("[data-row]", has_text="Budi Santoso")
    await north.get_by_role("button", name="Take").click()
    await expect(olga.locator("[data-row]", has_text="Budi Santoso").locator(".c-owner")).to_contain_text("You")
    ruslan = await desk.page(people.RUSLAN)
    one = making.call("rings", office.ago(0.1), client=office.NORTH)
    ringing = making.rings(one, "102", after=3.0)
    await office.record(desk.running.writer, making.began(one), *ringing)
    await expect(olga.locator("#callers")).to_contain_text("Budi Santoso is calling: you were about to call back")
    await expect(ruslan.locator("#live")).to_contain_text("Olga Bondar was about to call back")
    await office.record(desk.running.writer, *making.answers(ringing[-1].call, "102", 6.0))
    await expect(olga.locator("#callers")).to_be_empty()


async def test_axe_finds_nothing_on_the_board_in_any_state(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    now = {"snoozed_until": None}
    await owe(desk, "+79160000001", -20, short_abandon=True, **now)
    await owe(desk, "+79160000002", 300, owner_id=people.RUSLAN.user_id, owner_why="claimed")
    late = await owe(desk, "+79160000003", -40)
    await Escalation(desk.running.database, desk.running.writer, Rules(escalate_min=15)).run_once()
    page = await desk.page(people.VERA, "/callbacks")
    complaints: dict[str, list[str]] = {"board": await violations(page)}
    await page.keyboard.press("j")
    await page.keyboard.press(" ")
    complaints["chosen"] = await violations(page)
    for key, dialog in (("h", "hand_over"), ("z", "snooze"), ("d", "close")):
        await page.keyboard.press(key)
        await page.wait_for_selector(f"#dialog-{dialog}[open]")
        complaints[dialog] = await violations(page)
        await page.keyboard.press("Escape")
    for path in ("?show=broken", "?show=asleep", "?show=closed", f"/{late}"):
        await page.goto(f"{desk.url}/callbacks{path}")
        complaints[path] = await violations(page)
    assert {state: found for state, found in complaints.items() if found} == {}


@pytest.mark.parametrize("width", [390, 1024, 1280])
async def test_the_board_fits_and_works_on_a_phone(desk: Desk, width: int) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.VERA, "/callbacks")
    await page.set_viewport_size({"width": width, "height": 844})
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await page.evaluate(wide)
    button = page.locator("[data-row]", has_text="Budi Santoso").get_by_role("button", name="Take")
    await button.scroll_into_view_if_needed()
    await button.click()
    await expect(page.locator("[data-row]", has_text="Budi Santoso").locator(".c-owner")).to_contain_text("You")
