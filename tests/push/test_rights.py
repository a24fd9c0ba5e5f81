"""Each message goes only to those who may see it; what memory answers is what the queries answer."""

from itertools import product

from sqlalchemy import insert, select

from callcrm.accounts import policy
from callcrm.accounts.policy import Actor
from callcrm.calls.tables import CallRow
from callcrm.kernel.writer import Unit
from callcrm.push import audience, views
from callcrm.tasks.tables import Task
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

    async def add(unit: Unit) -> list[tuple[int, int | None, str | None]]:
        made = []
        for owner, queue in product(owners, [None, "sales", "help"]):
            row = {"kind": "task", "owner_id": owner, "queue": queue, "created_at": unit.now}
            made.append(((await unit.db.execute(insert(Task).returning(Task.id), row)).scalar_one(), owner, queue))
        return made

    tasks = await stage.writer.do(add, name="tasks")
    people_of = {"sales": frozenset({"olga"})}
    async with stage.database.read() as db:
        people = {row.id: audience.Person(row.id, row.name, row.name, row.team, None) for row in await views.people(db)}
        for actor in stage.actors.values():
            mine = [queue for queue, names in people_of.items() if actor.name in names]
            rows = await db.execute(policy.visible_tasks(actor, select(Task.id), queues=mine))
            visible = {row.id for row in rows}
            for key, owner, queue in tasks:
                sees = audience.sees_task(actor, owner, queue, people_of.get(queue or "", frozenset()), people)
                assert sees == (key in visible), (actor.name, owner, queue)


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
    await stage.call(queue="sales", state="waiting")

    async def wait(unit: Unit) -> None:
        unit.fact("queue.changed", stream=STREAM, pbx="office", queue="sales")

    await stage.writer.do(wait, name="wait")
    assert (await olga.next("queue.changed"))["data"]["waiting"] == 1
