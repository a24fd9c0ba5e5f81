"""A call that turned out to be part of another: its rows go, what people wrote and heard of it stays."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update

from callcrm.calls import xraykeeping
from callcrm.calls.tables import CallNote, CallOperator, CallRecording, CallRow, LegRow, Pin, Pop
from callcrm.kernel.schema import Base
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit

_PRESENT = ("offered", "answered", "wrapup")


async def fold(unit: Unit, gone: Sequence[Mapping[str, Any]], into: tuple[datetime, str]) -> None:
    """Move what belongs to the calls `gone` (rows with began, id) to the call `into`, and delete their rows.

    Pops that are on somebody's screen stay with the gone call: push withdraws them.
    """
    ids = [row["id"] for row in gone]
    await _move_notes(unit, ids, into)
    await _move_sounds(unit, ids, into)
    await unit.db.execute(update(Pop).where(Pop.call_id.in_(ids), Pop.state.not_in(_PRESENT)).values(call_id=into[1]))
    await _keep_choices(unit, gone, into)
    for table, column in ((LegRow, LegRow.call_id), (CallOperator, CallOperator.call_id), (CallRow, CallRow.id)):
        await unit.db.execute(delete(table).where(column.in_(ids)))


async def _move_notes(unit: Unit, ids: Sequence[str], into: tuple[datetime, str]) -> None:
    """A person's two notes become one, the older text first."""
    found = await _of(unit, CallNote, [*ids, into[1]])
    notes: dict[int, dict[str, Any]] = {}
    for row in sorted(found, key=lambda row: (row["changed_at"], row["call_id"])):
        held = notes.get(row["user_id"])
        notes[row["user_id"]] = _one_note(held, row) if held else {**row, "began": into[0], "call_id": into[1]}
    if any(row["call_id"] != into[1] for row in found):
        await unit.db.execute(delete(CallNote).where(CallNote.call_id.in_(ids)))
        await upsert(unit.db, CallNote, list(notes.values()))


def _one_note(older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    texts = dict.fromkeys(text for text in (older["text"], newer["text"]) if text)
    return {
        **older,
        "text": "\n".join(texts),
        "disposition": newer["disposition"] or older["disposition"],
        "version": max(older["version"], newer["version"]) + 1,
        "changed_at": newer["changed_at"],
    }


async def _move_sounds(unit: Unit, ids: Sequence[str], into: tuple[datetime, str]) -> None:
    """A sound file is one recording of one call; what is there already is not doubled. Pins stay on it."""
    found = await _of(unit, CallRecording, [*ids, into[1]])
    files = {row["file"]: row["n"] for row in found if row["call_id"] == into[1]}
    n = max(files.values(), default=-1)
    moved = []
    for row in sorted((row for row in found if row["call_id"] != into[1]), key=lambda row: (row["began"], row["n"])):
        if row["file"] not in files:
            n += 1
            files[row["file"]] = n
            moved.append({**row, "began": into[0], "call_id": into[1], "n": n, "xrayed_at": None})
        here = (Pin.call_id == row["call_id"], Pin.n == row["n"])
        values = {"began": into[0], "call_id": into[1], "n": files[row["file"]]}
        await unit.db.execute(update(Pin).where(*here).values(values))
    await unit.db.execute(delete(CallRecording).where(CallRecording.call_id.in_(ids)))
    await upsert(unit.db, CallRecording, moved)
    await xraykeeping.forget(unit, ids)
    if moved:
        await xraykeeping.look_again(unit, into[1])


async def _of(unit: Unit, table: type[CallNote] | type[CallRecording], ids: Sequence[str]) -> list[dict[str, Any]]:
    columns = _columns(table)
    rows = await unit.db.execute(select(*columns).where(table.call_id.in_(ids)))
    return [dict(row) for row in rows.mappings()]


def _columns(table: type[Base]) -> Any:
    return table.__table__.columns


async def _keep_choices(unit: Unit, gone: Sequence[Mapping[str, Any]], into: tuple[datetime, str]) -> None:
    """The disposition, the first line of the note and the chosen client, where the target has none."""
    kept: dict[str, Any] = {}
    for row in gone:
        if row["disposition"]:
            kept["disposition"] = row["disposition"]
        if row["note_line"]:
            kept["note_line"] = row["note_line"]
    for name, value in kept.items():
        column = CallRow.__table__.c[name]
        empty = or_(column.is_(None), column == "")
        await unit.db.execute(
            update(CallRow).where(CallRow.began == into[0], CallRow.id == into[1], empty).values({name: value})
        )
