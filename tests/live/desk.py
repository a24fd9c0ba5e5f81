"""The daemon on a real Asterisk, with people at the phones: calls are made, and what came of them is read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select

from callcrm.accounts import service
from callcrm.accounts.policy import Line
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallRecording, CallRow, LegRow
from callcrm.daemon import Running, opened
from callcrm.kernel.tables import LinkState
from callcrm.kernel.writer import Unit
from callcrm.settings import (
    CallbackSettings,
    DatabaseSettings,
    DiallingSettings,
    LineSettings,
    PbxSettings,
    PushSettings,
    QueueSettings,
    Settings,
    WebSettings,
    WeekSettings,
)
from callcrm.tasks.tables import Task
from tests.pbx.instance import OPERATORS, Instance

PATIENCE_S = 15.0


def settings(asterisk: Instance, folder: Path) -> Settings:
    """What an admin would write for the lab's Asterisk."""
    always = WeekSettings(**dict.fromkeys(WeekSettings.model_fields, ("00:00-24:00",)))
    return Settings(
        database=DatabaseSettings(url=f"sqlite:///{folder / 'desk.db'}"),
        web=WebSettings(port=0),
        push=PushSettings(port=0),
        pbx={
            "lab": PbxSettings(
                host=asterisk.host,
                port=asterisk.ami_port,
                username="callcrm",
                secret=SecretStr(asterisk.users["callcrm"]),
                country="RU",
                operators=r"PJSIP/1\d\d",
                trunks="PJSIP/trunk",
                own_numbers=("74950000000",),
                dial_context="office",
                recordings=str(asterisk.recordings),
            )
        },
        lines={"+74950000001": LineSettings(label="Sales", queue="sales")},
        queues={"sales": QueueSettings(label="Sales", people=("op101", "op102"))},
        callbacks=CallbackSettings(hours=always),
        dialling=DiallingSettings(hours="00:00-24:00"),
    )


@dataclass
class Desk:
    """The running daemon, and what tests ask it."""

    running: Running
    users: dict[str, int]

    async def calls(self, count: int) -> list[dict[str, Any]]:
        """The ended calls in order of beginning, as soon as there are `count`."""

        async def look() -> list[dict[str, Any]] | None:
            rows = await self.rows(select(CallRow.__table__).order_by(CallRow.at))
            return rows if sum(row["ended_at"] is not None for row in rows) >= count else None

        return await until(look)

    async def open_calls(self) -> list[dict[str, Any]]:
        """Calls that the log holds open."""
        return await self.rows(select(CallRow.__table__).where(CallRow.ended_at.is_(None)))

    async def legs(self, call_id: str) -> list[dict[str, Any]]:
        return await self.rows(select(LegRow.__table__).where(LegRow.call_id == call_id).order_by(LegRow.n))

    async def tasks(self, wanted: Callable[[list[dict[str, Any]]], bool] = bool) -> list[dict[str, Any]]:
        """The tasks, as soon as they are as `wanted`."""

        async def look() -> list[dict[str, Any]] | None:
            rows = await self.rows(select(Task.__table__).order_by(Task.id))
            return rows if wanted(rows) else None

        return await until(look)

    async def recordings(self, call_id: str, state: str) -> list[dict[str, Any]]:
        """The call's recordings, as soon as one is in that state."""

        async def look() -> list[dict[str, Any]] | None:
            rows = await self.rows(select(CallRecording.__table__).where(CallRecording.call_id == call_id))
            return rows if any(row["state"] == state for row in rows) else None

        return await until(look)

    async def rows(self, statement: Any) -> list[dict[str, Any]]:
        async with self.running.database.read() as db:
            return [dict(row) for row in (await db.execute(statement)).mappings()]


async def until(look: Callable[[], Awaitable[Any]], patience_s: float = PATIENCE_S) -> Any:
    """What `look` gives as soon as it gives something."""
    async with asyncio.timeout(patience_s):
        while (found := await look()) is None:
            await asyncio.sleep(0.05)
    return found


@asynccontextmanager
async def opened_desk(asterisk: Instance, folder: Path, role: str = "all") -> AsyncIterator[Desk]:
    """The daemon with an account for each operator's phone, linked to the PBX."""
    async with opened(settings(asterisk, folder), role) as running:
        desk = Desk(running, await running.writer.do(_people, name="people"))

        async def linked() -> bool | None:
            rows = await desk.rows(select(LinkState.state))
            return True if rows and rows[0]["state"] == "connected" else None

        await until(linked)
        await asyncio.sleep(0.3)  # the snapshot after the log-in
        yield desk


async def _people(unit: Unit) -> dict[str, int]:
    found = {row.name: row.id for row in await unit.db.execute(select(User.name, User.id))}
    for number in OPERATORS:
        if f"op{number}" not in found:
            phone = Line("lab", number)
            found[f"op{number}"] = await service.add_user(unit, f"op{number}", role="operator", phones=[phone])
    return found
