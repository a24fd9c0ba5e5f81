"""The demo's callbacks in every state: kept, late, escalated, taken, put off, dropped, tried in vain, after hours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select

from callcrm.accounts.policy import Actor, Line
from callcrm.calls import service as calls
from callcrm.calls.call import Call, CallLeg, Change, Rang, Talk
from callcrm.calls.rows import Context
from callcrm.demo.story import COLLEAGUES, PBX, QUEUES
from callcrm.kernel import clock
from callcrm.kernel.writer import Unit, Writer
from callcrm.tasks import acts
from callcrm.tasks.acts import Wish
from callcrm.tasks.following import OPEN_CALLBACK
from callcrm.tasks.tables import Task


@dataclass(frozen=True, slots=True)
class Tried:
    """A caller who was missed: so many minutes ago, on which line, how long he waited."""

    number: str
    minutes: float
    called: str = "+74950000001"
    queue: str | None = "sales"
    wait_s: float = 41.0
    why: str = "free"


@dataclass(frozen=True, slots=True)
class Called:
    """We called him back: by whom, and whether he answered."""

    number: str
    minutes: float
    by: str
    answered: bool = True


MISSED = (
    Tried("79629305502", 88), Tried("79629305502", 64, wait_s=73), Tried("79921184365", 55, "+74950000002", "support"),
    Tried("79135500770", 36, wait_s=112, why="busy"), Tried("79788801256", 29, "+74950000002", "support"),
    Tried("79131130021", 21), Tried("79131130021", 17, wait_s=19), Tried("78432901177", 14, wait_s=2.5),
    Tried("79085519007", 11, "+74950000002", "support", 57, "busy"), Tried("79104448063", 8),
    Tried("77272590011", 25, "+74950000004", None, 6, "closed"), Tried("79219907725", 50),
    Tried("79085512230", 45, "+74950000002", "support"), Tried("79133304417", 58),
)  # fmt: skip
CALLED = (
    Called("79629305502", 40, "timur", answered=False), Called("79135500770", 20, "ines", answered=False),
    Called("79219907725", 38, "olha"), Called("79085512230", 5, "jonas"),
)  # fmt: skip
#: (number, who, what he does with it)
DONE: tuple[tuple[str, str, Callable[[datetime], Wish]], ...] = (
    ("+79135500770", "olha", lambda _: Wish("take")),
    ("+79131130021", "timur", lambda _: Wish("take")),
    (
        "+79085519007",
        "olha",
        lambda now: Wish("snooze", until=now + timedelta(hours=1), reason="In a meeting"),
    ),
    ("+79133304417", "olha", lambda _: Wish("drop", reason="Advertising or nuisance")),
)


async def owe(
    writer: Writer,
    ids: Mapping[str, int],
    context: Context,
    after: Sequence[calls.After],
) -> None:
    """Write those calls as the listener does, and act on what follows from them."""
    at = clock.now().timestamp()
    told = [_missed(n, one, at) for n, one in enumerate(MISSED)] + [_called(n, one, at) for n, one in enumerate(CALLED)]
    told.sort(key=lambda call: call.at or 0.0)
    changes = [Change("call.ended", call, call.ended_at or at) for call in told]
    await writer.do(partial(_record, changes=changes, context=context, after=after), name="demo-owed")
    for number, who, wish in DONE:
        await writer.do(partial(_act, number=number, actor=_actor(ids, who), wish=wish), name="demo-acts")


async def _record(unit: Unit, changes: Sequence[Change], context: Context, after: Sequence[calls.After]) -> None:
    # One after the other, as they happened: a caller with whom somebody has talked since is owed nothing.
    for change in changes:
        await calls.record(unit, [change], context, after=after)


async def _act(unit: Unit, number: str, actor: Actor, wish: Callable[[datetime], Wish]) -> None:
    statement = select(Task.id, Task.version).where(Task.number == number, OPEN_CALLBACK)
    row = (await unit.db.execute(statement)).first()
    if row is not None:
        queues = [name for name, (_label, people) in QUEUES.items() if actor.name in people]
        await acts.do(unit, actor, wish(unit.now), {row.id: row.version}, queues=queues)


def _actor(ids: Mapping[str, int], name: str) -> Actor:
    one = next(colleague for colleague in COLLEAGUES if colleague.name == name)
    return Actor(ids[name], name, one.role, extensions=(Line(PBX, one.extension),), via="command")


def _extension(name: str) -> str:
    return next(colleague.extension for colleague in COLLEAGUES if colleague.name == name)


def _missed(n: int, one: Tried, now: float) -> Call:
    at = float(int(now - one.minutes * 60))
    leg = CallLeg(f"PJSIP/trunk-owed{n}", f"{int(at)}.7{n:02}", "trunk", one.number, at, None, None, None, None)
    return Call(
        id=f"owed-{int(at)}-{n}", pbx=PBX, uniqueid=leg.uniqueid, channel=leg.channel, direction="inbound",
        state="ended", at=at, client=one.number, called=one.called.removeprefix("+"), queue=one.queue,
        rang=(Rang("101", one.wait_s, at),) if one.queue and one.why == "free" else (),
        ended_at=at + one.wait_s, wait_s=one.wait_s, total_s=one.wait_s, missed=True, outcome="missed", why=one.why,
        ended_by="other side" if one.why == "closed" else "caller", legs=(leg,),
    )  # fmt: skip


def _called(n: int, one: Called, now: float) -> Call:
    at, phone = float(int(now - one.minutes * 60)), _extension(one.by)
    talk_s = 127.0 if one.answered else 0.0
    leg = CallLeg(f"PJSIP/{phone}-back{n}", f"{int(at)}.8{n:02}", "operator", phone, at, None, None, None, None)
    return Call(
        id=f"back-{int(at)}-{n}", pbx=PBX, uniqueid=leg.uniqueid, channel=leg.channel, direction="outbound",
        state="ended", at=at, client=one.number, called=one.number, operator=phone,
        talks=(Talk(phone, talk_s, at + 14),) if one.answered else (),
        answered_by=(phone,) if one.answered else (), answered_at=at + 14 if one.answered else None,
        ended_at=at + 25 + talk_s, total_s=25 + talk_s, outcome="answered" if one.answered else "no answer",
        ended_by="caller", client_ring_s=14.0, legs=(leg,),
    )  # fmt: skip
