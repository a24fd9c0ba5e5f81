"""What facts tell besides pops, read as it stands now and told through an outlet: live, or to who missed it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel.facts import Fact
from callcrm.push import views
from callcrm.push.teller import Outlet, Teller

_OTHERS = frozenset({"task.created", "task.changed", "operator.changed", "queue.changed", "link.changed"})


def call_of(fact: Fact) -> str | None:
    """The call whose row in the log this fact changed."""
    changes = fact.kind.startswith(("call.", "recording.")) and fact.ids.get("call")
    return str(fact.ids["call"]) if changes else None


def has_others(facts: Sequence[Fact]) -> bool:
    """Whether `tell_others` has anything to tell."""
    return any(fact.kind in _OTHERS for fact in facts)


async def tell_calls(db: AsyncConnection, facts: Sequence[Fact], teller: Teller, out: Outlet) -> None:
    """Each call that changed, once, as it is now."""
    for fact in facts:
        if fact.ids.get("into"):
            teller.folded(out, fact)
    ids = {key: fact.at for fact in facts if (key := call_of(fact))}
    for key, view in (await views.with_parties(db, await views.calls(db, ids))).items():
        teller.call(out, view, ids[key])


async def tell_others(db: AsyncConnection, facts: Sequence[Fact], teller: Teller, out: Outlet) -> None:
    """Tasks, operators, queues and links that changed, each once, as they are now."""
    await _tasks(db, facts, teller, out)
    for user, at in _last(facts, "operator.changed", "user").items():
        teller.operator(out, int(user), at)
    await _queues(db, facts, teller, out)
    links = _last(facts, "link.changed", "pbx")
    for row in await views.links(db, [str(name) for name in links]) if links else []:
        teller.link(out, row, links[row.pbx])


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
    found = await views.waiting(db, when.keys())
    for (pbx, queue), at in when.items():
        teller.queue(out, pbx, queue, found.get((pbx, queue)), at)
