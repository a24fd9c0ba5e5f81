"""The palette's answers: groups in order, what was typed marked, only what the role reaches, hostile text as text."""

import re
from dataclasses import replace
from datetime import date
from urllib.parse import quote

import pytest

from callcrm.accounts.tables import User
from callcrm.kernel.upsert import upsert
from tests import people
from tests.webui import office
from tests.webui.conftest import Web, text_of
from webui import hits


@pytest.fixture
async def ids(web: Web) -> dict[str, int]:
    return await office.fill(web.parts.writer)


async def asked(web: Web, q: str, actor: people.Actor = people.OLGA) -> str:
    return await text_of(await web.client(actor), f"/palette?q={quote(q)}")


def kinds(answer: str) -> list[str]:
    return re.findall(r'class="kind"[^>]*>([^<]+)<', answer)


def links(answer: str) -> list[str]:
    return re.findall(r'role="option"[^>]*href="([^"]+)"', answer)


async def test_groups_stand_in_their_order(web: Web, ids: dict[str, int]) -> None:
    answer = await asked(web, "коваленко")
    assert kinds(answer) == ["Clients", "Actions", "Calls", "Tasks"]
    assert links(answer)[:2] == [f"/clients/{ids['marina']}", f"/tasks/new?client={ids['marina']}"]
    answer = await asked(web, "8 (916) 123-45-67")
    assert kinds(answer)[:2] == ["Clients", "Call"]
    assert 'data-dial="' in answer and f'data-number="+{office.MARINA}"' in answer


async def test_what_was_typed_is_marked(web: Web, ids: dict[str, int]) -> None:
    assert "<b>" not in (answer := await asked(web, "КОВА"))
    assert "<mark>Кова</mark>ленко" in answer
    assert re.search(r"<mark>45[\s-]*67</mark>", await asked(web, "4567"))
    assert "<mark>instal</mark>ments" in await asked(web, "instal")


async def test_only_calls_or_only_actions(web: Web, ids: dict[str, int]) -> None:
    assert kinds(await asked(web, "#instalments")) == ["Notes"]
    assert set(kinds(await asked(web, "#santoso"))) == {"Calls"}
    assert kinds(await asked(web, ">call")) == ["Actions", "Pages"]
    assert "/callbacks" in links(await asked(web, "> callb"))


async def test_a_day_leads_to_its_calls(web: Web, ids: dict[str, int]) -> None:
    assert links(await asked(web, "2026-03-04"))[0] == "/calls?since=2026-03-04&amp;until=2026-03-04"
    assert "Calls of" in await asked(web, "yesterday")


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-03-04", date(2026, 3, 4)), ("4.3.2026", date(2026, 3, 4)), ("04/03", date(2026, 3, 4)),
        ("24.12", date(2025, 12, 24)), ("today", date(2026, 3, 10)), ("Yesterday", date(2026, 3, 9)),
        ("31.02", None), ("29.02.2027", None), ("ann", None), ("12345", None),
    ],
)  # fmt: skip
def test_days_are_read_as_people_write_them(typed: str, day: date | None) -> None:
    assert hits.day_of(typed, date(2026, 3, 10)) == day


async def test_nobody_sees_pages_that_are_not_his(web: Web, ids: dict[str, int]) -> None:
    assert links(await asked(web, ">account")) == []
    assert "/accounts/new" in links(await asked(web, ">account", people.ADAM))


async def test_hostile_text_stays_text(web: Web, ids: dict[str, int]) -> None:
    answer = await asked(web, "script alert")
    assert "/clients/" in answer
    assert "<script" not in answer and "<img" not in answer


async def test_a_masked_account_gets_no_number(web: Web, ids: dict[str, int]) -> None:
    async def mask(unit: object) -> None:
        row = {"id": 12, "name": "mo", "role": "operator", "masked": True, "created_at": unit.now}  # type: ignore[attr-defined]
        await upsert(unit.db, User, row)  # type: ignore[attr-defined]

    await web.parts.writer.do(mask, name="mask")
    mo = replace(people.OLGA, user_id=12, name="mo", extensions=(), masked=True)
    assert links(await asked(web, "4567", mo)) == []
    answer = await asked(web, "коваленко", mo)
    assert f"/clients/{ids['marina']}" in answer
    assert not re.search(r"123[\s-]*45", answer)
