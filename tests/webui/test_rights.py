"""Who may use which route: every declared one, tried by everybody, on things that are Olga's.

`rights_table.txt` says it line by line, apart from the code: a route without a line fails, and so does a line
without a route. Strangers come first, so that nothing has changed when they try.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from sqlalchemy import insert

from callcrm.accounts import sessions
from callcrm.accounts.policy import Actor, Line
from callcrm.calls import notes
from callcrm.clients import editing
from callcrm.kernel import clock
from callcrm.kernel.writer import Unit
from callcrm.quality import evaluations, forms
from callcrm.quality.scorable import Subject
from callcrm.shifts import service as shifts
from callcrm.tasks import service
from callcrm.tasks.tables import TaskReminder
from tests.calls import making
from tests.people import ADAM, OLGA, RUSLAN, VERA, Staff, hire
from tests.quality.forms import SALES, best
from tests.webui import office
from tests.webui.conftest import Web
from webui import api, calling, health
from webui.app import PAGES

NINA = Actor(11, "nina", "supervisor", "north", full_name="Nina North")
SAM = Actor(12, "sam", "supervisor", "south", full_name="Sam South")
EVERYBODY = (RUSLAN, SAM, OLGA, NINA, VERA, ADAM)
LEAST = {"anybody": 0, "operator": 0, "supervisor": 1, "admin": 2}
RANK = {"operator": 0, "supervisor": 1, "admin": 2}
SECRET = "OLGASOWN"
DIALLED: dict[str, Any] = {"name": "", "override": ("do_not_call", "night", "in_call"), "address": ""}
#: What is sent where the rights are asked only after the body was read; elsewhere the version that there is.
BODIES: dict[str, Any] = {
    "PATCH /api/v1/tasks/{id}": {"version": 1, "note": "n"},
    "PATCH /api/v1/tasks/{id}/items/{item}": {"version": 1, "done": True},
    "POST /api/v1/tasks/{id}/items": {"texts": ["x"]},
    "POST /api/v1/calls/{id}/actions": {"action": "hang_up"},
}
FORMS: dict[str, Mapping[str, str]] = {
    "POST /tasks/{id}/items": {"text": "x"},
    "POST /calls/{id}/actions": {"action": "hang_up"},
    "POST /calls/{id}/client/new": {"name": "Somebody"},
    "POST /calls/{id}/client": {"client": "{client}"},
    "POST /calls/{id}/note": {"text": "t", "version": "0"},
    "POST /quality/calls/{call}/draft": {"form": "1", "n": "1", "operator": "7", "version": "0"},
    "POST /quality/calls/{call}/submit": {"form": "1", "n": "1", "operator": "7", "version": "0"},
}
#: What is there once only, or has no file here: who may reach it finds it gone.
ONCE = ("/remove", "/away", "/reopen", "DELETE ", "/recordings/", "/items/{item}", "/calls/{id}/client")


@dataclass(frozen=True)
class Entry:
    """One line of the table."""

    method: str
    path: str
    least: str
    of: str

    def lets_in(self, actor: Actor | None) -> str:
        """in, door (sign in first), role (403) or hidden (404)."""
        if self.least == "public":
            return "in"
        if actor is None:
            return "door"
        if RANK[actor.role] < LEAST[self.least]:
            return "role"
        reach = {"olga": (OLGA, NINA, VERA, ADAM), "alone": (OLGA,)}.get(self.of, EVERYBODY)
        return "in" if actor in reach else "hidden"


def table() -> list[Entry]:
    lines = (Path(__file__).parent / "rights_table.txt").read_text(encoding="utf-8").splitlines()
    return [Entry(*line.split()) for line in lines if line and not line.startswith("#")]


def declared() -> set[tuple[str, str]]:
    routes = (route for part in (*PAGES, api, health) for route in part.routes)
    return {(route.method, re.sub(r"\{(\w+)[^}]*\}", r"{\1}", route.path)) for route in routes}


def test_every_route_has_its_line_and_every_line_its_route() -> None:
    listed = [(entry.method, entry.path) for entry in table()]
    assert sorted(declared() - set(listed)) == [], "say in rights_table.txt who may use these"
    assert sorted(set(listed) - declared()) == [], "these are gone: take their lines away"
    assert len(listed) == len(set(listed))
    assert all(entry.least in {"public", *LEAST} for entry in table())
    assert all(entry.of in {"olga", "alone", "any", "none"} for entry in table())


@dataclass
class House:
    """An office in which things are Olga's; `ids` fills the places of addresses."""

    web: Web
    ids: dict[str, str]

    def address(self, entry: Entry) -> str:
        path = entry.path.removeprefix("/api/v1")
        first = re.match(r"/(\w+)", path)
        special = {"tasks": "task", "callbacks": "callback", "calls": "call", "accounts": "user", "dial": "command"}
        special |= {"evaluations": "evaluation", "forms": "form", "shifts": "worker"}
        word = "call" if path.startswith("/desk/call") else special.get(first[1] if first else "", "client")
        word = "command" if path.startswith("/commands") else word
        word = "field" if path.startswith("/accounts/fields") else word
        holes = self.ids | {"id": self.ids[word]}
        return re.sub(r"\{(\w+)\}", lambda hole: holes.get(hole[1], "1"), entry.path)


