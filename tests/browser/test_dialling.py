"""Click to call and the pads of a live call in a real Chromium, by keys alone, on the simulated PBX."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from pydantic import SecretStr
from sqlalchemy import select

from ami.simulator import DemoPbx, Story
from callcrm import daemon
from callcrm.accounts import service
from callcrm.calls.tables import CallRow
from callcrm.clients import editing
from callcrm.kernel.tables import Audit, Command, LinkState
from callcrm.settings import Settings
from tests import people
from tests.browser.conftest import Desk, shared
from tests.browser.looking import violations
from tests.webui.conftest import settings

pytestmark = pytest.mark.browser
CLIENT = "+79161234567"


@dataclass
class Office(Desk):
    """The desk with a PBX that plays."""

    pbx: DemoPbx | None = None

    async def commands(self) -> list[tuple[str, str]]:
        """What was asked of the PBX, in order."""
        async with self.running.database.read() as db:
            asked = await db.execute(select(Command.kind, Command.state).order_by(Command.wanted_at))
            return [(row.kind, row.state) for row in asked]

    async def card(self, **more: object) -> None:
        """A client with a number."""
        typed = {"name": "Anna Berg", **more}
        await self.running.writer.do(
            lambda unit: editing.add_client(unit, people.OLGA, typed, [CLIENT], country="RU"), name="card"
        )


def given(url: str, port: int) -> Settings:
    """The office's settings with the simulated PBX, and any free ports."""
    basic = settings()
    pbx = basic.pbx["office"].model_copy(
        update={"port": port, "secret": SecretStr("callcrm-secret"), "dial_context": "internal", "dial_timeout_s": 5.0}
    )
    return basic.model_copy(
        update={
            "database": basic.database.model_copy(update={"url": url}),
            "web": basic.web.model_copy(update={"port": 0}),
            "push": basic.push.model_copy(update={"port": 0}),
            "pbx": {"office": pbx},
        }
    )


