"""Each message goes only to those who may see it; what memory answers is what the queries answer."""

from itertools import product

from sqlalchemy import insert, select

from callcrm.accounts import policy
from callcrm.accounts.policy import Actor
from callcrm.calls.tables import CallRow
from callcrm.kernel.writer import Unit
from callcrm.push import audience, views
from callcrm.quality.tables import Evaluation, QualityForm
from callcrm.shifts import service as shifts
from callcrm.shifts.states import Rules
from callcrm.tasks.tables import Task
from callcrm.telephony.tables import QueueMember, QueueRow
from tests.push.stage import STREAM, Stage


async def test_memory_and_queries_agree_on_who_sees_a_call(stage: Stage) -> None:
    lead = await stage.person("lead", "supervisor", team="sales")
    card = await stage.client("Owned", owner_id=stage.actors["olga"].user_id)
    ivan = stage.actors["ivan"].user_id
    calls = [
        await stage.call(facts=[("call.ringing", "olga")]),
        await stage.call(facts=[("call.ringing", "ivan")]),
        await stage.call(client_id=card),
        await stage.call(),
        await stage.call(direction="outbound", operator_id=ivan),
        await stage.call(facts=[("call.ringing", "olga"), ("call.ringing", "ivan")]),
    ]
    async with stage.database.read() as db:
        found = await views.with_parties(db, await views.calls(db, calls))
        people = {row.id: audience.Person(row.id, row.name, row.name, row.team, None) for row in await views.people(db)}
        seen = set()
        for actor in (*stage.actors.values(), lead):
            rows = await db.execute(policy.visible_calls(actor, select(CallRow.id)))
            visible = {row.id for row in rows}
            for call in calls:
                assert audience.sees_call(actor, found[call], people) == (call in visible), (actor.name, call)
            seen.add((actor.name, len(visible)))
    assert len({count for _, count in seen}) > 2


async def test_memory_and_queries_agree_on_who_sees_a_task(stage: Stage) -> None:
    await stage.person("lead", "supervisor", team="sales")
    owners = [None, stage.actors["olga"].user_id, stage.actors["ivan"].user_id]

    async def add(unit: Unit) -> list[tuple[int, int | None, str | None, str]]:
        made = []
        for owner, queue, kind in product(owners, [None, "sales", "help"], ["task", "callback"]):
            row = {"kind": kind, "owner_id": owner, "queue": queue, "created_at": unit.now}
            key = (await unit.db.execute(insert(Task).returning(Task.id), row)).scalar_one()
            made.append((key, owner, queue, kind))
        return made

    tasks = await stage.writer.do(add, name="tasks")
    people_of = {"sales": frozenset({"olga"})}
    async with stage.database.read() as db:
        people = {row.id: audience.Person(row.id, row.name, row.name, row.team, None) for row in await views.people(db)}
        for actor in stage.actors.values():
            mine = [queue for queue, names in people_of.items() if actor.name in names]
            rows = await db.execute(policy.visible_tasks(actor, select(Task.id), queues=mine))
            visible = {row.id for row in rows}
            for key, owner, queue, kind in tasks:
                of_queue = people_of.get(queue or "", frozenset())
                sees = audience.sees_task(actor, owner, queue, of_queue, people, kind=kind)
                assert sees == (key in visible), (actor.name, owner, queue, kind)


async def test_memory_and_queries_agree_on_who_sees_a_score(stage: Stage) -> None:
    await stage.person("lead", "supervisor", team="sales")
    people_there = [actor.user_id for actor in stage.actors.values()]

    async def add(unit: Unit) -> list[tuple[int, int, int, str]]:
        form = {"name": "Sales", "created_at": unit.now, "created_by": people_there[0]}
        form_id = (await unit.db.execute(insert(QualityForm).returning(QualityForm.id), form)).scalar_one()
        made = []
        for n, (subject, grader, state) in enumerate(product(people_there, people_there, ["submitted", "released"])):
            row = {"began": unit.now, "call_id": f"c{n}", "form_id": form_id, "form_n": 1, "subject_id": subject}
            row |= {"grader_id": grader, "state": state, "answers": {}, "created_at": unit.now, "changed_at": unit.now}
            key = (await unit.db.execute(insert(Evaluation).returning(Evaluation.id), row)).scalar_one()
            made.append((key, subject, grader, state))
        return made

    scores = await stage.writer.do(add, name="scores")
    async with stage.database.read() as db:
        people = {row.id: audience.Person(row.id, row.name, row.name, row.team, None) for row in await views.people(db)}
        for actor in stage.actors.values():
            visible = set((await db.execute(policy.visible_evaluations(actor, select(Evaluation.id)))).scalars())
            for key, subject, grader, state in scores:
                if subject == grader:
                    continue  # Nobody scores himself.
                sees = audience.sees_evaluation(actor, subject, grader, state, people)
                assert sees == (key in visible), (actor.name, subject, grader, state)


