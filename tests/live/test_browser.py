"""Calls really made on a real Asterisk, as the people concerned see them in a real browser."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from callcrm.accounts.policy import Actor, Line
from callcrm.calls.tables import Pop
from callcrm.clients import editing
from tests.browser import conftest as browsing
from tests.browser.conftest import chromium, chromium_process, shared  # noqa: F401 - fixtures
from tests.live.desk import Desk, opened_desk
from tests.pbx.instance import Instance
from tests.pbx.lab import Lab
from tests.pbx.leg import Leg
from tests.pbx.scenarios import ANNA, SALES, line_of, over, talk

pytestmark = pytest.mark.browser
#: Patience for what a busy machine does late, in seconds; what is awaited usually comes within a blink.
PATIENCE_S = 20
PATIENCE_MS = PATIENCE_S * 1000.0
#: Writes down whatever the live sheet shows, so that nothing is missed that stays for a moment only.
WATCH = """
const seen = (window.seen = []);
const look = () => {
  const live = document.querySelector("#live");
  if (!live) return;
  const now = `${live.dataset.state ?? "empty"}: ${live.innerText.replace(/\\s+/g, " ")}`;
  if (seen.at(-1) !== now) seen.push(now);
};
new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
"""
#: Fetches a recording as a player does, and tells how loud each channel of what the browser hears is.
LISTEN = """
async (address) => {
  const answer = await fetch(address, { headers: { Range: "bytes=0-" } });
  const heard = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(await answer.arrayBuffer());
  let peak = 0;
  for (let n = 0; n < heard.numberOfChannels; n++)
    for (const value of heard.getChannelData(n)) peak = Math.max(peak, Math.abs(value));
  return { status: answer.status, seconds: heard.duration, peak };
}
"""


@dataclass
class Screens:
    """The daemon on the PBX, and operators' browsers."""

    desk: Desk
    browser: browsing.Desk

    async def of(self, operator: str, path: str = "/") -> Page:
        """The browser of one operator, connected; what its live sheet shows is written down."""
        name = f"op{operator}"
        actor = Actor(self.desk.users[name], name, "operator", "", (Line("lab", operator),))
        context = await self.browser.context(actor)
        await context.add_init_script(WATCH)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(self.browser.url + path)
        await page.wait_for_selector("html[data-push=open]")
        return page

    async def popped(self, call_id: str) -> dict[int, str]:
        """Whose screens a call popped at, and how those pops stand."""
        rows = await self.desk.rows(select(Pop.user_id, Pop.state).where(Pop.call_id == call_id))
        return {row["user_id"]: row["state"] for row in rows}


@shared
async def screens(asterisk: Instance, chromium: Browser, tmp_path: Path) -> AsyncIterator[Screens]:  # noqa: F811
    async with opened_desk(asterisk, tmp_path) as desk:
        clerk = Actor(desk.users["op110"], "op110", "operator")
        card = {"name": "Anna Berg", "job": "Purchasing"}
        await desk.running.writer.do(
            lambda unit: editing.add_client(unit, clerk, card, [f"+{ANNA}"], country="RU"), name="card"
        )
        yield Screens(desk, browsing.Desk(desk.running, chromium))


@shared
async def lab(asterisk: Instance) -> AsyncIterator[Lab]:
    """Phones on the Asterisk, in the browser's loop."""
    async with Lab(asterisk) as opened:
        yield opened


async def shows(page: Page, state: str, *texts: str) -> None:
    """The live sheet is in this state, and says these things."""
    live = page.locator("#live")
    await expect(live).to_have_attribute("data-state", state, timeout=PATIENCE_MS)
    for text in texts:
        await expect(live).to_contain_text(text, timeout=PATIENCE_MS)


async def showed(page: Page, state: str, text: str) -> None:
    """The live sheet has said this in this state, now or before."""
    seen: list[str] = []
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        seen = await page.evaluate("seen")
        if any(one.startswith(f"{state}:") and text in one for one in seen):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{text!r} was never shown as {state}; what was: {seen}")


async def is_empty(page: Page) -> None:
    """No call is on the sheet."""
    await expect(page.locator("#live")).to_contain_text("No call", timeout=PATIENCE_MS)
    assert await page.locator("#live").get_attribute("data-state") is None


async def writes_a_note(page: Page, text: str) -> None:
    """Types as a person does, and waits until it is saved."""
    await page.locator("#note").press_sequentially(text)
    await expect(page.locator("#saved")).to_have_text("Saved", timeout=PATIENCE_MS)


