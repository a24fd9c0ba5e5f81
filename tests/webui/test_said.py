"""What a browser heard by its socket and the table does not know yet: how pops stand on the sheet."""

import json
from urllib.parse import urlencode

import pytest

from callcrm.push.present import PresentPop
from tests import people
from tests.webui import office
from tests.webui.conftest import Web, text_of
from tests.webui.office import ago
from webui.desk import MOST_SAID, told

TABLE = [PresentPop("two", "c2", "offered", ago(1), "101"), PresentPop("one", "c1", "answered", ago(60), "101")]


def states(hint: dict[str, str]) -> dict[str, str]:
    return {pop.id: pop.state for pop in told(TABLE, hint)}


def said(*pops: list[str]) -> dict[str, str]:
    return {"said": json.dumps(pops)}


def test_the_other_calls_stand_as_they_were_told_last() -> None:
    hint = {"pop": "two", "call": "c2", "state": "answered", **said(["one", "c1", "wrapup", "101"])}
    assert states(hint) == {"two": "answered", "one": "wrapup"}


def test_a_call_that_the_table_does_not_know_yet_is_there() -> None:
    assert states(said(["three", "c3", "offered", "101"])) == {"three": "offered", "two": "offered", "one": "answered"}


def test_a_call_that_was_put_away_is_gone() -> None:
    assert states(said(["one", "c1", "closed", "101"])) == {"two": "offered"}


NONSENSE = ["", "[", "7", "null", "{}", "[[]]", '["one"]', "[" * 3000]
NONSENSE += ['[["one", "c1", "wrapup", 7]]', '[["one", "c1", "sold", "101"]]', '[["one", "c\\u0000", "wrapup", "101"]]']
NONSENSE += [json.dumps([["one", "c1", "wrapup", "1" * 5000]])]


@pytest.mark.parametrize("text", NONSENSE)
def test_what_was_never_told_changes_nothing(text: str) -> None:
    assert told(TABLE, {"said": text}) == TABLE


async def test_a_whole_stack_is_heard_by_the_strip_and_by_the_sheet(web: Web) -> None:
    pop = await office.ring(web.parts.writer)
    over = [[f"{n:032x}", f"{n:032x}", "wrapup", "101"] for n in range(7)]
    stack = said(*over, [pop, "now", "answered", "101"])
    assert 200 < len(stack["said"]) < MOST_SAID
    client = await web.client(people.OLGA)
    assert 'data-code="ringing"' in await text_of(client, "/shell/me")
    assert 'data-code="talking"' in await text_of(client, f"/shell/me?{urlencode(stack)}")
    assert 'data-state="talking"' in await text_of(client, f"/desk/live?{urlencode(stack)}")
