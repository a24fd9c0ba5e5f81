"""Tasks in pages: lists and filters, one line, one task, its checklist, day and week, reminders, the calendar."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import icalendar
import pytest
import time_machine
from aiohttp.test_utils import TestClient

from callcrm.accounts.policy import Actor
from callcrm.clients import editing
from callcrm.tasks import reminders, service
from tests import people
from tests.webui.conftest import Web, text_of
from tests.webui.office import HOSTILE

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def add(web: Web, actor: Actor = people.OLGA, **typed: object) -> int:
    """A task."""
    return await web.parts.writer.do(
        lambda unit: service.add_task(unit, actor, {"title": "Send the offer", **typed}, queues=["sales"]), name="task"
    )


async def post(client: TestClient, path: str, status: int = 303, **form: object) -> str:
    """What a form answers: where it leads, or its page."""
    async with client.post(path, data={k: str(v) for k, v in form.items()}, allow_redirects=False) as answer:
        text = await answer.text()
        assert answer.status == status, f"{path}: {answer.status}\n{text[:2000]}"
        return answer.headers.get("Location", text)


async def test_a_task_is_made_with_all_that_it_may_have_and_shown(web: Web) -> None:
    client = await web.client(people.OLGA)
    form = {"title": "Weekly report", "kind": "meeting", "due": "2026-11-23T12:00", "remind": "10", "note": "All of it"}
    form |= {"repeat": "FREQ=WEEKLY;BYDAY=MO", "except": "2026-12-28", "whose": "q:sales", "items": "One\nTwo\n\n"}
    there = await post(client, "/tasks/new", **form)
    assert there == "/tasks?show=all&id=1"
    text = await text_of(client, "/tasks/1")
    for word in ("Weekly report", "Meeting", "Every week: Mon", "0/2", "2026-12-28", "Take"):
        assert word in text
    assert 'value="2026-11-23T12:00"' in text
    groups = await text_of(client, "/tasks?show=groups")
    assert "Weekly report" in groups and "Sales" in groups
    assert "Weekly report" not in await text_of(client, "/tasks")
    await post(client, "/tasks/1/take", version=1)
    assert "Weekly report" in await text_of(client, "/tasks")


@pytest.mark.parametrize(
    ("form", "field", "says"),
    [
        ({"title": ""}, "title", "a task needs a title"),
        ({"title": "T", "due": "soon"}, "due", "Write a date and a time"),
        ({"title": "T", "remind": "10"}, "due", "a reminder needs a due time"),
        ({"title": "T", "repeat": "own", "rule": "FREQ=HOURLY", "due": "2026-11-23T12:00"}, "repeat", "FREQ=DAILY"),
        ({"title": "T", "repeat": "FREQ=DAILY", "due": "2026-11-23T12:00", "except": "xmas"}, "except", "days such as"),
        ({"title": "T", "items": "x" * 300}, "items", "1 to 200"),
    ],
)
async def test_what_is_wrong_is_told_beside_its_field_and_what_was_typed_stays(
    web: Web, form: dict[str, str], field: str, says: str
) -> None:
    client = await web.client(people.OLGA)
    text = await post(client, "/tasks/new", 422, note="KEPT", **form)
    assert re.search(rf'id="f-{field}-says"[^>]*>.*?{says}', text), text
    assert "KEPT" in text


async def test_an_operator_gives_nothing_to_others(web: Web) -> None:
    client = await web.client(people.OLGA)
    text = await post(client, "/tasks/new", 403, title="T", whose=f"u:{people.RUSLAN.user_id}")
    assert "Giving tasks to others is for supervisors" in text
    text = await post(client, "/tasks/new", 403, title="T", whose="t:south")
    assert "other groups" in text
    boss = await web.client(people.VERA)
    assert await post(boss, "/tasks/new", title="T", whose="t:south") == "/tasks?show=all&id=1"


async def test_a_line_is_shown_before_it_is_kept(web: Web) -> None:
    anna = await web.parts.writer.do(
        lambda unit: editing.add_client(unit, people.OLGA, {"name": "Марина Коваленко"}, ["79161234567"], country="RU"),
        name="client",
    )
    client = await web.client(people.OLGA)
    shown = unescape(await text_of(client, "/tasks/line?line=перезвонить Марине завтра 10:00"))
    assert "Перезвонить Марине" in shown and "Марина Коваленко" in shown and "10:00" in shown
    form = await text_of(client, "/tasks/new?line=перезвонить Марине завтра 10:00")
    assert f'name="client" value="{anna}"' in form and "This is what was understood" in form
    assert re.search(r'name="due"[^>]*value="[0-9-]+T10:00"', form)
    assert '<option value="call" selected>' in form
    hostile = await text_of(client, f"/tasks/line?line={HOSTILE.replace('&', '%26').replace('#', '%23')}")
    assert "<script>" not in hostile


async def test_the_filters_stand_in_the_address(web: Web) -> None:
    now = datetime.now(UTC)
    await add(web, title="LATE", due_at=now - timedelta(hours=1))
    await add(web, title="LATER", due_at=now + timedelta(days=30))
    await add(web, title="NEVER", kind="meeting")
    client = await web.client(people.OLGA)

    async def found(query: str) -> set[str]:
        text = await text_of(client, f"/tasks?{query}")
        return {word for word in ("LATE", "LATER", "NEVER") if f">{word}<" in text}

    assert await found("") == {"LATE", "LATER", "NEVER"}
    assert await found("due=overdue") == {"LATE"}
    assert await found("due=none") == {"NEVER"}
    assert await found("kind=meeting") == {"NEVER"}
    assert await found("due=week&kind=meeting") == set()
    assert await found("show=done") == set()


async def test_done_and_dropped_can_be_taken_back(web: Web) -> None:
    await add(web)
    client = await web.client(people.OLGA)
    there = await post(client, "/tasks/1/close", version=1)
    text = await text_of(client, there)
    assert "Done: Send the offer." in text and 'action="/tasks/1/reopen"' in text
    await post(client, "/tasks/1/reopen", version=2)
    there = await post(client, "/tasks/1/drop", version=3)
    assert "Dropped: Send the offer." in await text_of(client, there)
    assert "Send the offer" in await text_of(client, "/tasks?show=dropped")
    await post(client, "/tasks/1/reopen", 409, version=3)


async def test_an_edit_past_somebody_else_keeps_both(web: Web) -> None:
    await add(web)
    olga, vera = await web.client(people.OLGA), await web.client(people.VERA)
    await post(vera, "/tasks/1", title="Vera's", version=1, whose=f"u:{people.OLGA.user_id}")
    text = await post(olga, "/tasks/1", 409, title="Olga's", version=1, whose=f"u:{people.OLGA.user_id}")
    assert "Somebody else changed this task meanwhile" in text and 'value="Olga&#39;s"' in text
    assert "Vera&#39;s</h1>" in text
    await post(olga, "/tasks/1", title="Olga's", version=2, whose=f"u:{people.OLGA.user_id}")


async def test_the_checklist_is_ticked_by_version(web: Web) -> None:
    await add(web, items=["One"])
    client = await web.client(people.OLGA)
    await post(client, "/tasks/1/items", text="Two")
    await post(client, "/tasks/1/items", 422, text=" ")
    await post(client, "/tasks/1/items/1", done="yes", version=1)
    await post(client, "/tasks/1/items/1", 409, version=1)
    assert "1/2" in await text_of(client, "/tasks/1")
    await post(client, "/tasks/1/items/2/remove", version=1)
    assert "1/1" in await text_of(client, "/tasks/1")
    assert (await post(await web.client(people.RUSLAN), "/tasks/1/items", 404, text="X")) != ""


async def test_my_day_and_my_week_show_callbacks_too_on_my_own_clock(web: Web) -> None:
    with time_machine.travel(NOON, tick=False):
        await add(web, title="TODAY", due_at=NOON + timedelta(hours=2))
        await add(web, title="YESTERDAY", due_at=NOON - timedelta(days=1))
        await add(web, title="FRIDAY", due_at=NOON + timedelta(days=4))
        await add(web, kind="callback", number="+79161234567", due_at=NOON + timedelta(hours=1), title="")
        await add(web, people.VERA, title="VERAS", due_at=NOON)
        client = await web.client(people.OLGA)
        day = await text_of(client, "/tasks/day")
        assert "TODAY" in day and "YESTERDAY" in day and "Call back" in day and "14:00" in day
        assert "FRIDAY" not in day and "VERAS" not in day
        week = await text_of(client, "/tasks/week")
        assert all(word in week for word in ("TODAY", "YESTERDAY", "FRIDAY", "Call back"))
        assert "FRIDAY" in await text_of(client, "/tasks/day?date=2026-11-27")
        assert "TODAY" not in await text_of(client, "/tasks/week?date=2026-12-03")
        await text_of(client, "/tasks/week?date=nonsense")
        await post(client, "/tasks/1/close", version=1)
        assert "TODAY" in (await text_of(client, "/tasks/day")).split(">Done <")[1]


async def test_a_reminder_stands_in_the_strip_until_it_is_put_away(web: Web) -> None:
    await add(web, title="REMEMBER", due_at=NOON, remind_min=0)
    with time_machine.travel(NOON, tick=False):
        await reminders.look(web.parts.database, web.parts.writer, {})
    client, other = await web.client(people.OLGA), await web.client(people.VERA)
    assert "REMEMBER" in await text_of(client, "/clients")
    assert "REMEMBER" not in await text_of(other, "/shell/reminders")
    await post(other, "/reminders/1/away", 404)
    await post(client, "/reminders/1/snooze", minutes=10)
    assert "REMEMBER" not in await text_of(client, "/shell/reminders")
    await post(client, "/reminders/1/snooze", 422, minutes=99999)
    await post(client, "/reminders/1/away")
    await post(client, "/reminders/1/away", 404)


def shown_address(text: str) -> str:
    found = re.search(r"https?://[^<\s]+(/calendar/[\w-]+\.ics)", text)
    assert found
    return found[1]


async def test_the_calendar_is_read_at_a_secret_address_that_can_be_renewed_and_shut(web: Web) -> None:
    await add(
        web, title="Отчёт, весь", due_at=NOON, remind_min=10, repeat="FREQ=DAILY;COUNT=9", repeat_zone="Asia/Almaty"
    )
    await add(web, people.VERA, title="VERAS", due_at=NOON)
    client, nobody = await web.client(people.OLGA), await web.client()
    address = shown_address(await post(client, "/me/calendar", 200))
    async with nobody.get(address) as answer:
        assert (answer.status, answer.content_type) == (200, "text/calendar")
        etag, text = answer.headers["ETag"], await answer.text()
    (event,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert (event["SUMMARY"], event["DTSTART"].dt) == ("Отчёт, весь", NOON)
    assert event["RRULE"].to_ical() == b"FREQ=DAILY;COUNT=9"
    assert len(event.walk("VALARM")) == 1 and "VERAS" not in text
    async with nobody.get(address, headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    async with nobody.get(f"{address}?todo=1") as answer:
        assert len(icalendar.Calendar.from_ical(await answer.text()).walk("VTODO")) == 1
    assert "There is an address" in await text_of(client, "/me")
    fresh = shown_address(await post(client, "/me/calendar", 200))
    await text_of(nobody, address, 404)
    await text_of(nobody, fresh)
    await post(client, "/me/calendar", act="shut")
    await text_of(nobody, fresh, 404)


async def test_density_and_single_keys_go_with_the_person(web: Web) -> None:
    client = await web.client(people.OLGA)
    await post(client, "/me", density="compact", keys="off", theme="dark", language="", time_zone="")
    text = await text_of(await web.client(people.OLGA), "/tasks")
    assert 'data-density="compact"' in text and 'data-keys="off"' in text and 'data-theme="dark"' in text
    async with client.post("/me/look", data={"density": "", "keys": "on"}) as answer:
        assert answer.status == 200
    text = await text_of(client, "/tasks")
    assert "data-density" not in text.split(">")[1] and 'data-keys="off"' not in text
    async with client.post("/me/look", data={"density": "huge"}) as answer:
        assert answer.status == 422
