"""Calls as the call model tells them, made by hand: a call's life as a list of changes."""

from dataclasses import replace
from typing import Any
from zlib import crc32

from sqlalchemy import select

from callcrm.calls.call import Call, CallLeg, Change, Rang, Talk
from callcrm.calls.rows import Context, site
from callcrm.kernel.database import Database
from callcrm.kernel.schema import Base
from callcrm.kernel.tables import FactRow

#: 2026-11-18 10:00:00 UTC, a Wednesday.
T0 = 1794996000.0
OFFICE = "office"
LINE = "74950000001"
MOBILE = "79161234567"


def context(*people: tuple[str, int]) -> Context:
    """The office's PBX in Russia, with one own number and these (extension, user)."""
    return Context({OFFICE: site("RU", [LINE, "74950000002"])}, {(OFFICE, ext): user for ext, user in people})


def call(key: str = "c1", at: float = T0, **more: Any) -> Call:
    """An inbound call that waits in the sales queue."""
    given: dict[str, Any] = {
        "uniqueid": f"{int(at)}.{crc32(key.encode()) % 997}",
        "channel": f"PJSIP/trunk-{key}",
        "direction": "inbound",
        "state": "waiting",
        "client": MOBILE,
        "called": LINE,
        "queue": "sales",
        "legs": (leg(f"PJSIP/trunk-{key}", "trunk", MOBILE, at),),
    }
    return Call(id=key, pbx=OFFICE, at=at, **{**given, **more})


def leg(channel: str, side: str, who: str | None, at: float | None, **more: Any) -> CallLeg:
    """One party's channel."""
    given = {"ring_s": None, "answered_at": None, "talk_s": None, "cause": None, **more}
    return CallLeg(channel, f"{at}.1", side, who, at, **given)


def began(one: Call) -> Change:
    """The call is seen for the first time."""
    return Change("call.began", one, one.at or T0)


def rings(one: Call, *extensions: str, after: float = 1.0) -> list[Change]:
    """These phones begin to ring, one after the other."""
    changes = []
    for extension in extensions:
        at = (one.at or T0) + after
        legs = (*one.legs, leg(f"PJSIP/{extension}-{one.id}", "operator", extension, at))
        rang = (*one.rang, Rang(extension, None, at))
        one = replace(one, state="ringing", rang=rang, ringing=(*one.ringing, extension), legs=legs)
        changes.append(Change("call.ringing", one, at, extension))
    return changes


def answers(one: Call, extension: str, after: float = 5.0) -> list[Change]:
    """One of the phones answers, the others fall silent."""
    at = (one.at or T0) + after
    silent = tuple(Rang(r.operator, round(at - (r.at or at), 3), r.at) for r in one.rang)
    others = [other for other in one.ringing if other != extension]
    one = replace(
        one,
        state="talking",
        rang=silent,
        ringing=(),
        talks=(*one.talks, Talk(extension, None, at)),
        talking=(extension,),
        answered_by=(*one.answered_by, extension),
        answered_at=one.answered_at or at,
        wait_s=after,
        outcome="answered",
    )
    stopped = [Change("call.stopped_ringing", one, at, other) for other in others]
    return [Change("call.answered", one, at, extension), *stopped]


def ends(one: Call, after: float = 30.0, **more: Any) -> Change:
    """The call is over: answered when somebody talked, else missed (inbound) or without answer."""
    at = (one.at or T0) + after
    answered = bool(one.answered_by)
    missed = one.direction == "inbound" and not answered
    talks = tuple(
        Talk(t.operator, round(at - (t.at or at), 3) if t.talk_s is None else t.talk_s, t.at) for t in one.talks
    )
    rang = tuple(
        Rang(r.operator, round(at - (r.at or at), 3) if r.ring_s is None else r.ring_s, r.at) for r in one.rang
    )
    given: dict[str, Any] = {
        "state": "ended",
        "ended_at": at,
        "ringing": (),
        "talking": (),
        "talks": talks,
        "rang": rang,
        "missed": missed,
        "outcome": "answered" if answered else "missed" if missed else "no answer",
        "ended_by": "caller",
        "wait_s": one.wait_s if answered else after,
        "total_s": after,
    }
    return Change("call.ended", replace(one, **{**given, **more}), at)


def answered_life(
    key: str = "c1", at: float = T0, by: str = "101", others: tuple[str, ...] = ("102",), **more: Any
) -> list[Change]:
    """A call from its beginning to its end, answered."""
    one = call(key, at, **more)
    ringing = rings(one, by, *others)
    talking = answers(ringing[-1].call, by)
    return [began(one), *ringing, *talking, ends(talking[-1].call)]


def missed_life(key: str = "c1", at: float = T0, wait: float = 20.0, **more: Any) -> list[Change]:
    """A call that rings at two phones and is given up."""
    one = call(key, at, **more)
    ringing = rings(one, "101", "102")
    return [began(one), *ringing, ends(ringing[-1].call, wait)]


def outbound_life(
    key: str = "o1", at: float = T0, answered: bool = True, to: str = MOBILE, by: str = "101", **more: Any
) -> list[Change]:
    """An operator calls a client."""
    legs = (leg(f"PJSIP/{by}-{key}", "operator", by, at), leg(f"PJSIP/trunk-{key}", "trunk", to, at + 1))
    one = call(key, at, direction="outbound", client=to, called=to, operator=by, queue=None, legs=legs, **more)
    if not answered:
        return [began(one), ends(one, 20.0)]
    talking = answers(one, by)
    return [began(one), *talking, ends(talking[-1].call)]


async def rows(database: Database, table: type[Base], *order: Any) -> list[dict[str, Any]]:
    """All rows of a table, as dicts, in order of the key."""
    columns = table.__table__.columns
    keys = order or tuple(table.__table__.primary_key)  # type: ignore[arg-type]
    async with database.read() as db:
        return [dict(row) for row in (await db.execute(select(*columns).order_by(*keys))).mappings()]


async def facts(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """All stored facts, (kind, ids), in order of position."""
    found = await rows(database, FactRow, FactRow.stream, FactRow.position)
    return [(row["kind"], row["ids"]) for row in found]
