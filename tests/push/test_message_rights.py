"""Every type of push message, and who is told: a type without a line in the table fails."""

from collections.abc import Iterable

from sqlalchemy import insert

from callcrm.kernel.tables import LinkState
from callcrm.kernel.writer import Unit
from callcrm.push import messages
from callcrm.push.asyncapi import type_of
from callcrm.quality.sampling_tables import CoachingGiven, CoachingList
from callcrm.quality.tables import Evaluation, QualityForm
from callcrm.tasks.tables import Task, TaskReminder
from tests.push.stage import STREAM, Listener, Stage

PEOPLE = {
    "tara": ("operator", "north"),
    "rolf": ("operator", "south"),
    "nina": ("supervisor", "north"),
    "sam": ("supervisor", "south"),
    "chief": ("supervisor", ""),
    "root": ("admin", ""),
}
HERS, REACH, ALL = {"tara"}, {"tara", "nina", "chief", "root"}, set(PEOPLE)
#: Who is told of what is Tara's; queues and links are everybody's, hello and refetch each one's own.
WHO: dict[str, set[str]] = {
    "pop.offered": HERS,
    "pop.answered": HERS,
    "pop.withdrawn": HERS,
    "pop.ended": HERS,
    "call.changed": REACH,
    "task.created": REACH,
    "task.changed": REACH,
    "task.reminded": HERS,
    "operator.changed": REACH,
    "queue.changed": ALL,
    "link.changed": ALL,
    "evaluation.changed": REACH,
    "coaching.changed": REACH,
    "review.changed": REACH - HERS,
    "hello": ALL,
    "refetch": set(),
}


def test_every_type_stands_in_the_table() -> None:
    assert {type_of(frame) for frame in messages.SERVER_FRAMES} == set(WHO)


async def happenings(stage: Stage) -> None:
    """One of each, all Tara's."""
    user = stage.actors["tara"].user_id
    call = await stage.call(facts=[("call.ringing", "tara")])
    await stage.happen("call.answered", call, "tara", state="talking")
    await stage.happen("call.left", call, "tara")
    other = await stage.call(facts=[("call.ringing", "tara")])
    await stage.happen("call.stopped_ringing", other, "tara")

    async def rest(unit: Unit) -> None:
        row = {"kind": "task", "title": "Hers", "owner_id": user, "created_at": unit.now}
        key = int((await unit.db.execute(insert(Task).returning(Task.id), row)).scalar_one())
        await unit.db.execute(insert(TaskReminder), {"task_id": key, "user_id": user, "at": unit.now})
        unit.fact("task.created", task=key, owner=user)
        unit.fact("task.reminded", task=key, user=user)
        link = {"pbx": "office", "state": "gone", "words": "Gone.", "since": unit.now}
        await unit.db.execute(insert(LinkState), link)
        unit.fact("link.changed", stream=STREAM, pbx="office")
        unit.fact("operator.changed", user=user)
        unit.fact("queue.changed", stream=STREAM, pbx="office", queue="sales")

    await stage.writer.do(rest, name="rest")
    await stage.writer.do(lambda unit: learning(unit, user, stage.actors["nina"].user_id), name="learning")

    async def changed(unit: Unit) -> None:
        unit.fact("task.changed", task=1, owner=user)

    await stage.settle()
    await stage.writer.do(changed, name="changed")


async def learning(unit: Unit, user: int, boss: int) -> None:
    """Tara's score is released, a list is given to her, and another call of hers is to be reviewed."""
    form = {"name": "Sales", "created_at": unit.now, "created_by": boss}
    form_id = (await unit.db.execute(insert(QualityForm).returning(QualityForm.id), form)).scalar_one()
    row = {"began": unit.now, "call_id": "c", "form_id": form_id, "form_n": 1, "subject_id": user, "grader_id": boss}
    row |= {"state": "released", "answers": {}, "created_at": unit.now, "changed_at": unit.now}
    score = (await unit.db.execute(insert(Evaluation).returning(Evaluation.id), row)).scalar_one()
    made = {"title": "Openings", "made_by": boss, "made_at": unit.now}
    heard = (await unit.db.execute(insert(CoachingList).returning(CoachingList.id), made)).scalar_one()
    await unit.db.execute(
        insert(CoachingGiven), {"list_id": heard, "user_id": user, "given_by": boss, "given_at": unit.now}
    )
    unit.fact("evaluation.changed", evaluation=score, user=user, act="released")
    unit.fact("coaching.changed", list=heard, user=user, act="given")
    unit.fact("review.changed", user=user)


async def seen(listeners: Iterable[tuple[str, Listener]]) -> dict[str, set[str]]:
    """Who got which types."""
    found: dict[str, set[str]] = {}
    for name, listener in listeners:
        await listener.quiet("nothing", 0.6)
        for frame in listener.seen:
            found.setdefault(frame["type"], set()).add(name)
    return found


async def test_each_message_reaches_exactly_whom_the_table_names(stage: Stage) -> None:
    for name, (role, team) in PEOPLE.items():
        await stage.person(name, role, team=team)
    await stage.settle()  # what their own beginning told is told by then to nobody
    listeners = [(name, await stage.listen(name)) for name in PEOPLE]
    await happenings(stage)
    await stage.settle()
    found = await seen(listeners)
    assert {kind: sorted(found.get(kind, set())) for kind in WHO} == {kind: sorted(who) for kind, who in WHO.items()}