async def test_a_call_is_told_to_its_people_and_to_the_supervisor_only(stage: Stage) -> None:
    olga, ivan, vera = [await stage.listen(name) for name in ("olga", "ivan", "vera")]
    call = await stage.call(facts=[("call.ringing", "olga")])
    assert (await olga.next("call.changed"))["data"]["call"] == call
    assert (await vera.next("call.changed"))["data"]["call"] == call
    assert await ivan.quiet("call.changed", 0.5)


async def test_a_masked_account_gets_no_whole_number_in_any_message(stage: Stage) -> None:
    await stage.person("mia", masked=True)
    mia = await stage.listen("mia")
    user = stage.actors["mia"].user_id
    await stage.call(facts=[("call.ringing", "mia")])
    await stage.call(direction="outbound", operator_id=user, called="+79161234567", queue=None)

    async def add(unit: Unit) -> None:
        row = {"kind": "callback", "number": "+79161234567", "owner_id": user, "created_at": unit.now}
        key = (await unit.db.execute(insert(Task).returning(Task.id), row)).scalar_one()
        unit.fact("task.created", task=key, owner=user)

    await stage.writer.do(add, name="task")
    await mia.next("task.created")
    await mia.next("call.changed")
    await mia.quiet("nothing", 0.4)
    assert {frame["type"] for frame in mia.seen} >= {"pop.offered", "call.changed", "task.created"}
    assert "9161234567" not in str(mia.seen)
    assert "916 123" not in str(mia.seen)
    assert "•" in str(mia.seen)


async def test_several_changes_of_one_call_are_one_message(stage: Stage) -> None:
    vera = await stage.listen("vera")
    call = await stage.call(facts=[("call.ringing", "olga")])
    for state in ("talking", "held", "talking", "held"):
        await stage.happen("call.changed", call, state=state)
    changed = await vera.next("call.changed")
    assert changed["data"]["state"] == "held"
    assert await vera.quiet("call.changed", 0.5)


async def test_links_queues_and_people_are_told(stage: Stage) -> None:
    from callcrm.kernel.tables import LinkState

    olga, vera = await stage.listen("olga"), await stage.listen("vera")
    ivan: Actor = stage.actors["ivan"]

    async def tell(unit: Unit) -> None:
        row = {"pbx": "office", "state": "gone", "words": "The PBX is gone.", "since": unit.now}
        await unit.db.execute(insert(LinkState), row)
        unit.fact("link.changed", stream=STREAM, pbx="office")
        unit.fact("operator.changed", user=ivan.user_id)

    await stage.writer.do(tell, name="tell")
    assert (await olga.next("link.changed"))["data"]["words"] == "The PBX is gone."
    told = await vera.next("operator.changed")
    assert (told["data"]["name"], told["data"]["state"]) == ("Ivan", "off")
    assert await olga.quiet("operator.changed", 0.3)


async def test_a_queue_is_told_as_figures_and_its_people_to_who_sees_everybody(stage: Stage) -> None:
    olga, vera = await stage.listen("olga"), await stage.listen("vera")
    ivan: Actor = stage.actors["ivan"]

    async def wait(unit: Unit) -> None:
        row = {"pbx": "office", "queue": "sales", "waiting": 1, "longest_since": unit.now, "changed_at": unit.now}
        await unit.db.execute(insert(QueueRow), row | {"members": 1})
        place = {"pbx": "office", "queue": "sales", "interface": "PJSIP/1", "extension": f"{100 + ivan.user_id}"}
        place |= {"state": "free", "paused": True, "reason": "Lunch", "paused_at": unit.now}
        await unit.db.execute(insert(QueueMember), place)
        unit.fact("queue.changed", stream=STREAM, pbx="office", queue="sales")

    await stage.writer.do(wait, name="wait")
    told = (await olga.next("queue.changed"))["data"]
    assert (told["waiting"], told["label"], told["free"], told["paused"], told["places"]) == (1, "Sales desk", 0, 1, [])
    (seen,) = (await vera.next("queue.changed"))["data"]["places"]
    assert (seen["operator"], seen["name"], seen["paused"], seen["reason"]) == (ivan.user_id, "Ivan", True, "Lunch")


async def test_a_persons_state_is_told_with_its_reason_and_its_beginning(stage: Stage) -> None:
    olga, vera = await stage.listen("olga"), await stage.listen("vera")
    ivan: Actor = stage.actors["ivan"]
    rules = Rules(pauses={"Lunch": 45.0})

    async def rest(unit: Unit) -> None:
        await shifts.start(unit, ivan)
        await shifts.pause(unit, ivan, "Lunch", rules)

    await stage.writer.do(rest, name="rest")
    told = (await vera.next("operator.changed"))["data"]
    assert (told["name"], told["state"], told["reason"]) == ("Ivan", "paused", "Lunch")
    assert told["since"] is not None
    assert await olga.quiet("operator.changed", 0.3)
    call = await stage.call(facts=[("call.ringing", "ivan")])
    assert (await vera.next("operator.changed"))["data"]["state"] == "ringing"
    await stage.happen("call.ended", call)
    assert (await vera.next("operator.changed"))["data"]["state"] == "paused"
