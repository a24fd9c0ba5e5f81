"""The web application on a real database, with people who can sign in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from callcrm.accounts import service, sessions
from callcrm.accounts.policy import Actor
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Writer
from callcrm.settings import Settings
from tests import people
from webui.app import make_app
from webui.identity import COOKIE
from webui.parts import Parts

PASSWORD = "a quiet river at dawn"
EVERYBODY = (people.OLGA, people.RUSLAN, people.VERA, people.ADAM)


@dataclass
class Web:
    """A running application, and what stands behind it."""

    parts: Parts
    server: TestServer

    async def client(self, actor: Actor | None = None, **headers: str) -> TestClient:
        """A browser; signed in as `actor` when one is given."""
        client = TestClient(self.server, headers=headers or None)
        if actor is not None:
            cookie = await self.parts.writer.do(
                lambda unit: sessions.open_session(unit, actor.user_id, hours=1), name="session"
            )
            client.session.cookie_jar.update_cookies({COOKIE: cookie}, self.server.make_url("/"))
        return client


def settings(recordings: str = "") -> Settings:
    """An office with one PBX, a line and a queue."""
    pbx = {"host": "127.0.0.1", "username": "callcrm", "country": "RU", "recordings": recordings}
    return Settings(
        pbx={"office": pbx},
        lines={"+74950000001": {"label": "Sales line", "queue": "sales"}},
        queues={"sales": {"label": "Sales", "people": ["olga"]}},
        dialling={"hours": "00:00-24:00"},  # at whatever hour the tests run
    )


@pytest.fixture
async def web(sqlite_url: str) -> AsyncIterator[Web]:
    """The application on a fresh SQLite file; what the queries do on PostgreSQL is tested with them."""
    database = await Database.open(sqlite_url)
    async with LocalBus(database) as bus, Writer(database, bus) as writer:
        await people.hire(writer)
        for actor in (people.OLGA, people.RUSLAN):
            await writer.do(lambda unit, a=actor: service.set_phones(unit, a.user_id, a.extensions), name="phones")
        parts = Parts(settings(), database, writer, bus)
        async with TestServer(make_app(parts)) as server:
            yield Web(parts, server)
    await database.close()


Ask = Callable[..., Awaitable[ClientResponse]]


async def text_of(client: TestClient, path: str, status: int = 200) -> str:
    """A page's text; the status is checked."""
    async with client.get(path, allow_redirects=False) as answer:
        text = await answer.text()
        assert answer.status == status, f"{path}: {answer.status}\n{text[:2000]}"
        return text
