"""kill -9 at any moment of a working day: the log is as if nothing had happened, but for what nobody could hear."""

import asyncio
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath
from random import Random
from typing import Any

from sqlalchemy import text

from ami.messages import first
from callcrm.calls.call import Call, Change
from callcrm.calls.tables import CallRecording, CallRow, LegRow
from callcrm.kernel.database import Database
from callcrm.kernel.schema import Base
from callcrm.kernel.tables import FactRow, Stream
from callcrm.tasks.tables import Task
from tests.killing import PATIENCE_S, Daemon, Shop, changes_of, journalled, opened_shop, rows, undisturbed

SEED = int(os.environ.get("KILL_SEED", "1"))
KILLS = 5
PACE_S = 0.35
#: How far the log's moments may lie from those at which the PBX spoke, on a busy machine.
CLOSE_S = 1.0
TABLES = (CallRow, LegRow, CallRecording, Task, FactRow, Stream)
SAME = ("direction", "client_raw", "client_number", "called", "caller", "operator", "queue", "outcome", "why", "missed")
SAME += ("ended_by", "click_to_call", "voicemail", "pickup")


@dataclass
class Session:
    """One life of the daemon: it heard from `heard` on, knew all that went on from `knew` on, kept it until `kept`."""

    heard: float
    knew: float = float("inf")
    kept: float = float("inf")


@dataclass
class Day:
    """What was written by the daemon that was killed, and by one that was not; and when somebody listened."""

    sessions: list[Session] = field(default_factory=list)
    written: dict[type[Base], list[dict[str, Any]]] = field(default_factory=dict)
    calm: dict[type[Base], list[dict[str, Any]]] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    folded: set[str] = field(default_factory=set)
    log: str = ""

    @property
    def calls(self) -> dict[str, dict[str, Any]]:
        """The rows of the log by id."""
        return {row["id"]: row for row in self.written[CallRow]}

    @property
    def truth(self) -> dict[str, dict[str, Any]]:
        """The rows that should be."""
        return {row["id"]: row for row in self.calm[CallRow]}

    def told(self, ident: str) -> list[float]:
        """When something happened to this call."""
        return [change.at for change in self.changes[ident]]

    def deaf(self) -> list[tuple[float, float]]:
        """The stretches of which nothing was kept."""
        ends = [0.0, *(session.kept for session in self.sessions)]
        return [(end, session.heard) for end, session in zip(ends, self.sessions, strict=False)]

    def whole(self) -> list[str]:
        """The calls of which nothing fell into a deaf stretch."""
        deaf = self.deaf()
        return [one for one in self.truth if not any(start < at <= end for start, end in deaf for at in self.told(one))]

    def outlived(self, ident: str) -> bool:
        """The daemon was killed and started again within this call."""
        told = self.told(ident)
        return any(min(told) <= start and end <= max(told) for start, end in self.deaf())

    def known_within(self, start: float, end: float) -> bool:
        """The daemon knew what went on at some moment between these."""
        return any(start < session.kept and session.knew < end for session in self.sessions)


async def test_a_day_with_kills_is_logged_as_if_nothing_had_happened(tmp_path: Path) -> None:
    day = await lived(tmp_path)
    the_day_was_worth_it(day)
    no_call_is_doubled_or_made_up(day)
    no_call_that_somebody_heard_of_is_lost(day)
    a_call_that_was_heard_whole_is_the_same(day)
    a_call_in_progress_at_a_kill_comes_to_its_right_end(day)
    facts_have_no_gaps_and_tell_each_beginning_and_end_once(day)
    callbacks_are_one_for_each_caller_and_right(day)
    no_recording_and_no_leg_is_there_twice(day)


async def lived(folder: Path) -> Day:
    """A day on which the daemon is killed some times."""
    found, dice = Day(), Random(SEED + 1)
    async with opened_shop(SEED) as shop, Daemon(folder, shop.pbx.port) as daemon:
        shop.open(Random(SEED), PACE_S)
        for _ in range(KILLS):
            found.sessions.append(await killed(daemon, shop, dice.uniform(0.0, 4.0)))
        await shop.close()
        found.sessions.append(await survived(daemon, shop))
        database = await Database.open(daemon.url, migrate=False)
        found.written = {table: await rows(database, table) for table in TABLES}
        await database.close()
        found.log = daemon.log.read_text()
        await beside(found, shop, folder, daemon)
    return found


async def killed(daemon: Daemon, shop: Shop, after_s: float) -> Session:
    """The daemon starts, hears the PBX so long, and is killed; the database opens, and tells how far it got."""
    await daemon.start()
    heard = await shop.listened_to()
    await asyncio.sleep(after_s)
    await daemon.kill()
    await shop.left()
    database = await Database.open(daemon.url, migrate=False)
    async with database.read() as db:
        assert await db.scalar(text("PRAGMA integrity_check")) == "ok"
    told = await journalled(database)
    await database.close()
    played = [one for _, one in told if "ActionID" not in one and first(one, "Event") != "FullyBooted"]
    return Session(heard, known_from(told, heard), shop.moment_of(played[-1]) if played else 0.0)


async def survived(daemon: Daemon, shop: Shop) -> Session:
    """The daemon starts for the last time, hears the calls to their ends, and ends in order."""
    await daemon.start()
    heard = await shop.listened_to()
    await shop.quiet()
    database = await Database.open(daemon.url, migrate=False)
    async with asyncio.timeout(PATIENCE_S):
        while await rows(database, CallRow, CallRow.ended_at.is_(None)):
            await asyncio.sleep(0.1)
    assert await daemon.stop() == 0, daemon.log.read_text()
    session = Session(heard, known_from(await journalled(database), heard))
    await database.close()
    return session