async def test_a_call_to_the_queue_pops_at_all_and_stays_with_the_one_who_answers(screens: Screens, lab: Lab) -> None:
    phones = await lab.operators("101", "102", "103")
    first, second = await asyncio.gather(screens.of("101"), screens.of("102"))
    client = await lab.trunk.call(SALES, caller=ANNA)
    legs = [await phone.incoming() for phone in phones]
    for page in (first, second):
        await shows(page, "ringing", "Anna Berg", "Purchasing", "Sales")
    legs[0].answer()
    await shows(first, "talking", "Anna Berg", "On phone 101")
    await showed(second, "offline", "Answered by op101")
    await is_empty(second)
    await writes_a_note(first, "Wants forty chairs by Friday")
    await asyncio.sleep(0.5)  # so that there is something to hear
    client.hang_up()
    await over(*legs)
    await shows(first, "wrapup", "Anna Berg")
    await expect(first.locator("#note")).to_have_value("Wants forty chairs by Friday")
    await first.reload()
    await shows(first, "wrapup")
    await expect(first.locator("#note")).to_have_value("Wants forty chairs by Friday")
    (row,) = await screens.desk.calls(1)
    assert (row["direction"], row["outcome"], row["queue"], row["operator"]) == ("inbound", "answered", "sales", None)
    assert [one["operator"] for one in row["talks"]] == ["101"]
    users = screens.desk.users
    assert await screens.popped(row["id"]) == {
        users["op101"]: "wrapup",
        users["op102"]: "withdrawn",
        users["op103"]: "withdrawn",
    }
    await hears_the_call(screens, first, row["id"], legs[0])


async def hears_the_call(screens: Screens, page: Page, call_id: str, leg: Leg) -> None:
    """The log's row leads to the call's story: the note is there, and the recording plays."""
    (sound,) = await screens.desk.recordings(call_id, "present")
    await page.goto(f"{screens.browser.url}/calls")
    line = page.locator(f"#call-{call_id}")
    for text in ("Anna Berg", "op101", "Wants forty chairs"):
        await expect(line).to_contain_text(text)
    await line.get_by_role("link", name="Anna Berg").click()
    await expect(page.locator("#story")).to_contain_text("Wants forty chairs by Friday", timeout=PATIENCE_MS)
    audio = page.locator("#story audio")
    heard = await page.evaluate(LISTEN, await audio.get_attribute("src"))
    assert heard["status"] == 206
    assert heard["peak"] > 0.05
    assert heard["seconds"] == pytest.approx(sound["seconds"], abs=0.1)
    assert heard["seconds"] == pytest.approx(leg.talk_s, abs=1.5)  # a busy machine loses some sound
    await page.get_by_role("button", name="Play, pause").click()
    await page.wait_for_function("() => document.querySelector('#story audio').currentTime > 0.2")


async def test_a_client_who_is_sent_on_pops_at_the_next_desk_with_his_card(screens: Screens, lab: Lab) -> None:
    await lab.operators("101", "102")
    first, second = await asyncio.gather(screens.of("101"), screens.of("102"))
    client, one = await talk(lab, line_of("101"), "101", 0.5, ring=0)
    await shows(first, "talking", "Anna Berg")
    await writes_a_note(first, "Asks for the workshop")
    sent = asyncio.create_task(one.transfer("102"))
    two = await lab.phones["102"].incoming()
    await sent
    one.hang_up()
    await shows(second, "ringing", "Anna Berg", "Purchasing")
    await shows(first, "wrapup", "Anna Berg")
    two.answer()
    await shows(second, "talking", "Anna Berg", "On phone 102")
    client.hang_up()
    await over(two)
    await shows(second, "wrapup", "Anna Berg")
    await shows(first, "wrapup", "Anna Berg")
    await expect(first.locator("#note")).to_have_value("Asks for the workshop")
    (row,) = await screens.desk.calls(1)
    assert [(one["kind"], one["from"], one["to"]) for one in row["transfers"]] == [("blind", "101", "102")]
    assert [one["operator"] for one in row["talks"]] == ["101", "102"]


async def test_a_missed_call_is_called_back_by_a_click_and_its_callback_closes_itself(
    screens: Screens, lab: Lab
) -> None:
    (phone,) = await lab.operators("101")
    page = await screens.of("101", "/callbacks")
    client = await lab.trunk.call(line_of("101"), caller=ANNA)
    leg = await phone.incoming()
    await shows(page, "ringing", "Anna Berg")
    client.hang_up()
    await over(leg)
    await showed(page, "offline", "The caller gave up")
    line = page.get_by_role("row").filter(has_text="Anna Berg")
    await expect(line).to_contain_text("left", timeout=PATIENCE_MS)
    await line.get_by_role("button", name="Take").click()
    await line.get_by_role("button", name="Call Anna Berg").click()
    ours = await phone.incoming(PATIENCE_S)
    await expect(page.locator("#dialing")).to_contain_text("Lift your phone 101")
    ours.answer()
    theirs = await lab.trunk.incoming(PATIENCE_S)
    assert theirs.called == ANNA
    await expect(page.locator("#dialing")).to_contain_text("Calling the client", timeout=PATIENCE_MS)
    theirs.answer()
    await shows(page, "talking", "Anna Berg", "n phone 101")
    await expect(page.locator("#board")).to_contain_text(
        "Our call was answered: is talking now with", timeout=PATIENCE_MS
    )
    await expect(page.get_by_role("button", name="Call Anna Berg")).to_have_count(0)
    theirs.hang_up()
    await over(ours)
    await shows(page, "wrapup", "Anna Berg")
    missed, back = await screens.desk.calls(2)
    (task,) = await screens.desk.tasks(lambda rows: rows[0]["state"] == "done")
    assert (task["call_id"], task["closed_call_id"], task["closed_why"]) == (missed["id"], back["id"], "called_back")
    assert (back["direction"], back["operator"], back["click_to_call"]) == ("outbound", "101", True)
