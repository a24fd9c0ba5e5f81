"""The demo's law and sound: a gap for card data, comments on the sound, retention rules, legal holds, who listened."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import soundfile
from sqlalchemy import Row, Select, and_, insert, select

from ami.simulator.names import MONITOR_FOLDER
from callcrm.accounts.policy import Actor
from callcrm.calls import pins
from callcrm.calls.pins import Place
from callcrm.calls.tables import CallOperator, CallRecording, CallRow
from callcrm.clients.tables import Client
from callcrm.custody import holds, listening, personfile, rules
from callcrm.custody.law_tables import RecordingGap
from callcrm.demo.story import CLIENTS, PBX
from callcrm.kernel.unit import Unit
from callcrm.kernel.writer import Writer

#: Where in the talk the card number was said, and how long it took.
GAP_S, PAUSED_S = 5.0, 6.0
#: In their order; the third is off, so that its preview has something to show.
RULES: tuple[tuple[dict[str, str], bool], ...] = (
    ({"name": "Complaints stay", "tag": "complaint", "keep": "ever"}, True),
    ({"name": "Support line, 2 days", "line": "+74950000002", "days": "2"}, True),
    ({"name": "Calls out by the trunk, a day", "trunk": "PJSIP/trunk", "direction": "outbound", "days": "1"}, False),
    ({"name": "Everything else, 90 days", "days": "90"}, True),
)
#: (second, until, what): the last one is the operator's own.
PINS: tuple[tuple[float, float | None, str], ...] = (
    (0.6, 3.0, "The line, then the name, in one breath: this is how we begin."),
    (4.2, None, "Recording paused before the first digit: just in time."),
    (12.0, None, "Wants the invoice by mail."),
)
_ADDRESS = "192.0.2.17"


@dataclass(frozen=True, slots=True)
class Muted:
    """The seconds of a file that hold nothing: Asterisk writes silence while it is muted."""

    file: str
    begin_s: float
    end_s: float


async def law(writer: Writer, recordings: Path, ids: Mapping[str, int]) -> None:
    """Write all of it, through the services that people use; what has no PBX to ask is written as it would be."""
    people = {name: Actor(ids[name], name, role, via="command") for name, role in _WHO.items()}
    muted = await writer.do(partial(_sound, people=people), name="demo-sound")
    if muted is not None:
        await asyncio.to_thread(hush, recordings, muted)
    await writer.do(partial(_rules, people=people), name="demo-law")


_WHO = {"olha": "operator", "vera": "supervisor", "admin": "admin"}


async def _sound(unit: Unit, people: Mapping[str, Actor]) -> Muted | None:
    calls = await _talks(unit, people["olha"])
    if not calls:
        return None
    paused = calls[0]
    operator = Actor(paused.user_id, "", "operator", via="command")
    await _pause(unit, operator, paused)
    for (at_s, until_s, text), who in zip(PINS, (people["vera"], people["vera"], operator), strict=True):
        await pins.add(unit, who, Place(paused.call_id, paused.n, at_s, until_s), text)
    if len(calls) > 1:
        place = Place(calls[1].call_id, calls[1].n, 2.0, 4.5)
        await pins.add(unit, people["vera"], place, "Both speak at once here: let him end.")
    await _heard(unit, people["vera"], calls)
    return Muted(paused.file.removeprefix(f"{MONITOR_FOLDER}/"), GAP_S, GAP_S + PAUSED_S)


async def _talks(unit: Unit, operator: Actor) -> Sequence[Row[*tuple[Any, ...]]]:
    """The newest talks that are long enough, with their recordings; the operator's own first."""
    sound = and_(CallRecording.began == CallRow.began, CallRecording.call_id == CallRow.id)
    part = and_(CallOperator.began == CallRow.began, CallOperator.call_id == CallRow.id)
    columns = (CallRow.began, CallRow.answered_at, CallRecording.call_id, CallRecording.n, CallRecording.file)
    query: Select[*tuple[Any, ...]] = select(*columns, CallOperator.user_id).join(CallRecording, sound)
    long = (CallRow.direction == "inbound", CallRow.hold_s.is_(None), CallRow.talk_s > GAP_S + PAUSED_S + 2)
    talked = query.join(CallOperator, part).where(*long, CallOperator.answered, CallOperator.user_id.is_not(None))
    order = ((CallOperator.user_id == operator.user_id).desc(), CallRow.began.desc())
    return (await unit.db.execute(talked.order_by(*order).limit(3))).all()


async def _pause(unit: Unit, operator: Actor, call: Row[*tuple[Any, ...]]) -> None:
    begins = call.answered_at + timedelta(seconds=GAP_S)
    ends = begins + timedelta(seconds=PAUSED_S)
    row = {"at": begins, "id": secrets.token_hex(16), "began": call.began, "call_id": call.call_id, "pbx": PBX}
    row |= {"state": "closed", "reason": "card data", "wanted_by": operator.user_id, "via": "session"}
    row |= {"channels": [], "pausing": [], "resuming": [], "begins_at": begins, "ended_at": ends}
    row |= {"resume_at": begins + timedelta(minutes=2), "ended_how": "hand", "ended_by": operator.user_id}
    await unit.db.execute(insert(RecordingGap), row)


async def _heard(unit: Unit, boss: Actor, calls: Sequence[Row[*tuple[Any, ...]]]) -> None:
    """The supervisor heard the gap's call to its end, a part of the next one, and took one out for a reason."""
    for call, spans in zip(calls, ([[0.0, 13.5]], [[0.0, 3.2], [7.5, 9.0]]), strict=False):
        await listening.begin(unit, boss, call.call_id, call.n, address=_ADDRESS)
        await listening.hear(unit, boss, call.call_id, call.n, spans, address=_ADDRESS)
    last = calls[-1]
    await listening.take_out(unit, boss, last.call_id, last.n, "Claim 12 of the insurer", address=_ADDRESS)


async def _rules(unit: Unit, people: Mapping[str, Actor]) -> None:
    admin = people["admin"]
    for typed, on in RULES:
        rule = await rules.add(unit, admin, typed)
        if on:
            await rules.switch(unit, admin, rule, 1, on=True)
    first, second, third = [await _client(unit, CLIENTS[place].name) for place in (0, 1, 2)]
    year = unit.now + timedelta(days=365)
    await holds.place(unit, admin, "client", str(first), "Claim 12: letter of the insurer, 3 November", until=year)
    over = await holds.place(unit, admin, "client", str(second), "Asked by the labour inspectorate")
    await holds.lift(unit, admin, over, "The inquiry was closed on 14 November")
    await personfile.ask(unit, people["vera"], third, "Her request by mail of 18 November")


async def _client(unit: Unit, name: str) -> int:
    return int((await unit.db.execute(select(Client.id).where(Client.name == name).limit(1))).scalar_one())


def hush(folder: Path, muted: Muted) -> None:
    """Make those seconds silent, as MixMonitorMute does. Blocks."""
    path = folder / muted.file
    if not path.exists():
        return
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    samples[round(muted.begin_s * rate) : round(muted.end_s * rate)] = 0
    soundfile.write(path, samples, rate, format="WAV", subtype="PCM_16")
