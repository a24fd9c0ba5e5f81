"""A small office with some history: clients, calls of every fate, callbacks, tasks, a recording."""

import wave
from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from callcrm.calls import notes, service, xraykeeping, xrays
from callcrm.calls.call import Change, Transfer
from callcrm.calls.rows import Context, site
from callcrm.calls.tables import CallRecording, CallRow, Pop
from callcrm.calls.xraytables import RecordingXray
from callcrm.clients import editing
from callcrm.kernel import clock
from callcrm.kernel.tables import LinkState
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from callcrm.push.pop import pop_id
from callcrm.tasks import service as tasks
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.following import Callbacks
from recordings import peaks_of
from recordings.xray import xray_of
from tests import people
from tests.calls import making

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
CONTEXT = Context(
    {"office": site("RU", ["74950000001"])},
    {("office", "101"): people.OLGA.user_id, ("office", "102"): people.RUSLAN.user_id},
)
MARINA, NORTH, SHARED = "79161234567", "79031112233", "78121112244"


def ago(minutes: float) -> float:
    """Seconds since the epoch, so many minutes before now, whole."""
    return float(int((clock.now() - timedelta(minutes=minutes)).timestamp()))


def told(changes: list[Change]) -> list[Change]:
    """The same with what each leg did, as the tracker tells it."""
    last = changes[-1].call
    rings = {one.operator: one.ring_s for one in last.rang}
    talks = {one.operator: one for one in last.talks}
    legs = [
        replace(
            leg,
            ring_s=rings.get(leg.who or ""),
            answered_at=talks[leg.who].at if leg.who in talks else None,
            talk_s=talks[leg.who].talk_s if leg.who in talks else None,
        )
        for leg in last.legs
    ]
    return [*changes[:-1], replace(changes[-1], call=replace(last, legs=tuple(legs)))]


async def record(writer: Writer, *changes: Change) -> None:
    """Write calls as the listener does, with what follows from them."""
    callbacks = Callbacks(Rules(minutes=30))
    await writer.do(lambda unit: service.record(unit, changes, CONTEXT, after=[callbacks.follow]), name="record")


def sound_file(folder: Path, name: str = "talk.wav", seconds: float = 12.0) -> str:
    """A stereo recording: the client hums on the left, the operator on the right, by turns."""
    rate = 8000
    samples = array("h")
    for n in range(int(rate * seconds)):
        speaks = int(n / rate / 1.5) % 2
        level = int(9000 * sin(n / (6 + 3 * speaks)) * abs(sin(n / 2900)))
        samples.extend((level if not speaks else 0, level if speaks else 0))
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / name), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return name


async def fill(writer: Writer, folder: Path | None = None) -> dict[str, int]:
    """The office's history; the ids of clients by a short name."""
    clients = await writer.do(add_clients, name="clients")
    await record(writer, *told(making.answered_life("talked", ago(190), name="Marina K")))
    await record(writer, *told(_transferred("moved", ago(120))))
    await record(writer, *making.missed_life("lost", ago(24), client=NORTH))
    await record(writer, *making.missed_life("lost2", ago(14), client=NORTH))
    await record(writer, *making.missed_life("stranger", ago(50), client="79998887766", name=HOSTILE))
    await record(writer, *making.missed_life("kept", ago(45), client=SHARED))
    await record(writer, *making.outbound_life("back", ago(30), to=SHARED))
    await record(writer, *making.outbound_life("unheard", ago(20), answered=False, to=MARINA))
    await record(writer, *making.missed_life("hidden", ago(9), client=None))
    await writer.do(lambda unit: _written(unit, clients["marina"]), name="written")
    if folder is not None:
        await add_sound(writer, "talked", folder, sound_file(folder))
    await writer.do(_link, name="link")
    return clients


async def add_clients(unit: Unit) -> dict[str, int]:
    """People and an organisation with cards; their ids by a short name."""
    actor = people.OLGA
    firm = await editing.add_organisation(unit, actor, {"name": "ООО «Северный склад»"})
    marina = {
        "name": "Марина Коваленко",
        "job": "Head of purchasing",
        "organisation_id": firm,
        "tags": ["Dealer B", "Solar"],
    }
    found = {
        "marina": await editing.add_client(unit, actor, marina | {"owner_id": actor.user_id}, [MARINA], country="RU")
    }
    sergey = {"name": "Сергей Бондарь", "job": "Warehouse", "organisation_id": firm}
    found["sergey"] = await editing.add_client(unit, actor, sergey, [SHARED], country="RU")
    oxana = {"name": "Oxana Lys", "job": "Accounts", "organisation_id": firm}
    found["oxana"] = await editing.add_client(unit, actor, oxana, [SHARED], country="RU")
    evil = {"name": HOSTILE, "job": HOSTILE[:90], "tags": [HOSTILE[:30]], "note": HOSTILE}
    found["evil"] = await editing.add_client(unit, actor, evil, ["+442079460000"], country="RU")
    north = {"name": "Budi Santoso", "job": "Director"}
    found["north"] = await editing.add_client(unit, actor, north, [NORTH], country="RU")
    return found


