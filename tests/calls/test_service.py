"""Changes of the call model become rows and facts, the same however often they come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from callcrm.calls import service
from callcrm.calls.call import Call, Change, Parked, Pickup, Sound, Transfer
from callcrm.calls.rows import Context
from callcrm.calls.tables import CallNote, CallOperator, CallRecording, CallRow, LegRow, Pop
from callcrm.clients.tables import Client, ClientNumber
from callcrm.kernel.database import Database
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from tests.calls import making
from tests.calls.making import LINE, MOBILE, OFFICE, T0, answered_life, facts, missed_life, outbound_life, rows

OLGA, RUSLAN = 7, 8
PEOPLE = making.context(("101", OLGA), ("102", RUSLAN))


async def record(writer: Writer, *changes: Change, context: Context = PEOPLE) -> list[service.Recorded]:
    return await writer.do(lambda unit: service.record(unit, changes, context), name="test")


def second(after: float) -> datetime:
    return datetime.fromtimestamp(T0 + after, UTC)


async def test_an_answered_call_is_one_row_with_its_legs_and_operators(writer: Writer, database: Database) -> None:
    for change in answered_life(name="Ann Lee"):
        await record(writer, change)
    (row,) = await rows(database, CallRow)
    assert (row["id"], row["pbx"], row["direction"], row["queue"]) == ("c1", OFFICE, "inbound", "sales")
    assert (row["state"], row["outcome"], row["missed"], row["ended_by"]) == ("ended", "answered", False, "caller")
    assert (row["began"], row["at"], row["answered_at"], row["ended_at"]) == (
        second(0),
        second(0),
        second(5),
        second(30),
    )
    assert (row["client_number"], row["client_raw"], row["called"], row["name"]) == (
        "+79161234567", MOBILE, "+74950000001", "Ann Lee",
    )  # fmt: skip
    assert (row["wait_s"], row["talk_s"], row["total_s"], row["operator_id"]) == (5, 25, 30, OLGA)
    assert [(one["operator"], one["ring_s"]) for one in row["rang"]] == [("101", 4), ("102", 4)]
    assert [(one["operator"], one["talk_s"]) for one in row["talks"]] == [("101", 25)]
    legs = await rows(database, LegRow)
    assert [(leg["n"], leg["side"], leg["who"]) for leg in legs] == [
        (0, "trunk", MOBILE), (1, "operator", "101"), (2, "operator", "102"),
    ]  # fmt: skip
    parts = await rows(database, CallOperator)
    assert [(p["extension"], p["user_id"], p["rang"], p["answered"], p["ring_s"], p["talk_s"]) for p in parts] == [
        ("101", OLGA, True, True, 4, 25),
        ("102", RUSLAN, True, False, 4, None),
    ]


async def test_each_change_is_told_as_a_fact_with_its_ids(writer: Writer, database: Database) -> None:
    await record(writer, *answered_life())
    (client,) = await rows(database, Client)
    whom = {"call": "c1", "pbx": OFFICE, "client": client["id"]}
    olga, ruslan = {"extension": "101", "user": OLGA}, {"extension": "102", "user": RUSLAN}
    assert await facts(database) == [
        ("client.created", {"client": client["id"]}),
        ("call.began", whom),
        ("call.ringing", whom | olga),
        ("call.ringing", whom | ruslan),
        ("call.answered", whom | olga),
        ("call.stopped_ringing", whom | ruslan),
        ("call.ended", whom),
    ]


async def test_an_end_is_told_though_what_happened_in_the_same_moment_shows_the_call_ended(
    writer: Writer, database: Database
) -> None:
    *before, end = answered_life()
    await record(writer, *before)
    await record(writer, Change("call.left", end.call, end.at, "101"), end)
    assert [kind for kind, _ in await facts(database)][-2:] == ["call.left", "call.ended"]


async def test_facts_of_a_call_lie_in_its_pbxs_stream_at_the_pbxs_time(writer: Writer, database: Database) -> None:
    await record(writer, *answered_life())
    told = [row for row in await rows(database, making.FactRow) if row["kind"] == "call.answered"]
    assert [(row["stream"], row["at"]) for row in told] == [("pbx:office", second(5))]


async def test_an_unknown_number_gets_a_card_and_the_next_call_finds_it(writer: Writer, database: Database) -> None:
    await record(writer, *answered_life("c1", name="Ann  Lee\u202e"))
    await record(writer, *answered_life("c2", T0 + 100))
    (client,) = await rows(database, Client)
    (number,) = await rows(database, ClientNumber)
    first, then = await rows(database, CallRow)
    assert (client["name"], client["said_name"]) == ("", "Ann Lee")
    assert (number["e164"], number["raw"], number["client_id"]) == ("+79161234567", MOBILE, client["id"])
    assert (first["client_id"], first["match"]["step"]) == (client["id"], "new")
    assert (then["client_id"], then["match"]["step"]) == (client["id"], "exact")


@pytest.mark.parametrize(
    ("caller", "step"),
    [
        (None, "anonymous"),
        ("anonymous", "anonymous"),
        (LINE, "own"),
        ("84950000002", "own"),
        ("101", "extension"),
        ("455", "extension"),
        ("sip:robot@evil.example", "none"),
        ("9" * 10_000, "none"),
    ],
)
async def test_nobody_outside_gets_no_card_but_a_log_row(
    writer: Writer, database: Database, caller: str | None, step: str
) -> None:
    await record(writer, *missed_life(client=caller))
    (row,) = await rows(database, CallRow)
    assert (row["client_id"], row["client_number"], row["match"]["step"], row["missed"]) == (None, None, step, True)
    assert await rows(database, Client) == []


async def test_an_outbound_call_belongs_to_who_dialled_and_whom_he_called(writer: Writer, database: Database) -> None:
    await record(writer, *outbound_life(to="89161234567"))
    (row,) = await rows(database, CallRow)
    (client,) = await rows(database, Client)
    assert (row["client_id"], row["client_number"], row["called"]) == (client["id"], "+79161234567", "+79161234567")
    assert (row["operator"], row["operator_id"]) == ("101", OLGA)
    (part,) = await rows(database, CallOperator)
    assert (part["extension"], part["rang"], part["answered"]) == ("101", False, True)


async def test_colleagues_who_call_each_other_are_no_clients(writer: Writer, database: Database) -> None:
    one = making.call(direction="internal", client=None, called="102", caller="101", queue=None)
    ringing = making.rings(one, "102")
    await record(writer, making.began(one), *ringing, making.ends(ringing[-1].call))
    (row,) = await rows(database, CallRow)
    assert (row["client_id"], row["called"], row["caller"], row["operator_id"]) == (None, "102", "101", OLGA)
    assert [part["extension"] for part in await rows(database, CallOperator)] == ["101", "102"]
    assert await rows(database, Client) == []


@pytest.mark.parametrize("uniqueid", ["1794996000.44", "pbx1-1794996000.44", "a-b-1794996000.0"])
async def test_the_key_is_the_second_in_the_uniqueid(writer: Writer, database: Database, uniqueid: str) -> None:
    await record(writer, making.began(making.call(at=T0 + 2.75, uniqueid=uniqueid)))
    (row,) = await rows(database, CallRow)
    assert (row["began"], row["at"]) == (second(0), second(2.75))


@pytest.mark.parametrize("uniqueid", ["", "<unknown>", "99999999999.1", "abc", "1794996000"])
async def test_without_it_the_key_is_the_second_of_the_beginning_and_stays(
    writer: Writer, database: Database, uniqueid: str
) -> None:
    life = answered_life(at=T0 + 2.75, uniqueid=uniqueid)
    await record(writer, life[0])
    await record(writer, *(replace(c, call=replace(c.call, at=None)) for c in life[1:]))
    (row,) = await rows(database, CallRow)
    assert (row["began"], row["state"]) == (second(2), "ended")
    assert len(await rows(database, LegRow)) == 3


async def test_a_call_that_knows_no_time_at_all_is_kept(writer: Writer, database: Database) -> None:
    await record(writer, Change("call.began", Call(**_bare()), 0.5))
    (row,) = await rows(database, CallRow)
    assert abs(row["at"] - datetime.now(UTC)) < timedelta(minutes=1)


def _bare() -> dict[str, Any]:
    return {
        "id": "x", "pbx": OFFICE, "uniqueid": "", "channel": "", "direction": "inbound", "state": "waiting", "at": None,
    }  # fmt: skip


async def test_everything_that_befell_a_call_is_in_its_row(writer: Writer, database: Database) -> None:
    one = making.call(
        transfers=(Transfer("attended", "101", "102", True, 3.0, None, T0 + 9),),
        parked=Parked("101", "701", retrieved_by="102"),
        pickup=Pickup("101", "104"),
        hold_s=2.5,
        voicemail="101@default",
        serves="other",
        click_to_call=True,
        client_ring_s=4.0,
        why="busy",
    )
    await record(writer, making.began(one))
    (row,) = await rows(database, CallRow)
    assert row["transfers"] == [
        {"kind": "attended", "from": "101", "to": "102", "answered": True, "consult_s": 3.0, "talk_s": None,
         "at": "2026-11-18T10:00:09.000Z"}
    ]  # fmt: skip
    assert row["parked"] == {
        "by": "101", "space": "701", "retrieved_by": "102", "timed_out": False, "given_up": False,
    }  # fmt: skip
    assert row["pickup"] == {"from": "101", "by": "104"}
    assert (row["hold_s"], row["voicemail"], row["serves"], row["why"]) == (2.5, "101@default", "other", "busy")
    assert (row["click_to_call"], row["client_ring_s"]) == (True, 4.0)


async def test_a_hostile_call_is_kept_and_cut(writer: Writer, database: Database) -> None:
    name = "<script>\x00\ud800" + "☎" * 10_000
    one = making.call(name=name, queue=name, called=name, channel=name, recordings=(Sound(name),), operator=name)
    ended = making.ends(making.answers(making.rings(one, name)[-1].call, name)[0].call)
    await record(writer, making.began(one))
    await record(writer, ended)
    await record(writer, ended)
    (row,) = await rows(database, CallRow)
    assert len(row["name"]) == 200
    assert len(row["channel"]) == 200
    assert [len(part["extension"]) for part in await rows(database, CallOperator)] == [80]
    assert len(await rows(database, CallRecording)) == 1


async def test_legs_and_operators_that_were_mistaken_go(writer: Writer, database: Database) -> None:
    ringing = making.rings(making.call(), "101", "102", "103")
    await record(writer, ringing[-1])
    fewer = replace(ringing[0].call, at=T0)
    await record(writer, Change("call.changed", fewer, T0 + 3))
    assert [leg["who"] for leg in await rows(database, LegRow)] == [MOBILE, "101"]
    assert [part["extension"] for part in await rows(database, CallOperator)] == ["101"]


async def test_recordings_keep_their_numbers_and_are_looked_at_after_the_end(
    writer: Writer, database: Database
) -> None:
    one = making.call(recordings=(Sound("a.wav"),))
    await record(writer, making.began(one))
    writing = await rows(database, CallRecording)
    sounds = (Sound("b.wav"), Sound("a.wav", first_lane="operator"), Sound("b.wav"))
    two = replace(one, recordings=sounds)
    await record(writer, making.ends(two))
    ended = await rows(database, CallRecording)
    assert [(row["n"], row["file"], row["state"], row["check_at"]) for row in writing] == [
        (0, "a.wav", "writing", None)
    ]
    assert [(row["n"], row["file"], row["state"], row["first_lane"]) for row in ended] == [
        (0, "a.wav", "writing", "operator"),
        (1, "b.wav", "writing", "client"),
    ]
    assert all(row["check_at"] is not None for row in ended)
    told = [ids for kind, ids in await facts(database) if kind == "recording.changed"]
    assert told == [{"call": "c1", "n": 0}, {"call": "c1", "n": 1}]


async def test_a_file_told_with_and_without_its_folder_is_one_recording(writer: Writer, database: Database) -> None:
    whole = "/var/spool/asterisk/monitor/2026/11/21/a.wav"
    one = making.call(recordings=(Sound(whole),))
    await record(writer, making.began(one))
    two = replace(one, recordings=(Sound("2026/11/21/a.wav"),))
    await record(writer, Change("call.changed", two, T0 + 5.0))
    assert [row["file"] for row in await rows(database, CallRecording)] == [whole]


async def test_a_recording_that_was_found_is_not_looked_for_again(writer: Writer, database: Database) -> None:
    one = making.call(recordings=(Sound("a.wav"),))
    await record(writer, making.ends(one))

    async def found(unit: Unit) -> None:
        await unit.db.execute(update(CallRecording).values(state="present", check_at=None, seconds=3.0))

    await writer.do(found, name="test")
    await record(writer, making.ends(one))
    (row,) = await rows(database, CallRecording)
    assert (row["state"], row["check_at"], row["seconds"]) == ("present", None, 3.0)


async def test_an_ended_call_stays_ended_when_its_past_is_read_again(writer: Writer, database: Database) -> None:
    life = answered_life()
    await record(writer, *life)
    before = (await rows(database, CallRow), await rows(database, LegRow), await rows(database, CallOperator))
    told = len(await facts(database))
    for change in life:
        await record(writer, change)
    assert (await rows(database, CallRow), await rows(database, LegRow), await rows(database, CallOperator)) == before
    assert len(await facts(database)) == told


async def test_a_call_given_up_for_dead_may_be_found_alive(writer: Writer, database: Database) -> None:
    life = answered_life()
    await record(writer, *life)
    later = replace(life[-2].call, state="talking")
    await record(writer, Change("call.changed", later, T0 + 100))
    (row,) = await rows(database, CallRow)
    assert (row["state"], row["ended_at"]) == ("talking", None)


async def test_what_people_chose_and_wrote_survives_every_rewriting(writer: Writer, database: Database) -> None:
    life = answered_life()
    await record(writer, *life[:3])
    chosen = {"step": "chosen", "number": "+79161234567", "clients": [99], "chosen": True, "chosen_by": OLGA}

    async def choose(unit: Unit) -> None:
        await unit.db.execute(
            update(CallRow).values(client_id=99, match=chosen, disposition="Resolved", note_line="Wants two")
        )

    await writer.do(choose, name="test")
    await record(writer, *(replace(c, call=replace(c.call, client="79260000000")) for c in life[3:]))
    (row,) = await rows(database, CallRow)
    assert (row["client_id"], row["match"], row["state"]) == (99, chosen, "ended")
    assert (row["disposition"], row["note_line"], row["client_number"]) == ("Resolved", "Wants two", "+79260000000")


async def test_a_number_learned_late_is_matched_then(writer: Writer, database: Database) -> None:
    life = answered_life(client=None)
    await record(writer, *life[:2])
    await record(writer, *(replace(c, call=replace(c.call, client=MOBILE)) for c in life[2:]))
    (row,) = await rows(database, CallRow)
    (client,) = await rows(database, Client)
    assert (row["client_id"], row["match"]["step"]) == (client["id"], "new")


async def test_a_consultation_folds_into_the_clients_call(writer: Writer, database: Database) -> None:
    main = answered_life("main", recordings=(Sound("main.wav"),))
    consult = making.call("consult", T0 + 10, direction="internal", client=None, caller="101", called="102")
    consult = replace(consult, recordings=(Sound("consult.wav"), Sound("main.wav")))
    await record(writer, *main[:-1])
    await record(writer, making.began(consult), *making.rings(consult, "102"))

    async def people(unit: Unit) -> None:
        note = {"began": second(0), "call_id": "main", "user_id": OLGA, "text": "Wants two", "version": 1}
        note |= {"disposition": "Resolved", "changed_at": second(6)}
        asked = note | {"began": second(10), "call_id": "consult", "text": "Asked Ruslan", "version": 3}
        asked |= {"disposition": None, "changed_at": second(12)}
        await upsert(unit.db, CallNote, [note, asked, asked | {"user_id": RUSLAN, "text": "Helped"}])
        pop = {"at": second(11), "call_id": "consult", "user_id": RUSLAN}
        await upsert(unit.db, Pop, [pop | {"id": "a", "state": "withdrawn"}, pop | {"id": "b", "state": "offered"}])
        await unit.db.execute(update(CallRow).where(CallRow.id == "consult").values(note_line="Asked Ruslan"))

    await writer.do(people, name="test")
    joined = replace(main[-1], was=("consult",))
    await record(writer, joined)
    await record(writer, joined)
    (row,) = await rows(database, CallRow)
    assert (row["id"], row["note_line"]) == ("main", "Asked Ruslan")
    assert {leg["call_id"] for leg in await rows(database, LegRow)} == {"main"}
    assert {part["call_id"] for part in await rows(database, CallOperator)} == {"main"}
    sounds = await rows(database, CallRecording)
    assert [(one["call_id"], one["n"], one["file"]) for one in sounds] == [
        ("main", 0, "main.wav"), ("main", 1, "consult.wav"),
    ]  # fmt: skip
    notes = await rows(database, CallNote)
    assert [(n["call_id"], n["user_id"], n["text"], n["disposition"]) for n in notes] == [
        ("main", OLGA, "Wants two\nAsked Ruslan", "Resolved"), ("main", RUSLAN, "Helped", None),
    ]  # fmt: skip
    pops = await rows(database, Pop)
    assert [(pop["id"], pop["call_id"]) for pop in pops] == [("a", "main"), ("b", "consult")]
    assert ("call.changed", {"call": "consult", "into": "main"}) in await facts(database)


async def test_a_call_folded_within_one_batch_never_was(writer: Writer, database: Database) -> None:
    stray = making.began(making.call("stray", T0 + 1))
    joined = replace(making.ends(making.call("main")), was=("stray",))
    await record(writer, making.began(making.call("main")), stray, joined)
    assert [row["id"] for row in await rows(database, CallRow)] == ["main"]
    assert "stray" not in {ids.get("call") for _, ids in await facts(database)}


async def test_what_follows_runs_in_the_same_unit(writer: Writer, database: Database) -> None:
    seen: list[service.Recorded] = []

    async def follow(unit: Unit, written: Sequence[service.Recorded]) -> None:
        seen.extend(written)
        raise RuntimeError("the follower fails")

    with pytest.raises(RuntimeError):
        await writer.do(lambda unit: service.record(unit, missed_life(), PEOPLE, after=[follow]), name="test")
    assert [(one.call.id, one.new, one.number.e164, one.called) for one in seen] == [
        ("c1", True, "+79161234567", "+74950000001")
    ]
    assert await rows(database, CallRow) == []


async def test_a_phone_that_changes_hands_leaves_old_calls_to_whom_they_were(
    writer: Writer, database: Database
) -> None:
    await record(writer, *answered_life())
    await record(writer, answered_life()[-1], context=making.context(("101", RUSLAN)))
    assert [part["user_id"] for part in await rows(database, CallOperator)] == [OLGA, RUSLAN]


async def test_a_call_seen_for_the_first_time_at_its_end_is_whole(writer: Writer, database: Database) -> None:
    await record(writer, missed_life()[-1])
    (row,) = await rows(database, CallRow)
    assert (row["state"], row["missed"], row["total_s"]) == ("ended", True, 20)
    assert [kind for kind, _ in await facts(database)] == ["client.created", "call.ended"]


def test_a_call_is_read_without_knowing_its_pbx() -> None:
    stranger = Context().stranger(Call(**_bare() | {"client": "+79161234567"}))
    assert stranger.e164 == "+79161234567"
