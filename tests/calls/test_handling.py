"""What may be done with a call that goes on, read from its lines: and why something may not."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, update

from callcrm.accounts.policy import Actor
from callcrm.accounts.tables import Phone
from callcrm.calls import handling, service
from callcrm.calls.call import Call, Change, Parked
from callcrm.calls.colleagues import colleagues
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.tables import Command, LinkState
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from tests.calls import making
from tests.calls.making import rows
from tests.people import OLGA, RUSLAN, VERA, hire

PEOPLE = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
ALL = sorted({action for _, actions in handling.ACTS.values() for action in actions})
TALKING = {"hold", "park", "blind", "attended", "hang_up"}


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)
    await link(writer)


async def link(writer: Writer, state: str = "connected", allowed: list[str] | None = None) -> None:
    """How the link to the PBX stands, and what we may send."""
    now = clock.now()
    row = {"pbx": "office", "state": state, "words": "", "since": now, "version": "22"}
    row["detail"] = {"allowed": ALL if allowed is None else allowed}
    await writer.do(lambda unit: upsert(unit.db, LinkState, row), name="link")


async def tell(writer: Writer, *changes: Change) -> None:
    await writer.do(lambda unit: service.record(unit, changes, PEOPLE), name="tell")


async def talking(writer: Writer, **more: Any) -> Call:
    """Olga talks with a client; her line and his are there."""
    life = making.answered_life(at=clock.now().timestamp() - 60, others=())
    one = life[-2].call
    legs = tuple(replace(leg, answered_at=one.answered_at) for leg in one.legs)
    one = replace(one, legs=legs, **more)
    await tell(writer, life[0], Change("call.answered", one, one.answered_at or 0.0, "101"))
    return one


async def consulting(writer: Writer, *, answered: bool) -> None:
    """Olga has called Ruslan while the client waits."""
    at = clock.now().timestamp() - 5
    legs = (making.leg("PJSIP/102-2", "operator", "102", at, answered_at=at + 1 if answered else None),)
    given: dict[str, Any] = {"direction": "internal", "client": None, "caller": "101", "queue": None, "serves": "c1"}
    state = {"state": "talking", "answered_at": at + 1} if answered else {"state": "ringing"}
    await tell(writer, making.began(making.call("c2", at, legs=legs, **given, **state)))


async def panel(database: Database, actor: Actor = OLGA) -> handling.Panel:
    async with database.read() as db:
        return await handling.panel(db, actor, "c1", clock.now())


async def act(writer: Writer, name: str, actor: Actor = OLGA, **more: Any) -> str:
    return await writer.do(lambda unit: handling.act(unit, actor, "c1", name, **more), name="act")


async def finish(writer: Writer, state: str = "done", ago: float = 10.0) -> None:
    """What was asked has been carried out some time ago."""

    async def work(unit: Unit) -> None:
        then = unit.now.fromtimestamp(unit.now.timestamp() - ago, unit.now.tzinfo)
        await unit.db.execute(update(Command).values(state=state, changed_at=then, result={"message": "So."}))

    await writer.do(work, name="finish")


async def test_in_a_talk_the_client_can_be_held_parked_handed_on_and_hung_up(
    writer: Writer, database: Database
) -> None:
    await talking(writer)
    found = await panel(database)
    assert set(found.allowed) == TALKING
    assert (found.channel, found.client_channel) == ("PJSIP/101-c1", "PJSIP/trunk-c1")
    assert (found.refused["fetch"], found.refused["complete"]) == ("not_parked", "not_consulting")


@pytest.mark.parametrize(
    ("name", "kind", "args"),
    [
        ("hold", "hold", {"channel": "PJSIP/trunk-c1", "extension": "101"}),
        ("park", "park", {"channel": "PJSIP/trunk-c1", "extension": "101"}),
        ("blind", "blind_transfer", {"channel": "PJSIP/101-c1", "to": "102"}),
        ("attended", "attended_transfer", {"channel": "PJSIP/101-c1", "to": "102"}),
        ("hang_up", "hang_up", {"channel": "PJSIP/101-c1"}),
    ],
)
async def test_an_act_is_about_the_line_that_it_means(
    writer: Writer, database: Database, name: str, kind: str, args: dict[str, str]
) -> None:
    await talking(writer)
    await act(writer, name, to="102" if "to" in args else "")
    (row,) = await rows(database, Command)
    assert (row["kind"], row["args"], row["call_id"], row["wanted_by"]) == (kind, args, "c1", OLGA.user_id)
    assert (row["expires_at"] - row["wanted_at"]).total_seconds() == handling.EXPIRES_S


@pytest.mark.parametrize("answered", [False, True])
async def test_while_somebody_is_consulted_one_hands_over_or_goes_back(
    writer: Writer, database: Database, answered: bool
) -> None:
    await talking(writer, state="held")
    await consulting(writer, answered=answered)
    found = await panel(database)
    assert found.consultation == handling.Consultation("c2", "102", answered)
    assert set(found.allowed) == {"complete", "cancel"} | ({"swap"} if answered else set())
    assert found.refused["attended"] == "consulting"
    await act(writer, "complete")
    (row,) = await rows(database, Command)
    assert (row["kind"], row["args"]) == ("complete_transfer", {"channel": "PJSIP/101-c1"})


async def test_while_the_two_are_swapped_the_client_is_not_risked(writer: Writer, database: Database) -> None:
    await talking(writer)
    await act(writer, "attended", to="102")
    await consulting(writer, answered=True)
    await finish(writer)
    await act(writer, "swap")
    await finish(writer)
    found = await panel(database)
    assert (found.allowed, found.swapped) == (("swap",), True)
    assert (found.refused["complete"], found.refused["cancel"]) == ("swapped", "swapped")
    await act(writer, "swap")
    await finish(writer)
    assert set((await panel(database)).allowed) == {"complete", "cancel", "swap"}


async def test_who_parked_somebody_fetches_him_from_his_space(writer: Writer, database: Database) -> None:
    one = await talking(writer)
    gone = replace(one.legs[-1], cause=16)
    parked = replace(one, state="parked", parked=Parked(by="101", space="701"), legs=(one.legs[0], gone))
    await tell(writer, Change("call.left", replace(parked, talking=()), (one.at or 0) + 20, "101"))
    assert set((await panel(database)).allowed) == {"fetch"}
    assert (await panel(database)).refused["park"] == "parked"
    await act(writer, "fetch")
    (row,) = await rows(database, Command)
    assert row["args"] == {"extension": "101", "space": "701", "number": "+79161234567", "name": ""}


async def test_the_same_wish_twice_is_one_wish_and_another_waits_for_it(writer: Writer, database: Database) -> None:
    await talking(writer)
    once = "0123456789abcdef" * 2
    assert [await act(writer, "attended", to="102", once=once) for _ in range(3)] == [once] * 3
    with pytest.raises(Conflict, match="doing"):
        await act(writer, "hang_up")
    assert len(await rows(database, Command)) == 1


async def test_what_was_just_done_is_not_asked_again_before_the_log_shows_it(writer: Writer) -> None:
    await talking(writer)
    await act(writer, "attended", to="102")
    await finish(writer, ago=0.5)
    with pytest.raises(Conflict):
        await act(writer, "attended", to="102")
    await finish(writer, ago=10)
    assert await act(writer, "attended", to="102")


async def test_what_the_pbx_refused_is_said(writer: Writer, database: Database) -> None:
    await talking(writer)
    await act(writer, "park")
    await finish(writer, "refused", ago=1)
    assert (await panel(database)).said == "So."
    await finish(writer, "refused", ago=60)
    assert (await panel(database)).said == ""


async def test_nothing_is_offered_that_our_manager_user_may_not(writer: Writer, database: Database) -> None:
    await talking(writer)
    await link(writer, allowed=["Originate", "Hangup"])
    found = await panel(database)
    assert set(found.allowed) == {"hang_up"}
    assert found.refused["blind"] == "no_right"
    assert "Atxfer" in found.lacking
    with pytest.raises(Conflict, match="no right"):
        await act(writer, "blind", to="102")


async def test_without_a_link_nothing_is_asked(writer: Writer, database: Database) -> None:
    await talking(writer)
    await link(writer, state="gone")
    assert set((await panel(database)).refused.values()) == {"no_link"}


async def test_a_call_is_its_operators_own_and_a_supervisors(writer: Writer, database: Database) -> None:
    await talking(writer)
    with pytest.raises(NotFound):
        await act(writer, "hang_up", RUSLAN)
    assert await act(writer, "hang_up", VERA)
    (row,) = await rows(database, Command)
    assert row["args"] == {"channel": "PJSIP/101-c1"}


async def test_who_only_rang_has_no_line_to_act_with(writer: Writer, database: Database) -> None:
    life = making.answered_life(at=clock.now().timestamp() - 60)
    await tell(writer, *life[:-1])
    async with database.read() as db:
        found = await handling.panel(db, RUSLAN, "c1", clock.now())
    assert set(found.refused.values()) == {"not_yours", "not_parked"}


async def test_a_call_that_is_over_takes_nothing_any_more(writer: Writer) -> None:
    one = await talking(writer)
    await tell(writer, making.ends(one))
    with pytest.raises(Conflict, match="over"):
        await act(writer, "hang_up")


@pytest.mark.parametrize(("name", "to"), [("attended", ""), ("explode", ""), ("blind", "x" * 300)])
async def test_an_act_that_is_none_is_refused_before_it_is_stored(writer: Writer, name: str, to: str) -> None:
    await talking(writer)
    with pytest.raises(Invalid):
        await act(writer, name, to=to)


async def test_colleagues_are_listed_with_what_they_do_now(writer: Writer, database: Database) -> None:
    await talking(writer)
    phones = [{"pbx": "office", "extension": e, "user_id": u, "first": True} for e, u in (("101", 7), ("102", 8))]
    await writer.do(lambda unit: unit.db.execute(insert(Phone), phones), name="phones")
    async with database.read() as db:
        found = {one.extension: (one.name, one.state) for one in await colleagues(db, "office")}
        assert [one.extension for one in await colleagues(db, "office", "102")] == ["101"]
    assert found == {"101": ("Olga Bondar", "talking"), "102": ("Ruslan Tkach", "off")}
