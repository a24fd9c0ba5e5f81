"""The shift in a real browser, on the simulated PBX: its start with the tests, pauses by keys, wrap-up, two tabs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, expect
from pydantic import SecretStr

from ami.simulator import DemoPbx
from callcrm import daemon
from callcrm.accounts import queries as accounts
from callcrm.accounts import service
from callcrm.accounts.policy import Line
from callcrm.shifts import service as shifts
from tests import people
from tests.ami.simulated import a_story
from tests.browser.conftest import Desk, shared
from tests.browser.looking import violations
from tests.webui.conftest import settings

pytestmark = pytest.mark.browser
SLOW_MS = 15_000.0


@dataclass
class Shift:
    """The service on a simulated PBX whose queues have Olga's and Ruslan's phones as members."""

    desk: Desk
    pbx: DemoPbx

    async def page(self, path: str = "/", **options: object) -> Page:
        """Olga's browser, with leave to send alerts."""
        page = await self.desk.page(people.OLGA, path, permissions=["notifications"], **options)
        page.set_default_timeout(SLOW_MS)
        return page

    async def begin(self) -> None:
        """Olga's shift goes on already."""
        await self.desk.running.writer.do(lambda unit: shifts.start(unit, people.OLGA), name="shift")

    def paused(self, extension: str = "101") -> list[tuple[str, bool, str]]:
        """What the PBX has: each place of a phone in a queue, whether it is paused, and why."""
        found = self.pbx.stage.state.members_of(extension)
        return sorted((queue.name, member.paused, member.reason) for queue, member in found)

    async def until(self, *expected: tuple[str, bool, str]) -> None:
        """Until the PBX has it so."""
        async with asyncio.timeout(SLOW_MS / 1000):
            while self.paused() != list(expected):
                await asyncio.sleep(0.05)

    def at_the_phone(self, queue: str, interface: str, *, paused: bool, reason: str = "") -> None:
        """As by a feature code that is dialled at the phone."""
        self.pbx.change_member(queue, interface, "Pause", {"Paused": str(int(paused)), "PausedReason": reason})


@shared
async def shift(chromium: Browser, sqlite_url: str) -> AsyncIterator[Shift]:
    pbx = DemoPbx(a_story())
    await pbx.start()
    basic = settings()
    there = {"port": pbx.port, "secret": SecretStr("callcrm-secret"), "operators": r"PJSIP/1\d\d"}
    queue = basic.queues["sales"].model_copy(update={"wrap_up": "timed", "wrap_up_s": 4.0})
    given = basic.model_copy(
        update={
            "database": basic.database.model_copy(update={"url": sqlite_url}),
            "web": basic.web.model_copy(update={"port": 0}),
            "push": basic.push.model_copy(update={"port": 0}),
            "pbx": {"office": basic.pbx["office"].model_copy(update=there)},
            "queues": {"sales": queue},
        }
    )
    async with daemon.opened(given, "all") as running:
        await people.hire(running.writer)
        for actor in (people.OLGA, people.RUSLAN):
            await running.writer.do(
                lambda unit, a=actor: service.set_phones(unit, a.user_id, a.extensions), name="phones"
            )
        desk = Desk(running, chromium)
        yield Shift(desk, pbx)
        assert desk.complaints == [], "the browser's console complained"
    await pbx.stop()


async def says(page: Page, state: str) -> None:
    """The strip says this state."""
    await expect(page.locator(".me b")).to_have_text(state, timeout=SLOW_MS)


async def test_the_shift_begins_with_tests_of_everything_and_at_a_phone(shift: Shift) -> None:
    page = await shift.page()
    await says(page, "Not on shift")
    await page.keyboard.press("p")
    await page.keyboard.press("Enter")
    box = page.locator("dialog#shift")
    await expect(box).to_be_visible()
    for what in ("sound", "alerts", "server"):
        await expect(box.locator(f"[data-check={what}]")).to_have_attribute("data-state", "ok")
    await expect(box.locator(".checks")).to_contain_text("Two tones were just played")
    await expect(box.locator(".checks")).to_contain_text("PBX office")
    await expect(box.get_by_role("radio").first).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(box).to_be_hidden()
    await says(page, "Available")
    await expect(page.locator("#live")).to_contain_text("You are available on phone 101")
    await page.reload()
    await says(page, "Available")


async def test_a_phone_where_somebody_works_is_told_in_words_and_a_free_one_taken(shift: Shift) -> None:
    await shift.desk.running.writer.do(lambda unit: shifts.start(unit, people.RUSLAN), name="shift")
    page = await shift.page()
    await page.locator(".me").click()
    await page.get_by_role("button", name="Start the shift").first.click()
    other = page.get_by_label("Extension of the other phone")
    await other.fill("102")
    await page.keyboard.press("Enter")
    await expect(page.locator("#shift .says-bad")).to_contain_text("Ruslan Tkach works at phone 102 now")
    await expect(other).to_be_focused()
    await expect(other).to_have_value("102")
    await other.fill("trunk")
    await page.keyboard.press("Enter")
    await expect(page.locator("#shift .says-bad")).to_contain_text("no operator’s phone of PBX office")
    await other.fill("106")
    await page.keyboard.press("Enter")
    await says(page, "Available")
    async with shift.desk.running.database.read() as db:
        assert (await accounts.phones(db))[Line("office", "106")] == people.OLGA.user_id
    await page.locator(".me").click()
    await page.get_by_role("button", name="End the shift").click()
    await says(page, "Not on shift")
    async with shift.desk.running.database.read() as db:
        assert Line("office", "106") not in await accounts.phones(db)