def _transferred(key: str, at: float) -> list[Change]:
    """A call that Olga hands on to Ruslan."""
    life = making.answered_life(key, at, others=())
    talking = next(change.call for change in life if change.kind == "call.answered")
    colleague = making.leg(f"PJSIP/102-{key}", "operator", "102", at + 12)
    handed = replace(
        talking,
        legs=(*talking.legs, colleague),
        transfers=(Transfer("attended", "101", "102", True, 8.0, 20.0, at + 18),),
        hold_s=9.0,
    )
    both = making.answers(replace(handed, state="ringing"), "102", 20.0)
    return [*life[:-1], *both, making.ends(both[-1].call, 60.0)]


async def _written(unit: Unit, marina: int) -> None:
    note = "Wants instalments for six months.\nDelivery to the north store by the 27th."
    await notes.note(unit, people.OLGA, "talked", note)
    await notes.set_disposition(unit, people.OLGA, "talked", "Order")
    due = unit.now + timedelta(hours=2)
    typed = {"title": "Send the new price list", "client_id": marina, "due_at": due}
    await tasks.add_task(unit, people.OLGA, typed)
    await tasks.add_task(unit, people.OLGA, {"title": HOSTILE[:190], "note": HOSTILE})


async def _link(unit: Unit) -> None:
    row: dict[str, Any] = {
        "pbx": "office",
        "state": "connected",
        "words": "Connected; the last event came a moment ago.",
    }
    row |= {"since": unit.now - timedelta(hours=6), "seen_at": unit.now, "version": "22.1.0", "detail": {}}
    await upsert(unit.db, LinkState, row)


async def add_sound(writer: Writer, call_id: str, folder: Path, name: str, state: str = "present") -> None:
    """Give a call a recording that was looked at."""
    found = peaks_of(folder / name)

    async def work(unit: Unit) -> None:
        began = await unit.db.scalar(select(CallRow.began).where(CallRow.id == call_id))
        row: dict[str, Any] = {
            "began": began,
            "call_id": call_id,
            "n": 0,
            "pbx": "office",
            "file": name,
            "state": state,
            "cause": "",
        }
        row |= {"seconds": found.seconds, "channels": 2, "size": (folder / name).stat().st_size}
        row |= {"peaks": found.to_bytes(), "check_at": None}
        await upsert(unit.db, CallRecording, row)

    await writer.do(work, name="sound")


async def add_xray(writer: Writer, call_id: str, folder: Path, name: str) -> None:
    """Look through a call's recording as the worker does."""
    figures = xrays.recording_figures(xray_of(folder / name))

    async def work(unit: Unit) -> None:
        began = await unit.db.scalar(select(CallRow.began).where(CallRow.id == call_id))
        row: dict[str, Any] = {"began": began, "call_id": call_id, "n": 0, "made_at": unit.now, "error": ""}
        await upsert(unit.db, RecordingXray, row | figures)
        await unit.db.execute(update(CallRecording).where(CallRecording.call_id == call_id).values(xrayed_at=unit.now))
        assert began is not None
        await xraykeeping.write_call(unit, began, call_id)

    await writer.do(work, name="xray")


async def ring(writer: Writer, key: str = "now", client: str | None = MARINA, user: int = people.OLGA.user_id) -> str:
    """A call rings at Olga's and Ruslan's phones now; the id of Olga's pop."""
    one = making.call(key, ago(0.3), client=client)
    await record(writer, making.began(one), *making.rings(one, "101", "102", after=6.0))
    return await add_pop(writer, key, user)


async def add_pop(writer: Writer, call_id: str, user: int, state: str = "offered") -> str:
    """The pop as the push server keeps it."""
    key = pop_id(call_id, user)

    async def work(unit: Unit) -> None:
        row = {"at": datetime.fromtimestamp(ago(0.12), UTC), "id": key, "call_id": call_id, "user_id": user}
        row |= {"extension": "101", "state": state, "reason": "", "answered_by": ""}
        await upsert(unit.db, Pop, row)

    await writer.do(work, name="pop")
    return key


async def set_pop(writer: Writer, key: str, **values: object) -> None:
    """Move a pop on."""
    await writer.do(lambda unit: unit.db.execute(update(Pop).where(Pop.id == key).values(**values)), name="pop")