def known_from(told: list[tuple[float, Any]], since: float) -> float:
    """When the last answer of a session's snapshot had come."""
    ends = [at for at, message in told if at >= since and first(message, "Event") == "ParkedCallsComplete"]
    return ends[0] if ends else float("inf")


async def beside(day: Day, shop: Shop, folder: Path, daemon: Daemon) -> None:
    """The same day without kills."""
    changes = changes_of(shop.said)
    async with undisturbed(f"sqlite:///{folder / 'calm.db'}", daemon.config, changes) as calm:
        day.calm = {table: await rows(calm, table) for table in TABLES}
    into = {gone: change.call.id for change in changes for gone in change.was}
    day.folded = set(into)
    for change in changes:
        day.changes[into.get(change.call.id, change.call.id)].append(change)


def the_day_was_worth_it(day: Day) -> None:
    assert len(day.truth) > 15
    assert sum(day.outlived(one) for one in day.whole()) > 0
    assert "Traceback" not in day.log


def no_call_is_doubled_or_made_up(day: Day) -> None:
    assert len({row["uniqueid"] for row in day.written[CallRow]}) == len(day.written[CallRow])
    assert set(day.calls) - set(day.truth) <= day.folded


def no_call_that_somebody_heard_of_is_lost(day: Day) -> None:
    heard = [one for one in day.truth if day.known_within(min(day.told(one)), max(day.told(one)))]
    assert heard
    assert set(heard) - set(day.calls) == set()


def a_call_that_was_heard_whole_is_the_same(day: Day) -> None:
    for one in day.whole():
        assert shape(day.calls[one]) == shape(day.truth[one])
        for moment in ("at", "answered_at", "ended_at"):
            assert near(day.calls[one][moment], day.truth[one][moment]), (moment, one)


def shape(row: dict[str, Any]) -> dict[str, Any]:
    """A call's row without its seconds."""
    return {
        **{name: row[name] for name in SAME},
        "rang": sorted(one["operator"] for one in row["rang"]),
        "talks": [one["operator"] for one in row["talks"]],
        "transfers": [(one["kind"], one["from"], one["to"], one["answered"]) for one in row["transfers"]],
        "parked": row["parked"],
    }


def near(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs((one - other).total_seconds()) < CLOSE_S


def a_call_in_progress_at_a_kill_comes_to_its_right_end(day: Day) -> None:
    for one, row in day.calls.items():
        if one in day.folded:
            continue
        true = day.truth[one]
        assert (row["direction"], row["client_raw"]) == (true["direction"], true["client_raw"])
        talked = {talk["operator"] for talk in row["talks"]}
        assert talked <= {talk["operator"] for talk in true["talks"]}
        assert heard_talking(day, one) <= talked
        assert (row["outcome"] == "answered") == bool(talked)


def heard_talking(day: Day, ident: str) -> set[str]:
    """Who talked with the client while the daemon knew what goes on."""
    call: Call = day.changes[ident][-1].call
    return {
        talk.operator
        for talk in call.talks
        if talk.at is not None and talk.talk_s and day.known_within(talk.at, talk.at + talk.talk_s)
    }


def facts_have_no_gaps_and_tell_each_beginning_and_end_once(day: Day) -> None:
    reached = {row["name"]: row["position"] for row in day.written[Stream]}
    for stream, position in reached.items():
        places = [row["position"] for row in day.written[FactRow] if row["stream"] == stream]
        assert sorted(places) == list(range(1, position + 1))
    told = Counter((row["kind"], row["ids"].get("call")) for row in day.written[FactRow])
    for one in day.calls:
        assert told["call.began", one] == 1
        assert told["call.ended", one] == 1


def callbacks_are_one_for_each_caller_and_right(day: Day) -> None:
    opened = [row["number"] for row in day.written[Task] if row["state"] == "open"]
    assert len(opened) == len(set(opened))
    last = {row["client_number"]: row for row in sorted(day.written[CallRow], key=lambda row: row["at"])}
    assert set(opened) >= {number for number, row in last.items() if number and row["missed"]}
    unsure = {day.truth[one]["client_number"] for one in set(day.truth) - set(day.whole())}
    assert fates(day.written[Task], unsure) == fates(day.calm[Task], unsure)


def fates(tasks: list[dict[str, Any]], unsure: set[str | None]) -> list[tuple[Any, ...]]:
    """The callbacks of the callers all of whose calls were heard whole."""
    return sorted(
        (row["number"], row["state"], row["attempts"], row["closed_why"] or "")
        for row in tasks
        if row["number"] not in unsure
    )


def no_recording_and_no_leg_is_there_twice(day: Day) -> None:
    files, calm = (names(tables[CallRecording]) for tables in (day.written, day.calm))
    legs = Counter((row["call_id"], row["uniqueid"]) for row in day.written[LegRow])
    assert files and max(files.values()) == max(legs.values()) == 1
    whole = set(day.whole())
    assert {one for one in files if one[0] in whole} == {one for one in calm if one[0] in whole}


def names(recordings: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """The files of each call, by their last part."""
    return Counter((row["call_id"], PurePath(row["file"]).name) for row in recordings)
