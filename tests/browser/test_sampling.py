"""What to review next and why, and moments of calls that play in a row: driven in Chromium as people do."""

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from callcrm.custody.law_tables import Listening
from callcrm.kernel import clock
from callcrm.quality import sampler
from callcrm.quality.sampling_tables import CoachingSeen, SampledCall
from tests import people
from tests.browser.conftest import Desk
from tests.browser.looking import violations
from tests.quality.week import add_call
from tests.webui import office

pytestmark = pytest.mark.browser


def lately() -> datetime:
    """A moment of the running week."""
    now = clock.now()
    begin, _end = sampler.week(sampler.monday(now, ZoneInfo("UTC")), ZoneInfo("UTC"))
    return max(begin, now - timedelta(minutes=2))


async def add_calls(desk: Desk) -> None:
    """Three calls of Olga's and one of Ruslan's, each with sound; one of them with a complaint."""
    folder, writer = Path(desk.running.settings.pbx["office"].recordings), desk.running.writer
    for name, by in (("one", people.OLGA), ("two", people.OLGA), ("bad", people.OLGA), ("ruslans", people.RUSLAN)):
        at = lately()
        more = {"disposition": "Complaint" if name == "bad" else None, "client_number": None}
        await add_call(writer, name, at, by, state="", ended_at=at + timedelta(seconds=1), part_s=12.0, **more)
        await office.add_sound(writer, name, folder, office.sound_file(folder, f"{name}.wav", 6.0))


async def plan(page: Page, desk: Desk) -> None:
    """Vera says how much is reviewed; one number is refused first."""
    await expect(page.get_by_text("Nothing is planned yet")).to_be_visible()
    await page.get_by_role("link", name="Make a plan").click()
    await page.locator("#f-lots").fill("1")
    await page.locator("#f-least_s").fill("5")
    await page.locator("#f-long_hold").fill("0")
    await expect(page.get_by_role("checkbox", name="Complaint", exact=True).nth(1)).to_be_checked()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#f-long_hold-says")).to_have_text("from 1 to 3600")
    assert await violations(page) == []
    await page.locator("#f-long_hold").fill("60")
    await page.get_by_role("button", name="Save").click()
    await expect(page).to_have_url(f"{desk.url}/quality/next")


async def test_a_supervisor_plans_draws_sees_why_skips_and_takes(desk: Desk) -> None:
    await add_calls(desk)
    page = await desk.page(people.VERA, "/quality/next")
    await plan(page, desk)
    await expect(page.locator(".sampled-next .whys")).to_contain_text("Its disposition is “Complaint”")
    await page.get_by_role("button", name="Draw from the running week now").click()
    await expect(page.locator(".sampled-week tbody").first).to_contain_text("Ruslan Tkach")
    assert await violations(page) == []

    page.on("dialog", lambda dialog: pytest.fail("nothing asks in a dialog"))
    before = await page.locator(".sampled-facts").inner_text()
    await page.locator(".skip-call summary").click()
    await page.get_by_label("A private or test call").check()
    assert await violations(page) == []
    await page.get_by_role("button", name="Skip it").click()
    await expect(page.locator(".sampled-week")).to_contain_text("A private or test call")
    await page.locator("body").press("u")
    await expect(page.locator(".sampled-week")).not_to_contain_text("A private or test call")
    await expect(page.locator(".sampled-facts")).to_have_text(before)

    await page.get_by_role("link", name="the draw").first.click()
    await expect(page.get_by_text("Drawn again from the same seed just now")).to_be_visible()
    assert await violations(page) == []
    await page.go_back()
    await page.locator("body").press("t")
    await expect(page).to_have_url(re.compile(r"/calls/\w+\?score=new&operator=\d+"))
    async with desk.running.database.read() as db:
        taken = (await db.execute(select(SampledCall.call_id).where(SampledCall.taken_by == people.VERA.user_id))).all()
    assert [row.call_id for row in taken] == [page.url.split("/calls/")[1].split("?")[0]]
    adam = await desk.page(people.ADAM, "/quality/next")
    await expect(adam.locator(".sampled-week")).to_contain_text("Open at Vera Chief’s")


