"""A real Chromium against the real thing: web, push, listener and worker in one process, on a SQLite file."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from callcrm import daemon
from callcrm.accounts import service, sessions
from callcrm.accounts.policy import Actor
from callcrm.calls.call import Call
from tests import people
from tests.browser import tools
from tests.calls import making
from tests.webui import office
from tests.webui.conftest import settings
from webui.identity import COOKIE

ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
#: What is waited for may take so long on a machine that does much else besides.
PATIENCE_MS = 20_000.0
expect.set_options(timeout=PATIENCE_MS)

#: Browser tests, and what they stand on, share one event loop: the browser lives in it.
shared = pytest_asyncio.fixture(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium_process() -> AsyncIterator[Browser]:
    """Debian's Chromium; on a machine without it these tests say so, in CI they must run."""
    if said := tools.lacking():
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=tools.chromium(), args=ARGUMENTS)
        yield browser
        await browser.close()


@shared
async def chromium(chromium_process: Browser) -> AsyncIterator[Browser]:
    """The one browser of this run; what a test opened in it is gone after the test."""
    yield chromium_process
    for context in chromium_process.contexts:
        await context.close()


@dataclass
class Desk:
    """The running service, and calls that come to it."""

    running: daemon.Running
    browser: Browser
    call: Call | None = None
    complaints: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.running.web_port}"

    async def context(self, actor: Actor | None, **options: object) -> BrowserContext:
        """A browser of its own, signed in."""
        context = await self.browser.new_context(viewport={"width": 1440, "height": 900}, **options)  # type: ignore[arg-type]
        if actor is not None:
            cookie = await self.running.writer.do(
                lambda unit: sessions.open_session(unit, actor.user_id, hours=1), name="session"
            )
            await context.add_cookies([{"name": COOKIE, "value": cookie, "url": self.url}])
        return context

    async def page(self, actor: Actor | None, path: str = "/", **options: object) -> Page:
        """A page that is connected; what the console complains of fails the test."""
        context = await self.context(actor, **options)
        page = await context.new_page()
        page.on("console", self._complain)
        page.on("pageerror", lambda error: self.complaints.append(f"{path}: {error}"))
        await page.goto(self.url + path)
        if actor is not None:
            await page.wait_for_selector("html[data-push=open]")
        return page

    def _complain(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    async def ring(self, key: str, client: str | None) -> None:
        """A call rings at Olga's and Ruslan's phones."""
        one = making.call(key, office.ago(0.1), client=client)
        ringing = making.rings(one, "101", "102", after=3.0)
        self.call = ringing[-1].call
        await office.record(self.running.writer, making.began(one), *ringing)

    async def answer(self, extension: str) -> None:
        """One of them answers."""
        assert self.call is not None
        changes = making.answers(self.call, extension, 6.0)
        self.call = changes[0].call
        await office.record(self.running.writer, *changes)

    @staticmethod
    async def pause(seconds: float = 0.1) -> None:
        """A moment."""
        await asyncio.sleep(seconds)

    async def end(self) -> None:
        """The call is over."""
        assert self.call is not None
        await office.record(self.running.writer, making.ends(self.call, 30.0))


@shared
async def desk(chromium: Browser, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """The service with an office's history; its PBX is a port where nobody answers."""
    basic = settings(recordings=str(tmp_path / "sound"))
    given = basic.model_copy(
        update={
            "database": basic.database.model_copy(update={"url": sqlite_url}),
            "web": basic.web.model_copy(update={"port": 0}),
            "push": basic.push.model_copy(update={"port": 0}),
        }
    )
    async with daemon.opened(given, "all") as running:
        await people.hire(running.writer)
        for actor in (people.OLGA, people.RUSLAN):
            await running.writer.do(
                lambda unit, a=actor: service.set_phones(unit, a.user_id, a.extensions), name="phones"
            )
        desk = Desk(running, chromium)
        yield desk
        assert desk.complaints == [], "the browser's console complained"