async def test_a_pause_by_keys_pauses_the_pbx_and_is_the_same_in_two_tabs_and_after_a_reload(shift: Shift) -> None:
    await shift.begin()
    page = await shift.page()
    second = await page.context.new_page()
    await second.goto(shift.desk.url)
    await shift.until(("sales", False, ""), ("support", False, ""))
    await page.bring_to_front()
    await page.keyboard.press("p")
    await page.keyboard.press("2")
    await says(page, "Paused: Lunch")
    await shift.until(("sales", True, "Lunch"), ("support", True, "Lunch"))
    await says(second, "Paused: Lunch")
    await expect(page.locator(".me .of")).to_have_text("/ 45:00")
    await page.reload()
    await says(page, "Paused: Lunch")
    await expect(page.locator(".me-pbx")).to_have_count(0)
    await page.keyboard.press("p")
    await page.keyboard.press("0")
    await says(page, "Available")
    await says(second, "Available")
    await shift.until(("sales", False, ""), ("support", False, ""))


async def test_what_the_pbx_has_otherwise_is_told_and_mended(shift: Shift) -> None:
    await shift.begin()
    page = await shift.page()
    await page.keyboard.press("p")
    await page.keyboard.press("1")
    await shift.until(("sales", True, "Break"), ("support", True, "Break"))
    shift.at_the_phone("sales", "PJSIP/101", paused=False)
    await expect(page.locator(".me-pbx")).to_have_text("PBX: not paused", timeout=SLOW_MS)
    await page.keyboard.press("p")
    await expect(page.locator(".menu-says")).to_contain_text("The PBX still gives you calls of Sales.")
    await page.get_by_role("button", name="Ask the PBX again").click()
    await shift.until(("sales", True, "Break"), ("support", True, "Break"))
    await expect(page.locator(".me-pbx")).to_have_count(0, timeout=SLOW_MS)


async def test_a_pause_that_was_taken_at_the_phone_is_shown_and_ended_here(shift: Shift) -> None:
    await shift.begin()
    page = await shift.page()
    await says(page, "Available")
    shift.at_the_phone("sales", "PJSIP/101", paused=True, reason="*45")
    shift.at_the_phone("support", "Local/101@from-queue/n", paused=True, reason="*45")
    await says(page, "Paused: *45")
    await expect(page.locator(".me-pbx")).to_have_text("at the phone")
    await page.keyboard.press("p")
    await page.keyboard.press("0")
    await says(page, "Available")
    await shift.until(("sales", False, ""), ("support", False, ""))


async def test_a_timed_wrap_up_is_shown_with_its_length_and_ends_by_itself(shift: Shift) -> None:
    await shift.begin()
    page = await shift.page()
    await says(page, "Available")
    call = asyncio.create_task(shift.pbx.play("queue_answered", operators=("101", "102", "103"), speed=0.5))
    await says(page, "On call")
    await says(page, "Wrap-up")
    await expect(page.locator(".me .of")).to_have_text("/ 0:04")
    await says(page, "Available")
    await expect(page.locator("#live")).to_have_attribute("data-state", "wrapup")
    await call


async def test_axe_finds_nothing_on_the_start_the_menu_and_the_states(shift: Shift) -> None:
    page = await shift.page()
    complaints: dict[str, list[str]] = {}
    await page.locator(".me").click()
    await page.get_by_role("button", name="Start the shift").first.click()
    await expect(page.locator("#shift [data-check=server]")).to_have_attribute("data-state", "ok")
    complaints["start"] = await violations(page)
    await page.get_by_label("Extension of the other phone").fill("trunk")
    await page.keyboard.press("Enter")
    await expect(page.locator("#shift .says-bad")).to_be_visible()
    complaints["refused"] = await violations(page)
    await page.get_by_role("radio").first.check()
    await page.get_by_role("button", name="Start", exact=True).click()
    await says(page, "Available")
    await page.keyboard.press("p")
    complaints["menu"] = await violations(page)
    await page.keyboard.press("1")
    await says(page, "Paused: Break")
    await shift.until(("sales", True, "Break"), ("support", True, "Break"))
    shift.at_the_phone("sales", "PJSIP/101", paused=False)
    await expect(page.locator(".me-pbx")).to_be_visible(timeout=SLOW_MS)
    await page.keyboard.press("p")
    complaints["differs"] = await violations(page)
    assert {state: found for state, found in complaints.items() if found} == {}