@shared
async def office(chromium: Browser, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    """The service on a simulated PBX, of which Olga has phone 101 and Ruslan 102."""
    pbx = DemoPbx(Story(talk=(12.0, 12.0)), seed=7)  # a busy machine's browser is slow
    await pbx.start()
    try:
        async with daemon.opened(given(sqlite_url, pbx.port), "all") as running:
            await people.hire(running.writer)
            for actor in (people.OLGA, people.RUSLAN):
                await running.writer.do(
                    lambda unit, a=actor: service.set_phones(unit, a.user_id, a.extensions), name="phones"
                )
            made = Office(running, chromium, pbx=pbx)
            await linked(made)
            yield made
            assert made.complaints == [], "the browser's console complained"
    finally:
        await pbx.stop()


async def linked(office: Office) -> None:
    """The listener is connected."""
    async with asyncio.timeout(20):
        while True:
            async with office.running.database.read() as db:
                if (await db.execute(select(LinkState.state))).scalar_one_or_none() == "connected":
                    return
            await asyncio.sleep(0.05)


async def dialling(page: Page, text: str) -> None:
    """What the steps say."""
    await expect(page.locator("#dialing")).to_contain_text(text)


async def calls_from_the_palette(page: Page, typed: str) -> None:
    """Ctrl+K, a number in any spelling, and Enter on the offer to call."""
    await page.keyboard.press("Control+k")
    await page.keyboard.type(typed)
    await page.wait_for_selector("#palette [data-dial]")
    for _ in range(12):
        if await page.locator("#palette [aria-selected=true]").get_attribute("data-dial"):
            break
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")


async def test_a_number_is_called_from_the_palette_and_ended_by_keys_alone(office: Office) -> None:
    await office.card()
    page = await office.page(people.OLGA)
    await calls_from_the_palette(page, "8 (916) 123-45-67")
    await dialling(page, "Lift your phone 101")
    await dialling(page, "Calling the client…")
    await dialling(page, "The client answered.")
    live = page.locator("#live")
    await expect(live).to_have_attribute("data-state", "talking")
    await expect(live.locator(".who").first).to_have_text("Anna Berg")
    await expect(live.locator("form .pad[data-key=F9]")).to_be_visible()
    await page.keyboard.press("F9")
    await expect(live).to_have_attribute("data-state", "wrapup")
    await expect(page.locator("#dialing")).to_be_empty()
    assert [kind for kind, _ in await office.commands()] == ["dial", "hang_up"]


async def test_escape_cancels_a_call_while_the_own_phone_rings(office: Office) -> None:
    await office.card()
    page = await office.page(people.OLGA)
    await calls_from_the_palette(page, CLIENT)
    await dialling(page, "Lift your phone 101")
    await page.keyboard.press("Escape")
    await dialling(page, "You cancelled the call.")
    assert [kind for kind, _ in await office.commands()] == ["dial", "cancel_dial"]
    await page.keyboard.press("Escape")
    assert len(await office.commands()) == 2


async def test_a_double_enter_dials_once_and_a_reload_goes_on_showing_the_steps(office: Office) -> None:
    await office.card()
    page = await office.page(people.OLGA, "/clients/1")
    await page.locator("form.dial button").first.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await dialling(page, "Lift your phone 101")
    await page.reload()
    await expect(page.locator("#dialing")).to_contain_text(
        re.compile("Lift your phone 101|Calling the client|The client answered")
    )
    assert [kind for kind, _ in await office.commands()] == ["dial"]


async def test_a_warning_is_overridden_by_a_second_enter_but_not_by_the_firsts_echo(office: Office) -> None:
    await office.card(do_not_call=True)
    page = await office.page(people.OLGA, "/clients/1")
    await page.locator("form.dial button").first.focus()
    await page.keyboard.press("Enter")
    await dialling(page, "Anna Berg asked not to be called.")
    await page.keyboard.press("Enter")  # the same press, once more by mistake
    assert await office.commands() == []
    assert await violations(page) == []
    await page.wait_for_timeout(800)
    await page.keyboard.press("Enter")
    await dialling(page, "Lift your phone 101")
    assert await violations(page) == []
    assert [kind for kind, _ in await office.commands()] == ["dial"]
    async with office.running.database.read() as db:
        (told,) = (await db.execute(select(Audit.detail).where(Audit.act == "override"))).all()
    assert told.detail["warnings"] == ["do_not_call"]


async def test_a_tel_link_asks_and_enter_calls(office: Office) -> None:
    await office.card()
    page = await office.page(people.OLGA, "/dial?number=tel:%2B7-916-123-45-67")
    await expect(page.get_by_role("heading", name="Call this number?")).to_be_visible()
    await expect(page.locator("main")).to_contain_text("Anna Berg")
    assert await violations(page) == []
    assert await office.commands() == []
    await page.keyboard.press("Enter")
    await dialling(page, "Lift your phone 101")


async def test_a_client_is_handed_on_by_keys_and_what_may_not_be_done_says_why(office: Office) -> None:
    await office.card()
    page = await office.page(people.OLGA)
    await calls_from_the_palette(page, CLIENT)
    live = page.locator("#live")
    await expect(live.locator("button[data-key=F4][data-act=transfer]")).to_be_visible()
    assert await violations(page) == []
    await page.keyboard.press("n")
    await page.keyboard.type("Wants a quote")
    await page.keyboard.press("F4")
    await page.wait_for_selector("#transfer[open]")
    await expect(page.locator("#transfer [role=option]").first).to_contain_text("Ruslan Tkach")
    await expect(page.locator("#transfer")).to_contain_text("No number leads to this queue")
    assert await violations(page) == []
    await page.keyboard.type("rus")
    await page.keyboard.press("Shift+Enter")
    await expect(page.locator("#transfer[open]")).to_have_count(0)
    await expect(live).to_have_attribute("data-state", "wrapup")
    await expect(page.locator("#note")).to_have_value("Wants a quote")
    assert [kind for kind, _ in await office.commands()] == ["dial", "blind_transfer"]
    async with office.running.database.read() as db:
        (row,) = (await db.execute(select(CallRow.transfers).where(CallRow.direction == "outbound"))).all()
    assert [(one["kind"], one["to"]) for one in row.transfers] == [("blind", "102")]
