"""What facts tell besides pops, read as it stands now and told through an outlet: live, or to who missed it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel.facts import Fact
from callcrm.kernel.prepared import Db
from callcrm.push import grading, reminding, views
from callcrm.push.teller import Outlet, Teller
from callcrm.shifts import queries as shifts

_OTHERS = grading.KINDS | {
    "task.created",
    "task.changed",
    reminding.KIND,
    "queue.changed",
    "link.changed",
}


def call_of(fact: Fact) -> str | None:
    """The call whose row in the log this fact changed."""
    changes = fact.kind.startswith(("call.", "recording.")) and fact.ids.get("call")
    return str(fact.ids["call"]) if changes else None


def has_others(facts: Sequence[Fact]) -> bool:
    """Whether `tell_others` has more to tell than how people stand."""
    return any(fact.kind in _OTHERS or of_people(fact) for fact in facts)


def of_people(fact: Fact) -> bool:
    """Whether somebody's account changed, not only what he does."""
    return fact.kind == "operator.changed" and "state" not in fact.ids


def people_of(facts: Sequence[Fact]) -> dict[int, datetime]:
    """Who does something else now, and since when that is known."""
    return {int(user): at for user, at in _last(facts, "operator.changed", "user").items()}


async def tell_calls(db: AsyncConnection, facts: Sequence[Fact], teller: Teller, out: Outlet) -> None:
    """Each call that changed, once, as it is now."""
    for fact in facts:
        if fact.ids.get("into"):
            teller.folded(out, fact)
    ids = {key: fact.at for fact in facts if (key := call_of(fact))}
    for key, view in (await views.with_parties(db, await views.calls(db, ids))).items():
        teller.call(out, view, ids[key])


async def tell_others(db: AsyncConnection, facts: Sequence[Fact], teller: Teller, out: Outlet) -> None:
    """Tasks, operators, queues, links and scores that changed, each once, as they are now."""
    await _tasks(db, facts, teller, out)
    await reminding.tell(db, facts, out)
    await grading.tell(db, facts, teller.people, out)
    await tell_operators(db, people_of(facts), teller, out)
    await _queues(db, facts, teller, out)
    links = _last(facts, "link.changed", "pbx")
    for row in await views.links(db, [str(name) for name in links]) if links else []:
        teller.link(out, row, links[row.pbx])


async def tell_operators(db: Db, people: Mapping[int, datetime], teller: Teller, out: Outlet) -> None:
    """What these people do now."""
    teller.set_stands(await shifts.standings(db, people) if people else {})
    for user, at in people.items():
        teller.operator(out, user, at)


def _last(facts: Sequence[Fact], kind: str, key: str) -> dict[str | int, datetime]:
    """When each thing was last told of by this kind of fact."""
    found = {}
    for fact in facts:
        which = fact.ids.get(key)
        if fact.kind == kind and which is not None:
            found[which] = fact.at
    return found


async def _tasks(db: AsyncConnection, facts: Sequence[Fact], teller: Teller, out: Outlet) -> None:
    created, changed = _last(facts, "task.created", "task"), _last(facts, "task.changed", "task")
    when = created | changed
    if not when:
        return
    for row in await views.tasks(db, [int(key) for key in when]):
        kind = "task.created" if row.id in created else "task.changed"
        teller.task(out, kind, row, when[row.id])


async def _queues(db: AsyncConnection, facts: Sequence[Fact], teller: Teller, out: Outlet) -> None:
    when = {
        (str(fact.ids.get("pbx")), str(fact.ids.get("queue"))): fact.at
        for fact in facts
        if fact.kind == "queue.changed"
    }
    if not when:
        return
    found = {(one.pbx, one.queue): one for one in await shifts.queues(db, when.keys())}
    for (pbx, queue), at in when.items():
        teller.queue(out, found.get((pbx, queue)) or shifts.Queue(pbx, queue, 0, None), at)
