"""Tasks and callbacks for programs."""

from tests.api.conftest import Api
from tests.people import OLGA, RUSLAN, VERA


async def test_a_callback_is_opened_changed_and_closed(api: Api) -> None:
    task = await api.send(OLGA, "POST", "/tasks", {"kind": "callback", "number": "8 916 123-45-67"}, 201)
    assert (task["number"], task["state"], task["owner_id"]) == ("+79161234567", "open", OLGA.user_id)
    assert [one["id"] for one in (await api.get(OLGA, "/tasks?kind=callback&state=open"))["items"]] == [task["id"]]
    assert [one["id"] for one in (await api.get(OLGA, "/tasks?number=89161234567"))["items"]] == [task["id"]]
    change = {"version": task["version"], "state": "done", "note": "Reached her."}
    done = await api.send(OLGA, "PATCH", f"/tasks/{task['id']}", change, 200)
    assert (done["state"], done["closed_why"], done["note"]) == ("done", "by_hand", "Reached her.")
    assert (await api.get(OLGA, "/tasks?kind=callback&state=open"))["items"] == []


async def test_a_second_callback_of_the_same_caller_is_a_conflict(api: Api) -> None:
    await api.send(OLGA, "POST", "/tasks", {"kind": "callback", "number": "+79161234567"}, 201)
    problem = await api.send(OLGA, "POST", "/tasks", {"kind": "callback", "number": "+79161234567"}, 409)
    assert problem["status"] == 409


async def test_a_change_of_an_old_version_is_a_conflict_and_one_of_none_is_refused(api: Api) -> None:
    task = await api.send(OLGA, "POST", "/tasks", {"title": "Send the offer"}, 201)
    path = f"/tasks/{task['id']}"
    await api.send(OLGA, "PATCH", path, {"title": "Send it"}, 200, **{"If-Match": f'"{task["version"]}"'})
    await api.send(OLGA, "PATCH", path, {"title": "Late"}, 409, **{"If-Match": f'"{task["version"]}"'})
    await api.send(OLGA, "PATCH", path, {"title": "Blind"}, 422)


async def test_tasks_of_others_are_not_to_be_seen_and_only_supervisors_give_them(api: Api) -> None:
    task = await api.send(OLGA, "POST", "/tasks", {"title": "Mine"}, 201)
    assert (await api.get(RUSLAN, "/tasks"))["items"] == []
    await api.send(RUSLAN, "PATCH", f"/tasks/{task['id']}", {"version": 1, "title": "Ours"}, 404)
    await api.send(OLGA, "POST", "/tasks", {"title": "For you", "owner_id": RUSLAN.user_id}, 403)
    given = await api.send(VERA, "POST", "/tasks", {"title": "For you", "owner_id": RUSLAN.user_id}, 201)
    assert given["owner_why"] == "assigned"


async def test_what_is_wrong_is_told_beside_its_field(api: Api) -> None:
    for body, field in (
        ({"title": "x", "due_at": "2026-01-01T10:00:00"}, "due_at"),
        ({"title": "x" * 300}, "title"),
        ({"title": "x", "colour": "red"}, "colour"),
        ({"kind": "callback"}, "number"),
        ([], "body"),
    ):
        problem = await api.send(OLGA, "POST", "/tasks", body, 422)
        assert field in problem["fields"], body
