"""The policy: who may do what, and that the queries show exactly what the words say."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from callcrm.accounts.policy import (
    RIGHTS,
    ROLES,
    Actor,
    Right,
    may,
    require,
    scope,
    shown_number,
    visible_calls,
    visible_clients,
    visible_tasks,
)
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallOperator, CallRow
from callcrm.clients.tables import Client
from callcrm.kernel.database import Database
from callcrm.kernel.errors import NotAllowed
from callcrm.tasks.tables import Task

T0 = datetime(2026, 11, 21, 9, tzinfo=UTC)
TEAMS = {1: "north", 2: "north", 3: "south", 4: ""}
OPERATOR = Actor(1, "o", "operator", "north")
LEADER = Actor(5, "l", "supervisor", "north")
SUPERVISOR = Actor(6, "s", "supervisor")
ADMIN = Actor(7, "a", "admin", "north")


def test_a_role_has_what_the_role_below_it_has_and_more():
    assert RIGHTS["operator"] < RIGHTS["supervisor"] < RIGHTS["admin"] == set(Right)
    assert not may(OPERATOR, Right.EXPORT)
    assert not may(SUPERVISOR, Right.ACCOUNTS)
    assert not may(Actor(1, "x", "cook"), Right.CALLS)
    require(ADMIN, Right.PBX)
    with pytest.raises(NotAllowed, match=r"Your role \(operator\) may not see who saw what"):
        require(OPERATOR, Right.AUDIT)


def test_a_supervisor_with_a_team_sees_the_team_and_one_without_sees_all():
    assert [scope(actor) for actor in (OPERATOR, LEADER, SUPERVISOR, ADMIN)] == ["own", "team", "all", "all"]
    assert scope(Actor(1, "x", "cook", "north")) == "own"
    assert set(ROLES) == set(RIGHTS)


def test_numbers_are_masked_for_whom_they_are_to_be():
    masked = Actor(1, "o", "operator", masked=True)
    assert shown_number(OPERATOR, "+74951234567") == "+74951234567"
    assert shown_number(masked, "+74951234567") == "+749••••••67"
    assert shown_number(masked, "101") == "101"
    assert shown_number(masked, None) is None


@pytest.fixture
async def world(database: Database) -> dict[str, list[dict[str, object]]]:
    """Calls, their people, clients and tasks in every mixture."""
    dice = random.Random(7)
    people = [None, 1, 2, 3, 4]
    clients = [{"id": n, "owner_id": dice.choice(people)} for n in range(1, 11)]
    calls, parts = [], []
    for n in range(80):
        began = T0 + timedelta(minutes=n)
        rang = dice.sample([1, 2, 3, 4], dice.choice([0, 0, 1, 2]))
        unknown = dice.random() < 0.2
        calls.append(
            {
                "id": f"c{n}",
                "began": began,
                "operator_id": dice.choice([None, *rang]),
                "client_id": dice.choice([None, *range(1, 11)]),
                "rang": rang,
            }
        )
        parts += [
            {"began": began, "call_id": f"c{n}", "extension": f"10{user or 9}", "user_id": user}
            for user in [*rang, *([None] if unknown else [])]
        ]
    tasks = [
        {"id": n, "owner_id": dice.choice(people), "queue": dice.choice([None, "sales", "support"])}
        for n in range(1, 41)
    ]
    async with database.transaction() as db:
        rows = [{"id": n, "name": f"u{n}", "team": team} for n, team in TEAMS.items()]
        await db.execute(insert(User), [row | {"role": "operator", "created_at": T0} for row in rows])
        await db.execute(insert(Client), [row | {"created_at": T0, "changed_at": T0} for row in clients])
        more = {"pbx": "office", "uniqueid": "1", "direction": "inbound"}
        fields = ("id", "began", "operator_id", "client_id")
        await db.execute(
            insert(CallRow), [{f: call[f] for f in fields} | more | {"at": call["began"]} for call in calls]
        )
        await db.execute(insert(CallOperator), parts)
        await db.execute(insert(Task), [row | {"kind": "todo", "created_at": T0} for row in tasks])
    return {"calls": calls, "clients": clients, "tasks": tasks}


def _mine(actor: Actor, user: object) -> bool:
    if user is None:
        return False
    team = scope(actor) == "team" and TEAMS.get(user) == actor.team
    return scope(actor) == "all" or user == actor.user_id or team


@pytest.mark.parametrize("actor", [OPERATOR, LEADER, SUPERVISOR, ADMIN], ids=lambda actor: f"{actor.role} {actor.team}")
async def test_calls_are_seen_by_who_had_part_in_them_or_owns_the_client(database: Database, world, actor: Actor):
    owners = {client["id"]: client["owner_id"] for client in world["clients"]}
    wanted = {
        call["id"]
        for call in world["calls"]
        if scope(actor) == "all"
        or any(_mine(actor, user) for user in (call["operator_id"], owners.get(call["client_id"]), *call["rang"]))
        or (scope(actor) == "team" and not call["rang"])
    }
    async with database.read() as db:
        found = (await db.scalars(visible_calls(actor, select(CallRow.id)))).all()
    assert set(found) == wanted
    assert len(found) == len(wanted)
    assert wanted
    assert (len(wanted) < len(world["calls"])) == (scope(actor) != "all")


@pytest.mark.parametrize("actor", [OPERATOR, LEADER, SUPERVISOR], ids=lambda actor: f"{actor.role} {actor.team}")
async def test_tasks_are_seen_by_their_owner_and_by_the_queues_people_while_they_are_nobodys(database, world, actor):
    def seen(task) -> bool:
        if scope(actor) == "all" or _mine(actor, task["owner_id"]):
            return True
        return task["owner_id"] is None and (scope(actor) == "team" or task["queue"] in (None, "sales"))

    async with database.read() as db:
        found = set((await db.scalars(visible_tasks(actor, select(Task.id), queues=["sales"]))).all())
    assert found == {task["id"] for task in world["tasks"] if seen(task)}


async def test_everybody_who_may_see_clients_sees_all_of_them(database: Database, world):
    async with database.read() as db:
        assert len((await db.scalars(visible_clients(OPERATOR, select(Client.id)))).all()) == 10
    with pytest.raises(NotAllowed):
        visible_clients(Actor(1, "x", "cook"), select(Client.id))
