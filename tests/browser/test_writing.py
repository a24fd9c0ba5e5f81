"""Notes and what came of a call in real browsers: two writers, no network, a crash, and four keys for a whole call."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from callcrm import daemon
from callcrm.accounts import service
from callcrm.calls.tables import CallNote, CallRow
from callcrm.dispositions import DispositionSettings
from callcrm.tasks.tables import Task
from tests import people
from tests.browser.conftest import Desk, shared
from tests.browser.looking import violations
from tests.browser.test_pops import known, shows
from tests.webui import office
from tests.webui.conftest import settings

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def forgiving(request: pytest.FixtureRequest) -> Iterator[None]:
    """A page without a network says so on its console; nothing else is forgiven."""
    # Asked for first, so that the desk outlives this fixture and is judged after it.
    heard: Desk | None = request.getfixturevalue("desk") if "desk" in request.fixturenames else None
    yield
    if heard is not None:
        heard.complaints[:] = [one for one in heard.complaints if "Failed to fetch" not in one]


async def talks(desk: Desk, *pages: Page) -> None:
    """A client talks with Olga."""
    await desk.ring("one", office.MARINA)
    await desk.answer("101")
    for page in pages:
        await shows(page, "talking", "one")


async def stored(desk: Desk, user: int = people.OLGA.user_id) -> str | None:
    async with desk.running.database.read() as db:
        return await db.scalar(select(CallNote.text).where(CallNote.call_id == "one", CallNote.user_id == user))


async def becomes(desk: Desk, *parts: str) -> str:
    """The stored note, as soon as it has all of these."""
    text = ""
    for _ in range(200):
        text = await stored(desk) or ""
        if all(part in text for part in parts):
            return text
        await desk.pause()
    return text


async def test_two_browsers_of_one_person_write_one_note(desk: Desk) -> None:
    first, second = await desk.page(people.OLGA), await desk.page(people.OLGA)
    await talks(desk, first, second)
    await first.locator("#note").press_sequentially("Wants forty chairs.")
    await expect(second.locator("#note")).to_have_value("Wants forty chairs.")
    for page in (first, second):
        await page.context.set_offline(True)
    await first.locator("#note").press_sequentially(" Blue.")
    await second.locator("#note").press("Control+End")
    await second.locator("#note").press_sequentially("\nBy Friday.")
    for page in (first, second):
        await page.context.set_offline(False)
    both = "Wants forty chairs. Blue.\nBy Friday."
    assert await becomes(desk, "Blue", "Friday") == both
    for page in (first, second):
        await expect(page.locator("#note")).to_have_value(both)


async def test_two_people_on_one_call_see_what_the_other_writes(desk: Desk) -> None:
    olga, ruslan = await desk.page(people.OLGA), await desk.page(people.RUSLAN)
    await desk.ring("one", office.MARINA)
    await shows(olga, "ringing", "one")
    await shows(ruslan, "ringing", "one")
    await ruslan.locator("#note").press_sequentially("<b>Called</b> yesterday, too")
    seen = olga.locator("[data-colleagues]")
    await expect(seen).to_contain_text("Ruslan Tkach <b>Called</b> yesterday, too")
    await olga.locator("#note").press_sequentially("Mine")
    await expect(ruslan.locator("[data-colleagues]")).to_contain_text("Olga Bondar Mine")
    await expect(ruslan.locator("#note")).to_have_value("<b>Called</b> yesterday, too")
    await olga.keyboard.press("Alt+4")
    await expect(ruslan.locator("#live [value=Order]")).to_be_checked()
    await expect(ruslan.locator("[data-said-by]")).to_have_text("Olga Bondar chose this.")
    assert await violations(ruslan) == []


async def test_what_is_typed_without_a_network_is_kept_and_sent_later(desk: Desk) -> None:
    page = await desk.page(people.OLGA)
    await talks(desk, page)
    await page.context.set_offline(True)
    await page.locator("#note").press_sequentially("Wants two")
    await page.keyboard.press("Alt+4")
    await expect(page.locator("#saved")).to_contain_text("kept here")
    await page.context.set_offline(False)
    assert await becomes(desk, "Wants two") == "Wants two"
    await expect(page.locator("#saved")).to_have_text("Saved")
    async with desk.running.database.read() as db:
        assert await db.scalar(select(CallRow.disposition).where(CallRow.id == "one")) == "Order"


async def test_a_browser_that_dies_without_a_network_loses_no_letter(desk: Desk) -> None:
    page = await desk.page(people.OLGA)
    context: BrowserContext = page.context
    await talks(desk, page)
    await context.set_offline(True)
    await page.locator("#note").press_sequentially("The last words")
    await page.close()
    await context.set_offline(False)
    assert await stored(desk) is None
    again = await context.new_page()
    await again.goto(desk.url + "/clients")
    assert await becomes(desk, "The last words") == "The last words"


@shared
async def strict(chromium: Browser, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """An office whose sales queue demands a disposition, with words in groups."""
    words = ["Resolved", {"group": "Sale", "words": ["Order", {"word": "Quote", "next": "task"}]}]
    words.append({"word": "Call again", "next": "callback"})
    basic = settings()
    given = basic.model_copy(
        update={
            "database": basic.database.model_copy(update={"url": sqlite_url}),
            "web": basic.web.model_copy(update={"port": 0}),
            "push": basic.push.model_copy(update={"port": 0}),
            "dispositions": DispositionSettings.model_validate({"default": words, "required": ["sales"]}),
        }
    )
    async with daemon.opened(given, "all") as running:
        await people.hire(running.writer)
        for actor in (people.OLGA, people.RUSLAN):
            await running.writer.do(
                lambda unit, a=actor: service.set_phones(unit, a.user_id, a.extensions), name="phones"
            )
        yield Desk(running, chromium)


async def chosen(desk: Desk) -> str | None:
    async with desk.running.database.read() as db:
        return await db.scalar(select(CallRow.disposition).where(CallRow.id == "one"))


async def test_a_whole_call_takes_four_keys_and_no_mouse(desk: Desk) -> None:
    """Beside the note's text: N, the disposition from within the note, ready; the receiver is lifted by hand."""
    await known(desk)
    page = await desk.page(people.OLGA)
    await talks(desk, page)
    await page.keyboard.press("n")
    await page.keyboard.type("Asks when it comes, call 3 times")
    await page.keyboard.press("Alt+2")
    await desk.end()
    await shows(page, "wrapup", "one")
    await expect(page.locator("#note")).to_be_focused()
    await expect(page.locator("#live [name=next][value=callback]")).to_be_checked()
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#live")).to_contain_text("No call")
    assert (await stored(desk), await chosen(desk)) == ("Asks when it comes, call 3 times", "Call again")
    async with desk.running.database.read() as db:
        tasks = (await db.execute(select(Task.kind, Task.call_id, Task.due_at))).all()
    assert [(task.kind, task.call_id, task.due_at is not None) for task in tasks] == [("callback", "one", True)]
    focused = "document.activeElement.closest('#work, #main') !== null"
    await page.wait_for_function(focused)


async def test_a_demanded_disposition_is_asked_for_found_by_typing_and_in_a_group(strict: Desk) -> None:
    page = await strict.page(people.OLGA)
    await talks(strict, page)
    await strict.end()
    await shows(page, "wrapup", "one")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#tell")).to_contain_text("this queue asks for it")
    await expect(page.locator("#find-word")).to_be_focused()
    await page.keyboard.type("quo")
    await expect(page.locator("#words label:visible")).to_have_count(1)
    assert await violations(page) == []
    await page.keyboard.press("Enter")
    await expect(page.locator("#words .word-group.is-chosen")).to_contain_text("Sale: Quote")
    await page.keyboard.press("2")
    await expect(page.locator("#words label:visible")).to_have_count(2)
    assert await violations(page) == []
    await page.keyboard.press("1")
    await expect(page.locator("#words .word-group.is-chosen")).to_contain_text("Sale: Order")
    await page.keyboard.press("b")
    await page.keyboard.press("b")
    when = await page.locator("#live [data-time][aria-pressed=true]").get_attribute("data-time")
    assert when == await page.locator("#live [data-time]").nth(1).get_attribute("data-time")
    assert await violations(page) == []
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#live")).to_contain_text("No call")
    assert await chosen(strict) == "Order"
