"""A card number is said while F7 keeps it out of the recording; what is heard of a call is noted; pages of the law."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page
from sqlalchemy import insert, select

from callcrm.calls.tables import CallRow
from callcrm.custody import listening, pausing
from callcrm.custody.law_tables import RecordingGap
from callcrm.kernel.writer import Unit
from tests import people
from tests.browser.conftest import Desk
from tests.browser.looking import violations
from tests.custody.conftest import Office
from tests.webui import office

pytestmark = pytest.mark.browser
#: Plays, and is done when so many seconds were heard.
PLAYS = """seconds => new Promise((done) => {
  const audio = document.querySelector("audio");
  audio.addEventListener("timeupdate", () => audio.currentTime > seconds && done());
  void audio.play();
})"""


async def test_a_paused_recording_counts_down_and_f7_lets_it_go_on_while_a_note_is_typed(desk: Desk) -> None:
    running = desk.running
    pbx = Office(running.database, running.writer, running.bus)  # type: ignore[arg-type]
    await office.fill(running.writer)
    page = await desk.page(people.OLGA)
    await desk.ring("now", office.MARINA)
    await page.wait_for_selector("#live[data-state=ringing]")
    await desk.answer("101")
    await page.wait_for_selector("#live[data-state=talking]")
    await pbx.add_recording("now", 0, "now.wav", state="writing", seconds=None)
    await running.writer.do(_paused, name="gap")
    await page.wait_for_selector("[data-taping=paused] [data-until]")
    assert await violations(page) == []
    note = page.locator("#note-now textarea:visible")
    await note.focus()
    await page.keyboard.type("Pays by card")
    await page.keyboard.press("F7")
    # This office's PBX is a port where nobody answers: that the recording does not go on is told.
    await page.wait_for_selector("[data-taping] [role=alert]")
    assert "does not go on yet" in await page.locator("[data-taping] [role=alert]").inner_text()
    assert await note.input_value() == "Pays by card"
    assert await violations(page) == []


async def _paused(unit: Unit) -> None:
    """The recording of the call is paused for a minute."""
    began = await unit.db.scalar(select(CallRow.began).where(CallRow.id == "now"))
    channels = await pausing.living(unit.db, "now")
    row = {"at": unit.now, "id": "0" * 32, "began": began, "call_id": "now", "pbx": "office", "state": "open"}
    row |= {"channels": channels, "pausing": [], "resuming": [], "wanted_by": people.OLGA.user_id}
    row |= {"begins_at": unit.now, "resume_at": unit.now + timedelta(minutes=1)}
    await unit.db.execute(insert(RecordingGap), row)
    unit.fact("call.changed", call="now")


async def test_seconds_that_were_heard_stand_under_the_call_and_a_rule_is_previewed(desk: Desk, tmp_path: Path) -> None:
    await office.fill(desk.running.writer, Path(desk.running.settings.pbx["office"].recordings))
    page = await desk.page(people.ADAM, "/calls/talked")
    await page.wait_for_selector("#custody h2")
    assert await violations(page) == []
    await _plays(page, 1.5)
    async with desk.running.database.read() as db:
        (heard,) = await listening.of_call(db, "talked")
    assert heard.spans[0][0] < 0.5 and 1.0 < heard.heard_s < 12.0
    await page.goto(f"{desk.url}/accounts/retention/new")
    await page.locator("#f-name").fill("Everything")
    await page.get_by_role("button", name="Look what it would delete").click()
    await page.get_by_role("button", name="Switch on").wait_for()
    assert await violations(page) == []
    await page.goto(f"{desk.url}/accounts/holds")
    await page.locator("#f-which").fill("+79161234567")
    await page.locator("#f-reason").fill("Court case 12")
    await page.get_by_role("button", name="Place the hold").click()
    await page.get_by_role("button", name="Lift").wait_for()
    assert await violations(page) == []
    await page.goto(f"{desk.url}/clients/1/person")
    await page.locator("#f-reason").fill("Request of 3 May")
    await page.get_by_role("button", name="Pack").click()
    await page.get_by_role("link", name="person-1-").wait_for()
    assert await violations(page) == []


async def _plays(page: Page, seconds: float) -> None:
    """Play so many seconds, and wait until the service was told."""
    await page.evaluate(PLAYS, seconds)
    async with page.expect_response(lambda answer: answer.url.endswith("/heard")) as told:
        await page.evaluate("document.querySelector('audio').pause()")
    assert (await told.value).status == 204
