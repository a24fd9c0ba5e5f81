"""The demo's data goes through the ordinary services, on either database, and only into an empty one."""

from functools import partial
from pathlib import Path

import soundfile
from sqlalchemy import func, select

from callcrm.accounts import passwords
from callcrm.accounts.tables import Phone, User
from callcrm.calls.tables import CallOperator, CallRecording, CallRow, Pin
from callcrm.clients.tables import Client, Organisation
from callcrm.custody.law_tables import LegalHold, Listening, PersonFile, RecordingGap, RetentionRule
from callcrm.demo import data
from callcrm.demo.story import CLIENTS, COLLEAGUES, COMPANIES, PEOPLE
from callcrm.kernel.database import Database
from callcrm.kernel.numbers import parse
from callcrm.kernel.writer import Writer
from callcrm.quality.tables import Dispute
from callcrm.shifts.tables import OperatorState
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.following import Callbacks
from callcrm.tasks.tables import Task, TaskItem
from recordings import measure


async def test_an_empty_database_becomes_a_call_centre_and_a_full_one_stays(
    database: Database, writer: Writer, tmp_path: Path
) -> None:
    fill = partial(data.fill, database, writer, tmp_path, after=(Callbacks(Rules()).follow,), days=1)
    assert await fill()
    async with database.read() as db:
        people = {row.name: row for row in (await db.execute(select(User))).all()}
        assert set(people) == {one.name for one in COLLEAGUES}
        assert await db.scalar(select(func.count()).select_from(Phone)) == 6
        for login in data.logins():
            assert people[login.name].role == login.role
            assert await passwords.matches(login.password, people[login.name].password_hash)
        assert {login.role for login in data.logins()} == {"operator", "supervisor", "admin"}
        assert await db.scalar(select(func.count()).select_from(Organisation)) == len(COMPANIES)
        named = (await db.execute(select(Client.name).where(Client.name != ""))).scalars().all()
        assert set(named) >= {one.name for one in CLIENTS}
        calls = (await db.execute(select(CallRow))).all()
        assert len(calls) > 20
        assert all(call.state == "ended" and call.ended_at is not None for call in calls)
        assert {call.direction for call in calls} >= {"inbound", "outbound"}
        assert any(call.missed for call in calls)
        assert 3 < sum(bool(call.note_line and call.disposition) for call in calls) < len(calls)
        assert sum(call.client_id is not None for call in calls) > len(calls) // 2
        parts = await db.scalar(select(func.count()).where(CallOperator.user_id.is_not(None)))
        assert parts is not None and parts > 20
        (gap,) = (await db.execute(select(RecordingGap))).all()
        assert {row.call_id for row in (await db.execute(select(Pin))).all()} >= {gap.call_id}
        muted = await db.scalar(select(CallRecording.file).where(CallRecording.call_id == gap.call_id))
        assert {row.active for row in (await db.execute(select(RetentionRule))).all()} == {True, False}
        tasks = (await db.execute(select(Task).where(Task.kind == "task"))).all()
        assert {bool(row.repeat) for row in tasks} == {True, False} and {row.state for row in tasks} == {"open", "done"}
        assert any(row.queue for row in tasks) and any(row.remind_at for row in tasks)
        ticked = (await db.execute(select(TaskItem.done_at.is_not(None)))).scalars().all()
        assert set(ticked) == {True, False}
        spells = (await db.execute(select(OperatorState).order_by(OperatorState.began))).all()
        assert {row.state for row in spells} >= {"available", "paused", "talking", "wrapup"}
        assert all(row.ended is not None and row.ended > row.began for row in spells)
        assert {row.lifted_at is None for row in (await db.execute(select(LegalHold))).all()} == {True, False}
        kinds = set((await db.execute(select(Listening.kind))).scalars())
        assert kinds == {"listen", "download", "coaching"}
        assert await db.scalar(select(func.count()).select_from(PersonFile)) == 1
        assert "open" in (await db.execute(select(Dispute.state))).scalars().all()
    silent, rate = soundfile.read(tmp_path / str(muted).removeprefix("/var/spool/asterisk/monitor/"))
    assert not silent[round(5.1 * rate) : round(10.9 * rate)].any() and silent[: 5 * rate].any()
    async with database.read() as db:
        count = await db.scalar(select(func.count()).select_from(CallRow))
    assert not await fill()
    async with database.read() as db:
        assert await db.scalar(select(func.count()).select_from(CallRow)) == count


async def test_the_past_can_be_heard_and_missed_callers_wait_for_a_callback(
    database: Database, writer: Writer, tmp_path: Path
) -> None:
    await data.fill(database, writer, tmp_path, after=(Callbacks(Rules()).follow,), days=0, seed=4)
    async with database.read() as db:
        rows = (
            await db.execute(
                select(CallRecording.file, CallRow.talk_s).join(CallRow, CallRow.id == CallRecording.call_id)
            )
        ).all()
        tasks = (await db.execute(select(Task).where(Task.state == "open", Task.kind == "callback"))).all()
        missed = {row.client_number for row in (await db.execute(select(CallRow).where(CallRow.missed))).all()}
    assert rows
    for row in rows:
        relative = row.file.removeprefix("/var/spool/asterisk/monitor/")
        if row.talk_s:
            assert measure(tmp_path / relative).seconds >= row.talk_s - 1.0
        else:
            assert (tmp_path / relative).stat().st_size == 44
    assert {task.number for task in tasks} <= missed


async def test_the_cast_has_real_looking_numbers_and_knows_its_own_people() -> None:
    keys = {parse(one.number, "RU").e164 for one in PEOPLE}
    assert "" not in keys and len(keys) == len(PEOPLE)
    cards = [parse(one.number, "RU").e164 for one in CLIENTS]
    assert "" not in cards and len(set(cards)) == len(cards)
    assert len(keys & set(cards)) >= 12
    assert len(keys - set(cards)) >= 8
    assert any('"' in one.said for one in PEOPLE)
    assert any(ord(letter) > 127 for one in PEOPLE for letter in one.said)


async def test_the_board_of_callbacks_shows_every_state(database: Database, writer: Writer, tmp_path: Path) -> None:
    await data.fill(database, writer, tmp_path, after=(Callbacks(Rules()).follow,), days=0, seed=4)
    async with database.read() as db:
        tasks = list((await db.execute(select(Task.__table__).where(Task.kind == "callback"))).all())
    assert {task.owner_why for task in tasks} >= {"queue", "claimed"}
    assert {task.closed_why for task in tasks} >= {None, "called_back", "by_hand"}
    assert {task.short_abandon for task in tasks} == {True, False}
    for column in ("snooze_reason", "closed_reason", "next_try_at"):
        assert any(getattr(task, column) for task in tasks), column