async def gather(page: Page, desk: Desk) -> None:
    """Vera makes a list of two moments and gives it to Ruslan."""
    await page.locator("#f-title").fill("Openings")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("heading", name="No moment yet")).to_be_visible()
    for call, begin, end, words in (
        ("one", "0:01", "0:02.2", "The greeting"),
        ("two", "0:03", "0:04.3", "The promise"),
    ):
        await page.goto(f"{desk.url}/calls/{call}")
        await page.get_by_role("link", name="To coaching").click()
        await expect(page).to_have_url(re.compile(rf"add\?call={call}&n=0&t=\d"))
        await page.locator("#f-from").fill("9:99x")
        await page.get_by_role("button", name="Add it").click()
        await expect(page.locator("#f-from-says")).to_contain_text("such as 1:23")
        assert await violations(page) == []
        await page.locator("#f-from").fill(begin)
        await page.locator("#f-to").fill(end)
        await page.locator("#f-words").fill(words)
        await page.get_by_role("button", name="Add it").click()
        await expect(page.locator(".moments")).to_contain_text(words)
    await page.get_by_label("Ruslan Tkach").check()
    await page.get_by_role("button", name="Give", exact=True).click()
    await expect(page.locator(".listeners")).to_contain_text("Ruslan Tkach")


async def heard_spans(desk: Desk) -> dict[str, list[list[float]]]:
    """The seconds of each call that Ruslan's player said he heard."""
    async with desk.running.database.read() as db:
        rows = await db.execute(select(Listening.call_id, Listening.spans, Listening.kind))
        return {row.call_id: row.spans for row in rows if row.spans and row.kind == "coaching"}


async def test_moments_are_gathered_given_and_played_in_a_row(desk: Desk) -> None:
    await add_calls(desk)
    ruslan = await desk.page(people.RUSLAN, "/quality/coaching")
    await expect(ruslan.get_by_role("heading", name="Nothing to hear")).to_be_visible()
    page = await desk.page(people.VERA, "/quality/coaching")
    await gather(page, desk)
    await expect(ruslan.locator("#tell")).to_have_text("For you to hear, under My quality: Openings")
    await expect(ruslan.locator("#places [href='/quality'] .count")).to_contain_text("2")
    assert await ruslan.evaluate("document.activeElement === document.body")
    assert await violations(page) == []
    await page.get_by_role("button", name="Move moment 2 up").click()
    await expect(page.locator(".moments > li").first).to_contain_text("The promise")
    await page.get_by_role("button", name="Take moment 2 out").click()
    await expect(page.locator(".moments > li")).to_have_count(1)
    await page.locator("body").press("u")
    await expect(page.locator(".moments > li")).to_have_count(2)

    await expect(ruslan.locator("tbody")).to_contain_text("0 of 2 heard")
    assert await violations(ruslan) == []
    await ruslan.get_by_role("link", name="Openings").click()
    await expect(ruslan.locator(".coach-words")).to_have_text("The promise")
    await expect(ruslan.locator(".moments")).to_contain_text("A colleague’s call")
    await expect(ruslan.locator(".moments")).not_to_contain_text("Olga")
    assert await violations(ruslan) == []
    await ruslan.locator("body").press("Space")
    await expect(ruslan.locator(".moments > li").nth(1)).to_have_attribute("data-now", "")
    await expect(ruslan.locator("[data-told]")).to_have_text("That was the last one.")
    await expect(ruslan.locator(".moments .state[data-state=kept]")).to_have_count(2)
    await ruslan.locator("body").press("p")
    await expect(ruslan.locator(".coach-words")).to_have_text("The promise")

    async with desk.running.database.read() as db:
        seen = (await db.execute(select(CoachingSeen.user_id))).scalars().all()
    assert seen == [people.RUSLAN.user_id] * 2
    async with asyncio.timeout(10):
        while len(heard := await heard_spans(desk)) < 2:
            await desk.pause()
    for call, (begin, end) in {"one": (1.0, 2.2), "two": (3.0, 4.3)}.items():
        spans = heard[call]
        assert begin <= spans[0][0] < begin + 0.6 and begin + 0.6 < spans[-1][1] <= end, heard
    refused = await ruslan.request.get(f"{desk.url}/calls/one/recordings/0")
    assert refused.status == 404
    await expect(page.locator(".listeners")).to_contain_text("Heard all")