@pytest.fixture
async def house(web: Web, tmp_path: Path) -> House:
    writer = web.parts.writer
    await hire(writer, Staff((NINA, SAM)))
    await office.record(writer, *making.answered_life("olgas", office.ago(30), others=()))
    folder = tmp_path / "sound"
    await office.add_sound(writer, "olgas", folder, office.sound_file(folder, seconds=1.0))
    await writer.do(lambda unit: notes.note(unit, OLGA, "olgas", f"{SECRET} note"), name="note")
    card = {"name": "Anna"}
    numbers = ["79031112233"]
    client = await writer.do(lambda unit: editing.add_client(unit, OLGA, card, numbers, country="RU"), name="card")
    due = clock.now() + timedelta(hours=1)
    task = {"title": f"{SECRET} task", "due_at": due, "items": [f"{SECRET} item"], "client_id": client}
    task_id = await writer.do(lambda unit: service.add_task(unit, OLGA, task), name="task")
    owed = {"kind": "callback", "number": "+79991112233", "title": f"{SECRET} callback", "due_at": due}
    callback = await writer.do(lambda unit: service.add_task(unit, OLGA, owed), name="callback")
    pop = await office.add_pop(writer, "olgas", OLGA.user_id, "wrapup")
    await writer.do(lambda unit: _reminder(unit, task_id), name="reminder")
    command = await calling.place(web.parts, OLGA, Line("office", "101"), "+79161234567", **DIALLED)
    ids = {"call": "olgas", "client": str(client), "task": str(task_id), "callback": str(callback), "pop": pop}
    ids |= {"item": "1", "user": str(RUSLAN.user_id), "command": command, "n": "0", "name": "job", "key": "none"}
    evaluation = await _scored(web)
    ids |= {"evaluation": str(evaluation), "form": "1", "round": "1", "worker": str(OLGA.user_id)}
    await writer.do(lambda unit: shifts.start(unit, OLGA), name="shift")
    return House(web, {**ids, "field": "1", "change": "0" * 32, "note": "0" * 32, "merge": "0" * 32})


async def _scored(web: Web) -> int:
    """Olga's call, scored by Vera and released to her."""
    writer = web.parts.writer
    form_id = await writer.do(lambda unit: forms.add(unit, VERA, "Sales", SALES), name="form")
    await writer.do(lambda unit: forms.publish(unit, VERA, form_id, 1), name="publish")
    subject = Subject("olgas", OLGA.user_id, form_id, 1)
    given, said = best(SALES), f"{SECRET} score"
    saved = await writer.do(lambda unit: evaluations.save(unit, VERA, subject, given, said), name="score")
    await writer.do(lambda unit: evaluations.submit(unit, VERA, saved.id, version=1), name="submit")
    return saved.id


async def _reminder(unit: Unit, task: int) -> None:
    await unit.db.execute(insert(TaskReminder), {"task_id": task, "user_id": OLGA.user_id, "at": unit.now})


async def asked(client: TestClient, house: House, entry: Entry) -> tuple[int, str]:
    """The status and the text, or where it leads."""
    key = f"{entry.method} {entry.path}"
    sent: dict[str, Any] = {}
    if entry.method in ("POST", "PATCH", "PUT"):
        sent = (
            {"json": BODIES.get(key, {})} if "/api/" in entry.path else {"data": {"version": "1", **FORMS.get(key, {})}}
        )
    path = house.address(entry)
    async with client.request(entry.method, path, allow_redirects=False, **sent) as answer:
        return answer.status, answer.headers.get("Location", "") or (await answer.read()).decode(errors="replace")


