"""Frames, ids, origins and the AsyncAPI document: pure."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.push import asyncapi, cursor, messages, origin
from callcrm.push.cursor import Told

DOCUMENT = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
CONTRACT = {
    "pop.offered",
    "pop.answered",
    "pop.withdrawn",
    "pop.ended",
    "call.changed",
    "task.created",
    "task.changed",
    "operator.changed",
    "queue.changed",
    "link.changed",
}


def test_the_document_is_what_the_models_say() -> None:
    assert DOCUMENT.read_text() == asyncapi.text()


def test_every_message_in_code_stands_in_the_document_and_the_reverse() -> None:
    kinds = {asyncapi.type_of(kind) for kind in (*messages.SERVER_FRAMES, *messages.CLIENT_FRAMES)}
    named = set(re.findall(r'^        "\$ref": "#/components/messages/([\w.]+)"', DOCUMENT.read_text(), re.MULTILINE))
    assert named == kinds


def test_the_contract_is_kept() -> None:
    told = {asyncapi.type_of(kind) for kind in messages.SERVER_FRAMES}
    said = {asyncapi.type_of(kind) for kind in messages.CLIENT_FRAMES}
    assert told >= CONTRACT
    assert said == {"auth", "resume", "pop.painted", "pop.opened"}
    assert all(set(kind.model_fields) == {"type", "id", "at", "data"} for kind in messages.SERVER_FRAMES)


@given(st.text() | st.binary())
def test_whatever_a_client_sends_is_a_frame_or_a_short_sentence(sent: str | bytes) -> None:
    try:
        messages.read(sent)
    except messages.BadFrame as error:
        assert 0 < len(str(error).encode()) <= 123


STREAMS = st.dictionaries(st.text(min_size=1, max_size=30), st.integers(0, 10**15), max_size=8)


@given(STREAMS, st.integers(0, 2**40))
def test_an_id_gives_back_the_positions_that_it_was_made_of(told: dict[str, int], number: int) -> None:
    try:
        made = cursor.encode(number, told)
    except UnicodeEncodeError:
        return
    assert cursor.decode(made) == told


@given(st.text(max_size=300))
def test_any_other_id_is_refused_and_never_breaks(text: str) -> None:
    try:
        assert all(isinstance(position, int) for position in cursor.decode(text).values())
    except cursor.BadCursor:
        return


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["fact", "hold", "release"])), max_size=40))
def test_an_id_never_claims_what_is_held_back(events: list[tuple[str, str]]) -> None:
    told, position, held = Told({}), 0, dict[str, int]()
    for key, event in events:
        if event == "release":
            told.release(key)
            held.pop(key, None)
            continue
        position += 1
        told.reach("desk", position)
        if event == "hold":
            told.hold(key, "desk", position)
            held.setdefault(key, position)
        claimed = cursor.decode(told.cursor()).get("desk", 0)
        assert claimed == min([position, *(first - 1 for first in held.values())])


@pytest.mark.parametrize(
    ("page", "host", "public", "own"),
    [
        ("http://desk:8080", "desk:8081", [], True),
        ("http://desk", "desk", [], True),
        ("https://desk", "desk", [], True),
        ("http://desk:8080", "other:8081", [], False),
        ("http://desk:9000", "desk:8081", [], False),
        ("https://crm.example", "crm.example", ["https://crm.example"], True),
        ("https://crm.example:443", "x", ["https://crm.example/", "wss://crm.example/push"], True),
        ("http://crm.example", "crm.example", ["https://crm.example"], False),
        ("https://crm.example.evil.example", "crm.example", ["https://crm.example"], False),
        ("null", "desk:8081", [], False),
        ("file://", "desk:8081", [], False),
        ("http://[::1]:8080", "[::1]:8081", [], True),
        ("http://desk:99999", "desk:8081", [], False),
        ("http://[", "[", [], False),
    ],
)
def test_only_our_own_pages_may_open_the_socket(page: str, host: str, public: list[str], own: bool) -> None:
    assert origin.is_own(page, host, public=public, ports=(8080, 8081)) is own
