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


async def test_a_task_with_a_plan_and_a_checklist_is_kept_changed_and_ticked(api: Api) -> None:
    body = {"title": "Report", "kind": "meeting", "due_at": "2026-11-23T09:00:00Z", "remind_min": 10}
    body |= {"repeat": "FREQ=WEEKLY;BYDAY=MO", "repeat_zone": "Europe/Berlin", "repeat_except": ["2026-12-28"]}
    task = await api.send(OLGA, "POST", "/tasks", body | {"items": ["One", "Two"]}, 201)
    assert (task["repeat"], task["remind_min"], task["items"], task["ticked"]) == (body["repeat"], 10, 2, 0)
    whole = await api.get(OLGA, f"/tasks/{task['id']}")
    first = whole["checklist"][0]
    path = f"/tasks/{task['id']}/items"
    whole = await api.send(OLGA, "PATCH", f"{path}/{first['id']}", {"version": 1, "done": True}, 200)
    assert whole["checklist"][0]["done_by"] == OLGA.user_id and whole["task"]["ticked"] == 1
    await api.send(OLGA, "PATCH", f"{path}/{first['id']}", {"version": 1, "done": False}, 409)
    await api.send(RUSLAN, "PATCH", f"{path}/{first['id']}", {"version": 2, "done": False}, 404)
    whole = await api.send(VERA, "POST", path, {"texts": ["Three"]}, 201)
    assert [item["text"] for item in whole["checklist"]] == ["One", "Two", "Three"]
    await api.get(RUSLAN, f"/tasks/{task['id']}", 404)
    change = {"version": 1, "repeat": None, "due_at": "2026-11-24T09:00:00Z"}
    assert (await api.send(OLGA, "PATCH", f"/tasks/{task['id']}", change, 200))["repeat"] is None
    between = "due_since=2026-11-24T00:00:00Z&due_before=2026-11-25T00:00:00Z"
    assert [one["id"] for one in (await api.get(OLGA, f"/tasks?{between}"))["items"]] == [task["id"]]
    bad = await api.send(OLGA, "POST", "/tasks", {"title": "X", "repeat": "FREQ=DAILY"}, 422)
    assert bad["fields"] == {"due_at": "what repeats needs a due time"}
    await api.send(RUSLAN, "POST", "/tasks", {"title": "X", "owner_id": None, "team": "north"}, 403)


async def test_a_callback_is_put_off_dropped_and_opened_with_its_reasons(api: Api) -> None:
    task = await api.send(OLGA, "POST", "/tasks", {"kind": "callback", "number": "+79161234567"}, 201)
    path, version = f"/tasks/{task['id']}", task["version"]
    later = {"snoozed_until": "2099-01-01T09:00:00Z", "version": version}
    problem = await api.send(OLGA, "PATCH", path, later, 422)
    assert "reason" in str(problem)
    off = await api.send(OLGA, "PATCH", path, later | {"snooze_reason": "On holiday"}, 200)
    assert (off["snooze_reason"], off["snoozed_until"]) == ("On holiday", "2099-01-01T09:00:00.000Z")
    await api.send(OLGA, "PATCH", path, {"state": "dropped", "version": off["version"]}, 422)
    dropped = {"state": "dropped", "closed_reason": "Wrong number", "version": off["version"]}
    gone = await api.send(OLGA, "PATCH", path, dropped, 200)
    assert (gone["state"], gone["closed_reason"], gone["closed_why"]) == ("dropped", "Wrong number", "by_hand")
    again = await api.send(OLGA, "PATCH", path, {"state": "open", "version": gone["version"]}, 200)
    assert (again["state"], again["closed_reason"]) == ("open", None)


async def test_callbacks_are_asked_for_by_how_they_stand(api: Api) -> None:
    late = {"kind": "callback", "number": "+79161234567", "due_at": "2020-01-01T09:00:00Z"}
    task = await api.send(OLGA, "POST", "/tasks", late, 201)
    await api.send(OLGA, "POST", "/tasks", late | {"number": "+79161234568", "due_at": "2099-01-01T09:00:00Z"}, 201)

    async def ids(query: str) -> list[int]:
        return [one["id"] for one in (await api.get(OLGA, f"/tasks?kind=callback&{query}"))["items"]]

    assert await ids("overdue=true") == [task["id"]]
    assert await ids("escalated=true") == []
    assert await ids("short_abandon=true") == []
    assert await ids("line=%2B74950000001") == []
    whole = await api.get(OLGA, f"/tasks/{task['id']}")
    assert whole["attempts"] == []


async def test_an_operator_hands_his_callback_on_and_nobody_takes_what_another_holds(api: Api) -> None:
    task = await api.send(OLGA, "POST", "/tasks", {"kind": "callback", "number": "+79161234567"}, 201)
    path = f"/tasks/{task['id']}"
    given = await api.send(OLGA, "PATCH", path, {"owner_id": RUSLAN.user_id, "version": task["version"]}, 200)
    assert (given["owner_id"], given["version"]) == (RUSLAN.user_id, task["version"] + 1)
    await api.send(OLGA, "PATCH", path, {"owner_id": OLGA.user_id, "version": given["version"]}, 404)
    seen = (await api.get(RUSLAN, path))["task"]
    assert (seen["owner_id"], seen["owner_why"], seen["version"]) == (RUSLAN.user_id, "assigned", given["version"])
    await api.send(VERA, "PATCH", path, {"owner_id": VERA.user_id, "version": given["version"]}, 200)
    await api.send(RUSLAN, "PATCH", path, {"owner_id": RUSLAN.user_id, "version": given["version"] + 1}, 404)
