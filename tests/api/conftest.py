"""The application on a real database, with programs that bring tokens."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, update

from callcrm.accounts import service, sessions
from callcrm.accounts.policy import Actor
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallOperator, CallRecording, CallRow, LegRow
from callcrm.kernel import clock
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Unit, Writer
from callcrm.settings import Settings
from tests import people
from webui.app import make_app
from webui.parts import Parts


@dataclass
class Api:
    """The application, and what stands behind it."""

    parts: Parts
    server: TestServer
    sounds: Path
    clients: list[TestClient] = field(default_factory=list)

    async def program(self, actor: Actor | None) -> TestClient:
        """A client with a token of this person; without one when there is nobody."""
        headers = {}
        if actor is not None:
            token = await self.parts.writer.do(lambda unit: sessions.add_token(unit, actor.user_id), name="token")
            headers["Authorization"] = f"Bearer {token}"
        client = TestClient(self.server, headers=headers)
        self.clients.append(client)
        return client

    async def get(self, actor: Actor | None, path: str, status: int = 200) -> Any:
        """What a GET answers."""
        client = await self.program(actor)
        async with client.get(f"/api/v1{path}") as answer:
            assert answer.status == status, await answer.text()
            kind = "application/json" if status < 400 else "application/problem+json"
            assert answer.content_type == kind
            return await answer.json(content_type=kind)

    async def send(self, actor: Actor | None, method: str, path: str, body: Any, status: int, **headers: str) -> Any:
        """What a request with a body answers."""
        client = await self.program(actor)
        async with client.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json(content_type=None)

    async def do(self, *statements: Any) -> None:
        """Run statements through the writer."""

        async def work(unit: Unit) -> None:
            for statement in statements:
                await unit.db.execute(statement)

        await self.parts.writer.do(work, name="test")

    async def call(self, key: str, actor: Actor | None = None, minutes: float = 5, **values: Any) -> None:
        """A call of the log; `actor` answered it."""
        at = clock.now() - timedelta(minutes=minutes)
        began = at.replace(microsecond=0)
        row = {
            "began": began,
            "id": key,
            "pbx": "office",
            "uniqueid": f"{at.timestamp():.0f}.1",
            "channel": "PJSIP/trunk-1",
            "direction": "inbound",
            "at": at,
            "state": "ended",
            "ended_at": at + timedelta(seconds=60),
            "client_number": "+79161234567",
            "client_raw": "89161234567",
            "called": "+74950000001",
            "outcome": "answered",
            "match": {"step": "exact", "number": "+79161234567"},
        } | values
        await self.do(insert(CallRow).values(**row))
        leg = {"began": began, "call_id": key, "n": 0, "channel": "PJSIP/trunk-1", "side": "trunk", "at": at}
        await self.do(insert(LegRow).values(**leg, who="89161234567"))
        if actor is not None:
            part = {"began": began, "call_id": key, "extension": actor.extensions[0].extension, "rang": True}
            await self.do(insert(CallOperator).values(**part, user_id=actor.user_id, answered=True))

    async def recording(self, key: str, file: str, state: str = "present", cause: str = "") -> None:
        """A recording of the call `key`."""
        async with self.parts.database.read() as db:
            began = (await db.execute(CallRow.__table__.select().where(CallRow.id == key))).one().began
        row = {"began": began, "call_id": key, "n": 0, "pbx": "office", "file": file, "state": state, "cause": cause}
        await self.do(insert(CallRecording).values(**row))

    async def mask(self, actor: Actor) -> Actor:
        """Hide numbers from this person."""
        await self.do(update(User).where(User.id == actor.user_id).values(masked=True))
        return replace(actor, masked=True)


@pytest.fixture
async def api(database: Database, bus: LocalBus, writer: Writer, tmp_path: Path) -> AsyncIterator[Api]:
    """One office, its people, their phones, and a folder of recordings."""
    await people.hire(writer)
    for actor in (people.OLGA, people.RUSLAN):
        await writer.do(lambda unit, a=actor: service.set_phones(unit, a.user_id, a.extensions), name="phones")
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    office = {"host": "127.0.0.1", "username": "callcrm", "country": "RU", "recordings": str(sounds)}
    settings = Settings(
        dialling={"hours": "00:00-24:00"},  # at whatever hour the tests run
        pbx={"office": office},
        lines={"+74950000001": {"label": "Sales line", "queue": "sales"}},
        queues={"sales": {"label": "Sales", "people": ["olga"]}},
    )
    parts = Parts(settings, database, writer, bus)
    async with TestServer(make_app(parts)) as server:
        opened = Api(parts, server, sounds)
        yield opened
        for client in opened.clients:
            await client.session.close()
