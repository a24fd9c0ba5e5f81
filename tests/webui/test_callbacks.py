"""The board of callbacks over HTTP: its tabs and figures with their rows, acts on one and many, undo, who sees what."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from callcrm.accounts.policy import Actor
from callcrm.kernel import clock
from callcrm.kernel.unit import Unit
from callcrm.tasks.tables import Task
from tests.calls import making
from tests.people import OLGA, RUSLAN, VERA
from tests.webui import office
from tests.webui.conftest import Web, text_of

QUEUE = {"kind": "callback", "state": "open", "queue": "sales", "called": "+74950000001", "owner_why": "queue"}


async def owe(web: Web, number: str, due_min: float = 10, **more: Any) -> int:
    """A callback that is due in so many minutes."""

    async def work(unit: Unit) -> int:
        row = QUEUE | {"number": number, "created_at": unit.now - timedelta(minutes=40), "attempts": 1}
        row |= {"due_at": unit.now + timedelta(minutes=due_min), **more}
        return int((await unit.db.execute(insert(Task).returning(Task.id), row)).scalar_one())

    return await web.parts.writer.do(work, name="owe")


async def post(web: Web, actor: Actor, path: str = "/callbacks/act", **form: str) -> str:
    """The page that follows, with the sentence that was said."""
    client = await web.client(actor)
    async with client.post(path, data=form) as answer:
        text = await answer.text()
        assert answer.status == 200, text[:1500]
    return text


def rows_of(board: str) -> list[int]:
    return [int(key) for key in re.findall(r'<tr data-row[^>]* id="callback-(\d+)"', board)]


async def board(web: Web, actor: Actor, query: str = "") -> str:
    return await text_of(await web.client(actor), f"/callbacks{query}")


async def test_each_tab_and_filter_shows_its_rows_and_their_number(web: Web) -> None:
    now = clock.now()
    soon, late = await owe(web, "+79160000001"), await owe(web, "+79160000002", -5)
    mine = await owe(web, "+79160000003", 60, owner_id=OLGA.user_id, owner_why="claimed")
    told = await owe(web, "+79160000004", -60, escalated_at=now, owner_id=RUSLAN.user_id, owner_why="claimed")
    asleep = await owe(web, "+79160000005", 90, snoozed_until=now + timedelta(hours=1), snooze_reason="at lunch")
    short = await owe(web, "+79160000006", 120, short_abandon=True, called="+74950000009")
    assert rows_of(await board(web, OLGA)) == [told, late, soon, mine, short]
    tabs = {
        "mine": [mine], "queue": [told, late, soon, mine, short], "free": [late, soon, short], "overdue": [told, late],
        "soon": [soon], "asleep": [asleep], "short": [short], "escalated": [told],
    }  # fmt: skip
    for tab, expected in tabs.items():
        page = await board(web, OLGA, f"?show={tab}")
        assert rows_of(page) == expected, tab
        number = re.search(rf'show={tab}"[^>]*>[^<]*<span class="num">(\d+)', page)
        assert number is None if tab == "escalated" else number is not None and int(number[1]) == len(expected), tab
    assert rows_of(await board(web, OLGA, "?line=%2B74950000009")) == [short]
    assert rows_of(await board(web, OLGA, "?short=without&show=free")) == [late, soon]
    assert rows_of(await board(web, VERA, f"?owner={RUSLAN.user_id}")) == [told]
    assert "at lunch" in await board(web, OLGA, "?show=asleep")
    assert "Escalated: the promise is broken" in await board(web, VERA)


async def test_the_pages_of_the_board_follow_each_other(web: Web) -> None:
    for n in range(55):
        await owe(web, f"+7916000{n:04}", n)
    first = await board(web, OLGA)
    onward = re.search(r'href="(/callbacks\?cursor=[^"]+)" rel="next"', first)
    assert onward is not None and len(rows_of(first)) == 50
    second = await text_of(await web.client(OLGA), onward[1])
    assert len(rows_of(second)) == 5 and not set(rows_of(first)) & set(rows_of(second))


async def test_a_figure_counts_the_very_rows_behind_it(web: Web) -> None:
    now = clock.now()
    due = {"created_at": now - timedelta(minutes=2)}
    settled = {"state": "done", "closed_at": now, "closed_why": "called_back"}
    ran_out = -1 if now - timedelta(minutes=1) >= now.replace(hour=0, minute=0) else 0
    kept = await owe(web, "+79160000001", 0.5, **(due | settled))
    late = await owe(web, "+79160000002", ran_out, **(due | settled | {"closed_at": now + timedelta(minutes=1)}))
    broken = await owe(web, "+79160000003", ran_out - 0.01, **due)
    by_hand = await owe(web, "+79160000004", 0.5, **(due | settled | {"closed_why": "by_hand"}))
    dropped = {"state": "dropped", "closed_why": "by_hand", "closed_reason": "Wrong number"}
    await owe(web, "+79160000005", 0.5, **(due | settled | dropped))
    page = await board(web, VERA)
    figures = dict(re.findall(r'href="/callbacks\?show=(\w+)" title="[^"]*">([^<]+)</a>', page))
    assert figures == {"promised": "5", "kept": "33 %", "broken": "2", "running": "0"}
    behind = {"kept": {kept}, "broken": {late, broken}, "by_hand": {by_hand}}
    for fate, expected in behind.items():
        page = await board(web, VERA, f"?show={fate}")
        assert {int(key) for key in re.findall(r'<tr[^>]* id="callback-(\d+)"', page)} == expected
    assert "neither kept nor broken" in await board(web, VERA, "?show=dropped")
    assert "Wrong number" in await board(web, VERA, "?show=dropped")
    assert rows_of(await board(web, VERA, "?show=broken&day=2020-01-01")) == []
    for wrong in ("?show=broken&day=yesterday", "?show=everything", "?owner=me"):
        await text_of(await web.client(VERA), f"/callbacks{wrong}", 404)


async def test_a_callback_is_taken_let_go_dropped_with_a_reason_and_taken_back(web: Web) -> None:
    task = await owe(web, "+79160000001")
    page = await post(web, OLGA, act="take", ids=f"{task}:1", back="/callbacks?show=free")
    assert "1 callback taken." in page
    page = await board(web, OLGA)
    assert 'class="lock"' in page and "Let go" in page and "Undo last" in page
    page = await post(web, VERA, act="take", ids=f"{task}:1")
    assert "Olga Bondar was faster and holds this callback now" in page
    page = await post(web, OLGA, act="close", ids=f"{task}:2", reason="dropped:Wrong number")
    assert "1 callback dropped" in page.lower() and rows_of(page) == []
    assert "Wrong number" in await board(web, OLGA, "?show=closed")
    undone = re.search(r'name="act" value="(\d+)"', page)
    assert undone is not None
    page = await post(web, OLGA, "/callbacks/undo", act=undone[1])
    assert "Undone for 1 callback" in page and rows_of(page) == [task]
    page = await post(web, OLGA, act="release", ids=f"{task}:4")
    assert ">Free<" in page


async def test_closing_needs_a_reason_and_says_so(web: Web) -> None:
    task = await owe(web, "+79160000001")
    assert "Say why, in a word" in await post(web, OLGA, act="close", ids=f"{task}:1")
    assert "Say until when" in await post(
        web, OLGA, act="snooze", ids=f"{task}:1", reason="x", until="2020-01-01T10:00"
    )
    page = await post(web, OLGA, act="close", ids=f"{task}:1", reason="done:Wrote a mail")
    assert "1 callback closed" in page.lower()


async def test_many_are_handed_over_at_once_and_the_ones_that_moved_are_told(web: Web) -> None:
    ids = [await owe(web, f"+7916000000{n}", n) for n in range(3)]
    await post(web, OLGA, act="take", ids=f"{ids[0]}:1")
    chosen = ",".join(f"{key}:1" for key in ids)
    page = await post(web, VERA, act="hand_over", ids=chosen, to=str(RUSLAN.user_id))
    assert "2 callbacks handed over" in page and "1 was left: Olga Bondar was faster" in page
    assert rows_of(await board(web, RUSLAN, "?show=mine")) == ids[1:]


async def test_one_callback_tells_every_try_and_who_did_what(web: Web) -> None:
    await office.fill(web.parts.writer)
    page = await board(web, OLGA)
    task = next(key for key in rows_of(page) if f'href="/callbacks/{key}">Budi Santoso' in page)
    version = re.search(rf'data-id="{task}" data-version="(\d+)"', page)
    assert version is not None
    await post(web, OLGA, act="take", ids=f"{task}:{version[1]}")
    await office.record(web.parts.writer, *making.outbound_life("vain", office.ago(1), answered=False, to=office.NORTH))
    text = await text_of(await web.client(OLGA), f"/callbacks/{task}")
    for part in ("called and was missed", "called again and was missed again", "Olga Bondar called", "no answer",
                 "took it", "Next try"):  # fmt: skip
        assert part in text, part
    await text_of(await web.client(OLGA), "/callbacks/999", 404)


async def test_how_it_closed_itself_is_told_with_the_promise(web: Web) -> None:
    await office.fill(web.parts.writer)
    page = await board(web, OLGA)
    assert "Our call at" in page and "Olga Bondar talked" in page and "before the promise ran out" in page
    await office.record(web.parts.writer, *making.answered_life("again", office.ago(2), client=office.NORTH))
    page = await board(web, OLGA)
    assert "Called again at" in page and "Olga Bondar answered after 0:05" in page


async def test_a_caller_of_mine_who_is_on_the_line_is_told_on_every_page(web: Web) -> None:
    await office.fill(web.parts.writer)
    client = await web.client(OLGA)
    page = await board(web, OLGA)
    found = re.search(r'data-id="(\d+)" data-version="(\d+)">(?:(?!</tr>).)*Budi Santoso', page, re.DOTALL)
    assert found is not None
    await post(web, OLGA, act="take", ids=f"{found[1]}:{found[2]}")
    assert "Budi" not in await text_of(client, "/callbacks/now/mine")
    one = making.call("rings", office.ago(0.1), client=office.NORTH)
    await office.record(web.parts.writer, making.began(one), *making.rings(one, "102"))
    assert "Budi Santoso is calling: you were about to call back" in await text_of(client, "/callbacks/now/mine")
    assert "Calling us now" in await board(web, OLGA)
    ruslan = await web.client(RUSLAN)
    assert "Budi" not in await text_of(ruslan, "/callbacks/now/mine")
    await office.add_pop(web.parts.writer, "rings", RUSLAN.user_id)
    assert "Olga Bondar was about to call back" in await text_of(ruslan, "/desk/live")


async def test_after_hours_the_clock_says_when_it_opens(web: Web) -> None:
    opening = clock.now() + timedelta(hours=3)
    await owe(web, "+79160000001", 210, promised_from=opening)
    page = await board(web, OLGA)
    assert ('data-state="waits"' in page and f"Opens {opening:%H:%M}" in page) or "Opens" in page


@pytest.mark.parametrize("form", [{}, {"act": "take"}, {"act": "take", "ids": "1"}, {"act": "take", "ids": "x:y"},
                                  {"act": "explode", "ids": "1:1"}])  # fmt: skip
async def test_a_form_that_makes_no_sense_changes_nothing(web: Web, form: dict[str, str]) -> None:
    await owe(web, "+79160000001")
    client = await web.client(OLGA)
    async with client.post("/callbacks/act", data=form) as answer:
        assert answer.status in (200, 404, 422)
    assert 'data-version="1"' in await board(web, OLGA)