def verdict(status: int, said: str) -> str:
    """What an answer says of rights."""
    if status == 401 or (status == 303 and said.startswith("/sign-in")):
        return "door"
    return {403: "role", 404: "hidden"}.get(status, "in" if status < 500 or status == 503 else f"error {status}")


async def compare(house: House, client: TestClient, actor: Actor | None, entries: list[Entry]) -> list[str]:
    wrong = []
    for entry in entries:
        status, said = await asked(client, house, entry)
        expected, found = entry.lets_in(actor), verdict(status, said)
        gone = found == "hidden" and (
            entry.of in ("none", "any") or any(word in f"{entry.method} {entry.path}" for word in ONCE)
        )
        if expected != found and not (expected == "in" and gone):
            wrong.append(
                f"{entry.method} {entry.path}: {expected} was expected, it is {found} ({status}) {said[:40]!r}"
            )
        if expected in ("door", "role", "hidden") and SECRET in said:
            wrong.append(f"{entry.method} {entry.path}: what is Olga's stands in the refusal")
    return wrong


def usable() -> list[Entry]:
    """All but the door itself: signing out would end the walk, and a wrong password is told as nobody is."""
    return [entry for entry in table() if entry.path not in ("/sign-out", "/sign-in")]


async def test_nobody_comes_past_the_door(house: House) -> None:
    assert await compare(house, await house.web.client(), None, usable()) == []


@pytest.mark.parametrize("actor", EVERYBODY, ids=lambda actor: actor.name)
async def test_each_person_reaches_what_the_table_says(house: House, actor: Actor) -> None:
    assert "\n".join(await compare(house, await house.web.client(actor), actor, usable())) == ""


@pytest.mark.parametrize("actor", [RUSLAN, OLGA, SAM], ids=lambda actor: actor.name)
async def test_a_token_reaches_what_its_person_reaches_and_no_more(house: House, actor: Actor) -> None:
    writer = house.web.parts.writer
    token = await writer.do(lambda unit: sessions.add_token(unit, actor.user_id), name="token")
    client = await house.web.client(None, Authorization=f"Bearer {token}")
    assert await compare(house, client, actor, usable()) == []


async def test_a_revoked_or_invented_token_is_nobody(house: House) -> None:
    writer = house.web.parts.writer
    token = await writer.do(lambda unit: sessions.add_token(unit, OLGA.user_id), name="token")
    await writer.do(lambda unit: sessions.revoke_tokens(unit, OLGA.user_id), name="revoke")
    for secret in (token, "callcrm_invented"):
        client = await house.web.client(None, Authorization=f"Bearer {secret}")
        assert await compare(house, client, None, usable()) == []


@pytest.mark.parametrize("actor", [RUSLAN, SAM], ids=lambda actor: actor.name)
async def test_no_page_or_list_shows_strangers_what_is_olgas(house: House, actor: Actor) -> None:
    client, leaks, seen = await house.web.client(actor), [], 0
    more = [replace(one, path=f"{one.path}?{query}") for one in table() for query in QUERIES.get(one.path, ())]
    for entry in [*usable(), *more]:
        if entry.method == "GET":
            status, said = await asked(client, house, entry)
            seen += status == 200
            leaks += [entry.path] if SECRET in said else []
    assert leaks == [] and seen > 30


async def test_the_same_pages_show_olga_what_is_hers(house: House) -> None:
    client, shown = await house.web.client(OLGA), set()
    for entry in usable():
        if entry.method == "GET":
            _status, said = await asked(client, house, entry)
            shown |= {entry.path} if SECRET in said else set()
    assert shown >= {"/", "/tasks", "/tasks/{id}", "/tasks/day", "/calls/{id}", "/api/v1/tasks", "/shell/reminders"}


QUERIES = {
    "/tasks": ("show=all", "show=done", "show=groups", "id=1", "closed=1"),
    "/callbacks": ("show=closed", "show=overdue", "id=2"),
    "/calls": ("operator=7", "show=unsaid"),
    "/calls/{id}": ("score=new", "score=1"),
    "/quality": ("show=own", "show=disputed", "operator=7"),
    "/palette": (f"q={SECRET}", "q=note"),
    "/api/v1/tasks": ("owner=7", "kind=callback", "limit=200"),
    "/api/v1/calls": ("operator=olga", "client=+79161234567"),
    "/api/v1/evaluations": ("operator=7", "call=olgas"),
}
