"""Pausing a recording: what is wished of the PBX, what its answers mean, and how each gap ends."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from callcrm.accounts.policy import Actor
from callcrm.custody import pausing
from callcrm.custody.gapkeeper import GapKeeper
from callcrm.custody.law_tables import RecordingGap
from callcrm.custody.pausing import Gap, Paused
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, NotFound
from callcrm.kernel.tables import Audit, LinkState
from callcrm.kernel.writer import Unit
from tests.calls import making
from tests.custody.conftest import Office
from tests.people import OLGA, RUSLAN, VERA
from tests.webui import office

LINES = ["PJSIP/trunk-c1", "PJSIP/101-c1"]


async def pause(house: Office, actor: Actor = OLGA, seconds: float = 120.0) -> Gap:
    return await house.writer.do(
        partial(pausing.pause, actor=actor, call="c1", seconds=seconds, reason="card data"), name="pause"
    )


async def resume(house: Office, actor: Actor = OLGA) -> Gap:
    return await house.writer.do(partial(pausing.resume, actor=actor, call="c1"), name="resume")


async def settle(house: Office) -> list[Gap]:
    await GapKeeper(house.database, house.writer, house.bus).settle()
    async with house.database.read() as db:
        return await pausing.gaps_of(db, "c1")


async def standing(house: Office, actor: Actor = OLGA) -> Paused:
    async with house.database.read() as db:
        return await pausing.standing(db, actor, "c1")


async def test_every_line_of_the_call_is_muted_and_counts_only_when_the_pbx_said_so(house: Office) -> None:
    await house.talks()
    await pause(house)
    assert await house.wishes("pause_recording") == LINES
    (gap,) = await settle(house)
    assert (gap.state, gap.begins_at) == ("asked", None)
    await house.obeys("pause_recording")
    (gap,) = await settle(house)
    assert gap.state == "open" and gap.begins_at is not None
    assert gap.resume_at == gap.begins_at + timedelta(seconds=120)
    assert (await house.recording("c1"))["cause"].startswith("Paused for the moment")
    audited = [(row["act"], row["user_id"], row["which"]) for row in await house.rows(Audit) if row["act"] == "pause"]
    assert audited == [("pause", OLGA.user_id, "c1")]


async def test_resumed_by_hand_it_is_a_gap_with_its_seconds_and_the_sound_says_so(house: Office) -> None:
    call = await house.talks()
    await pause(house)
    await house.obeys("pause_recording")
    await settle(house)
    assert (await resume(house)).state == "closing"
    assert await house.wishes("resume_recording") == LINES
    await house.obeys("resume_recording", after_s=32.0)
    (gap,) = await settle(house)
    assert (gap.state, gap.ended_how) == ("closed", "hand")
    assert gap.seconds == pytest.approx(32.0, abs=1.0)
    assert (await house.recording("c1"))["cause"] == ""
    await house.ends(call)
    await house.arrives("c1")
    keeper = GapKeeper(house.database, house.writer, house.bus)
    keeper._sounds.add(("c1", 0))
    await keeper._turn()
    row = await house.recording("c1")
    assert row["state"] == "paused"
    assert row["cause"] == "Not recorded once, 32 s in all: card data."


async def test_it_goes_on_by_itself_when_the_time_is_over(house: Office) -> None:
    await house.talks()
    await pause(house, seconds=60)
    await house.obeys("pause_recording")
    await settle(house)
    assert await house.wishes("resume_recording") == []
    await over(house)
    await settle(house)
    assert await house.wishes("resume_recording") == LINES
    await house.obeys("resume_recording")
    (gap,) = await settle(house)
    assert (gap.state, gap.ended_how) == ("closed", "time")


async def test_what_the_pbx_refused_was_never_paused_and_says_why(house: Office) -> None:
    await house.talks()
    await pause(house)
    await house.obeys("pause_recording", "refused", "PBX office did not do it: Permission denied.")
    (gap,) = await settle(house)
    assert (gap.state, gap.words, gap.seconds) == ("refused", "PBX office did not do it: Permission denied.", None)
    assert not (await standing(house)).active


async def test_a_recording_that_does_not_go_on_is_asked_again_until_it_does(house: Office) -> None:
    await house.talks()
    await pause(house)
    await house.obeys("pause_recording")
    await settle(house)
    await resume(house)
    await house.obeys("resume_recording", "expired", "Not done: the PBX could not be asked in time; try again.")
    (gap,) = await settle(house)
    assert gap.state == "open" and "is asked again" in gap.words
    await over(house)
    await settle(house)
    assert len(await house.wishes("resume_recording")) == 2
    await house.obeys("resume_recording")
    (gap,) = await settle(house)
    assert (gap.state, gap.ended_how) == ("closed", "hand")


async def test_the_calls_end_ends_the_gap(house: Office) -> None:
    call = await house.talks()
    await pause(house)
    await house.obeys("pause_recording")
    await settle(house)
    await house.ends(call)
    (gap,) = await settle(house)
    assert (gap.state, gap.ended_how) == ("closed", "call")
    assert gap.seconds is not None


async def test_resumed_before_the_pbx_had_paused_it_goes_on_as_soon_as_it_has(house: Office) -> None:
    await house.talks()
    await pause(house)
    await resume(house)
    assert await house.wishes("resume_recording") == []
    await house.obeys("pause_recording")
    await settle(house)
    await settle(house)
    assert await house.wishes("resume_recording") == LINES


async def test_a_line_that_joins_during_the_gap_is_muted_too(house: Office) -> None:

    call = await house.talks()
    await pause(house)
    await house.obeys("pause_recording")
    await settle(house)
    joined = replace(call, legs=(*call.legs, making.leg("PJSIP/102-c1", "operator", "102", (call.at or 0) + 20)))
    await office.record(house.writer, making.Change("call.changed", joined, (call.at or 0) + 20))
    await settle(house)
    assert await house.wishes("pause_recording") == ["PJSIP/102-c1"]


async def test_asked_again_it_is_the_same_gap_that_lasts_longer(house: Office) -> None:
    await house.talks()
    first = await pause(house, seconds=30)
    second = await pause(house, seconds=300)
    assert second.id == first.id and second.resume_at > first.resume_at
    assert await house.wishes("pause_recording") == LINES


async def test_who_is_not_in_the_call_may_not_pause_it_and_a_supervisor_may(house: Office) -> None:
    await house.talks()
    with pytest.raises(NotFound):
        await pause(house, RUSLAN)
    assert (await pause(house, VERA)).wanted_by == VERA.user_id


async def test_a_call_that_is_over_or_unlinked_says_why_nothing_can_be_paused(house: Office) -> None:
    call = await house.talks()
    with pytest.raises(Conflict):
        await resume(house)
    await house.writer.do(_unlink, name="unlink")
    assert (await standing(house)).refused == "no_link"
    await house.ends(call)
    assert (await standing(house)).refused == "over"
    with pytest.raises(Conflict):
        await pause(house)


async def _unlink(unit: Unit) -> None:

    await unit.db.execute(update(LinkState).values(state="lost"))


async def over(house: Office) -> None:
    """The gap's time is over."""

    async def work(unit: Unit) -> None:
        await unit.db.execute(update(RecordingGap).values(resume_at=clock.now() - timedelta(seconds=1)))

    await house.writer.do(work, name="time")
