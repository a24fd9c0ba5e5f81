"""Tasks as things that happened: opened then, closed then, for whom one may see."""

from typing import Any

from callcrm.accounts.policy import Actor
from callcrm.clients import editing
from callcrm.kernel.database import Database
from callcrm.kernel.paging import Page, Wanted
from callcrm.kernel.writer import Writer
from callcrm.tasks import history, service
from callcrm.tasks.history import Asked, TaskEvent
from tests.people import OLGA, RUSLAN, VERA, hire


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def events(
    database: Database, actor: Actor, asked: Asked, *, closed: bool = False, wanted: Wanted | None = None
) -> Page[TaskEvent]:
    async with database.read() as db:
        return await history.events(db, actor, asked, wanted, closed=closed)


async def test_openings_and_closings_stand_in_their_own_order(writer: Writer, database: Database) -> None:
    await hire(writer)
    firm = await do(writer, editing.add_organisation, OLGA, {"name": "Acme"})
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann", "organisation_id": firm})
    typed = {"client_id": ann, "owner_id": OLGA.user_id}
    made = [await do(writer, service.add_task, OLGA, typed | {"title": f"Task {n}"}) for n in range(3)]
    callback = {"kind": "callback", "number": "+79161234567", "client_id": ann, "owner_id": OLGA.user_id}
    await do(writer, service.add_task, OLGA, callback)
    await do(writer, service.add_task, OLGA, {"title": "Somebody else's"})
    opened = (await events(database, OLGA, Asked(client=ann, callbacks=False))).items
    assert [one.title for one in opened] == ["Task 2", "Task 1", "Task 0"]
    assert {one.closed for one in opened} == {False} and opened[0].owner_name == "Olga Bondar"
    assert [one.kind for one in (await events(database, OLGA, Asked(client=ann, callbacks=True))).items] == ["callback"]
    assert len((await events(database, OLGA, Asked(organisation=firm))).items) == 4
    first = await events(database, OLGA, Asked(client=ann, callbacks=False), wanted=Wanted(2))
    rest = await events(database, OLGA, Asked(client=ann, callbacks=False), wanted=Wanted(2, first.next or ""))
    assert [one.title for one in (*first.items, *rest.items)] == ["Task 2", "Task 1", "Task 0"] and rest.next is None
    assert (await events(database, VERA, Asked(client=ann), closed=True)).items == ()
    await do(writer, service.close, OLGA, made[0], 1)
    (closed,) = (await events(database, VERA, Asked(client=ann), closed=True)).items
    assert (closed.title, closed.closed, closed.closed_by_name) == ("Task 0", True, "Olga Bondar")
    assert (await events(database, RUSLAN, Asked(client=ann))).items == ()
