"""Notes, dispositions and chosen clients: saved as they are typed, and never over another's text."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from callcrm.calls import notes, service
from callcrm.calls.tables import CallNote, CallRow
from callcrm.clients import editing
from callcrm.clients.tables import Client, ClientNumber, NumberChoice
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Writer
from callcrm.tasks import following
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.tables import Task
from tests.calls import making
from tests.calls.making import T0, answered_life, facts, missed_life, rows
from tests.people import OLGA, RUSLAN, VERA, hire

PEOPLE = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def a_call(writer: Writer, **more: Any) -> None:
    follow = [following.Callbacks(Rules()).follow]
    life = more.pop("life", answered_life)(**more)
    await do(writer, service.record, life, PEOPLE, after=follow)


async def test_a_note_is_saved_as_it_grows(writer: Writer, database: Database) -> None:
    await a_call(writer)
    one = await do(writer, notes.note, OLGA, "c1", "W")
    two = await do(writer, notes.note, OLGA, "c1", "Wants two\r\nby Friday\x07", "W")
    same = await do(writer, notes.note, OLGA, "c1", "Wants two\nby Friday", "Wants two\r\nby Friday\x07")
    assert (one.version, two.version, same.version) == (1, 2, 2)
    (row,) = await rows(database, CallNote)
    assert (row["text"], row["user_id"], row["version"]) == ("Wants two\nby Friday", OLGA.user_id, 2)
    assert [call["note_line"] for call in await rows(database, CallRow)] == ["Wants two"]
    told = [one for one in await facts(database) if one[0] == "call.noted"]
    assert told == [("call.noted", {"call": "c1", "user": OLGA.user_id})] * 2


async def test_two_tabs_of_one_person_write_one_note_together(writer: Writer, database: Database) -> None:
    await a_call(writer)
    one = await do(writer, notes.note, OLGA, "c1", "Wants two")
    two = await do(writer, notes.note, OLGA, "c1", "By Friday")
    assert (one.merged, two.merged) == (False, True)
    assert (two.text, two.version) == ("Wants two\nBy Friday", 2)
    on = await do(writer, notes.note, OLGA, "c1", "Wants two chairs", "Wants two")
    assert on.text == "Wants two chairs\nBy Friday"
    (row,) = await rows(database, CallNote)
    assert row["text"] == "Wants two chairs\nBy Friday"


async def test_an_answer_that_was_lost_does_not_double_the_text(writer: Writer, database: Database) -> None:
    await a_call(writer)
    await do(writer, notes.note, OLGA, "c1", "Wants tw")
    again = await do(writer, notes.note, OLGA, "c1", "Wants tw", "")
    grown = await do(writer, notes.note, OLGA, "c1", "Wants two", "", tried=["Wants tw"])
    assert (again.version, again.merged) == (1, False)
    assert (grown.text, grown.merged) == ("Wants two", False)
    assert [row["text"] for row in await rows(database, CallNote)] == ["Wants two"]


async def test_everybody_has_a_note_of_his_own(writer: Writer, database: Database) -> None:
    await a_call(writer)
    await do(writer, notes.note, OLGA, "c1", "Wants two")
    await do(writer, notes.note, RUSLAN, "c1", "Called again")
    assert [row["text"] for row in await rows(database, CallNote)] == ["Wants two", "Called again"]


async def test_a_note_survives_the_end_of_the_call(writer: Writer, database: Database) -> None:
    life = answered_life()
    await do(writer, service.record, life[:-1], PEOPLE)
    await do(writer, notes.note, OLGA, "c1", "Wants two")
    await do(writer, notes.set_disposition, OLGA, "c1", "Resolved")
    await do(writer, service.record, life[-1:], PEOPLE)
    (call,) = await rows(database, CallRow)
    assert (call["state"], call["note_line"], call["disposition"]) == ("ended", "Wants two", "Resolved")


async def test_a_disposition_comes_from_the_queues_list_and_can_be_taken_back(
    writer: Writer, database: Database
) -> None:
    await a_call(writer)
    with pytest.raises(Invalid):
        await do(writer, notes.set_disposition, OLGA, "c1", "Whatever", allowed=["Resolved"])
    await do(writer, notes.set_disposition, OLGA, "c1", " Resolved ", allowed=["Resolved"])
    chosen = (await rows(database, CallRow))[0]["disposition"]
    two = await do(writer, notes.set_disposition, OLGA, "c1", None)
    (call,) = await rows(database, CallRow)
    assert (chosen, call["disposition"], two.version, two.text) == ("Resolved", None, 2, "")


async def test_a_disposition_that_a_colleague_chose_is_replaced_and_both_are_in_the_audit(
    writer: Writer, database: Database
) -> None:
    await a_call(writer)
    await do(writer, notes.set_disposition, OLGA, "c1", "Resolved")
    await do(writer, notes.set_disposition, RUSLAN, "c1", "Order")
    (call,) = await rows(database, CallRow)
    told = [row["detail"] for row in await rows(database, Audit) if row["act"] == "set disposition"]
    assert call["disposition"] == "Order"
    assert told == [{"from": None, "to": "Resolved"}, {"from": "Resolved", "to": "Order"}]


WORDS = st.lists(st.sampled_from(["aa", "bb", "cc", "\n"]), max_size=4).map(" ".join)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([0, 1]), WORDS, st.booleans()), min_size=1, max_size=6))
async def test_no_order_of_savings_of_two_tabs_loses_a_word(
    writer: Writer, database: Database, savings: list[tuple[int, str, bool]]
) -> None:
    """Each tab types a word of its own behind or before what it last knew, and now and then hears of the other."""
    await writer.do(lambda unit: unit.db.execute(delete(CallNote)), name="clear")
    if not await rows(database, CallRow):
        await a_call(writer)
    known, wrote = ["", ""], []
    for n, (tab, more, behind) in enumerate(savings):
        word = f"tab{tab}word{n}"
        text = f"{known[tab]} {more} {word}" if behind else f"{word} {more} {known[tab]}"
        saved = await do(writer, notes.note, OLGA, "c1", text, known[tab])
        wrote.append(word)
        known[tab] = saved.text if n % 2 else notes.clean(text)
        assert [word for word in wrote if saved.text.count(word) != 1] == []


async def test_a_novel_is_no_note(writer: Writer) -> None:
    await a_call(writer)
    with pytest.raises(Invalid):
        await do(writer, notes.note, OLGA, "c1", "x" * (notes.NOTE_LENGTH + 1))


async def test_another_persons_call_cannot_be_noted(writer: Writer) -> None:
    await a_call(writer, by="101", others=())
    with pytest.raises(NotFound):
        await do(writer, notes.note, RUSLAN, "c1", "Let me see")
    with pytest.raises(NotFound):
        await do(writer, notes.note, VERA, "c2", "No such call")
    assert (await do(writer, notes.note, VERA, "c1", "Well done")).version == 1


async def test_who_it_was_is_chosen_remembered_and_relinks_what_the_stray_card_had(
    writer: Writer, database: Database
) -> None:
    await a_call(writer, life=missed_life, key="c1")
    await a_call(writer, life=missed_life, key="c2", at=T0 + 100)
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    await do(writer, notes.choose_client, OLGA, "c1", ann, PEOPLE, after=[following.relink])
    one, two = await rows(database, CallRow)
    assert (one["client_id"], one["match"]["step"], one["match"]["chosen_by"]) == (ann, "chosen", OLGA.user_id)
    assert (two["client_id"], two["match"]["step"]) == (ann, "exact")
    (task,) = await rows(database, Task)
    assert task["client_id"] == ann
    assert [row["client_id"] for row in await rows(database, NumberChoice)] == [ann]
    assert [row["name"] for row in await rows(database, Client) if row["deleted_at"] is None] == ["Ann"]
    assert ("call.linked", {"call": "c1", "client": ann}) in await facts(database)


async def test_the_next_call_of_a_shared_number_is_his_who_was_chosen(writer: Writer, database: Database) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"}, ["+79161234567"])
    await do(writer, editing.add_client, OLGA, {"name": "Bob"}, ["+79161234567"])
    await a_call(writer, key="c1")
    await do(writer, notes.choose_client, OLGA, "c1", ann, PEOPLE)
    await a_call(writer, key="c2", at=T0 + 100)
    one, two = await rows(database, CallRow)
    assert (one["client_id"], two["client_id"]) == (ann, ann)
    assert (two["match"]["step"], two["match"]["remembered"]) == ("exact", True)


async def test_a_choice_that_somebody_else_made_meanwhile_is_shown(writer: Writer, database: Database) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    bob = await do(writer, editing.add_client, OLGA, {"name": "Bob"})
    await a_call(writer)
    await do(writer, notes.choose_client, OLGA, "c1", ann, PEOPLE)
    with pytest.raises(Conflict) as error:
        await do(writer, notes.choose_client, RUSLAN, "c1", bob, PEOPLE, seen=None)
    assert error.value.current == ann
    await do(writer, notes.choose_client, RUSLAN, "c1", bob, PEOPLE, seen=ann)
    assert [row["client_id"] for row in await rows(database, CallRow)] == [bob]


async def test_an_anonymous_caller_who_says_his_name_is_linked_and_not_remembered(
    writer: Writer, database: Database
) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    await a_call(writer, client=None)
    await do(writer, notes.choose_client, OLGA, "c1", ann, PEOPLE)
    (call,) = await rows(database, CallRow)
    assert (call["client_id"], call["match"]["step"]) == (ann, "chosen")
    assert await rows(database, NumberChoice) == []
    assert await rows(database, ClientNumber) == []
    with pytest.raises(NotFound):
        await do(writer, notes.choose_client, OLGA, "c1", ann + 1, PEOPLE, seen=ann)


async def test_our_own_number_is_nobodys(writer: Writer, database: Database) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    await a_call(writer, client=making.LINE)
    await do(writer, notes.choose_client, OLGA, "c1", ann, PEOPLE)
    assert await rows(database, ClientNumber) == []


async def test_a_deleted_client_cannot_be_chosen(writer: Writer) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    await writer.do(lambda u: u.db.execute(update(Client).values(deleted_at=u.now)), name="test")
    await a_call(writer)
    with pytest.raises(NotFound):
        await do(writer, notes.choose_client, OLGA, "c1", ann, PEOPLE)
