"""Rows of a CDR as calls: the traps one by one, and rows that nobody in his right mind wrote."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.calls import cdrs
from callcrm.calls.model import call_id
from callcrm.calls.rows import Context, call_row, leg_rows, operator_rows
from callcrm.telephony.sides import Sides
from tests.calls.cdr_rows import calls, row

NINE = datetime(2026, 11, 21, 9, tzinfo=UTC).timestamp()


def test_an_answered_call_in() -> None:
    (call,) = calls([row()])
    assert call.id == call_id("pbx", "1795251600.1")
    assert (call.direction, call.client, call.called) == ("inbound", "79161234567", "74950000101")
    assert (call.at, call.wait_s, call.total_s, call.answered_at) == (NINE, 5.0, 25.0, NINE + 5)
    assert [(one.operator, one.talk_s) for one in call.talks] == [("101", 20.0)]
    assert [(one.operator, one.ring_s) for one in call.rang] == [("101", 5.0)]
    assert (call.outcome, call.missed, call.ended_by, call.state) == ("answered", False, None, "ended")
    assert [(leg.side, leg.who) for leg in call.legs] == [("trunk", "79161234567"), ("operator", "101")]


QUEUE = {"lastapp": "Queue", "lastdata": "sales,tT,,,60", "answer": "2026-11-21 09:00:00", "dst": "74950000001"}


def test_a_queue_that_answers_first_does_not_make_an_abandoned_call_answered() -> None:
    rang = {**QUEUE, "disposition": "NO ANSWER", "billsec": 25}
    (call,) = calls([row(**rang), row(**rang, dstchannel="PJSIP/102-00000003")])
    assert (call.missed, call.outcome, call.queue, call.why) == (True, "missed", "sales", None)
    assert [(one.operator, one.ring_s) for one in call.rang] == [("101", None), ("102", None)]


def test_who_was_answered_by_the_pbx_alone_was_missed() -> None:
    nobody = {"dstchannel": "", "lastdata": "", "billsec": 25, "answer": "2026-11-21 09:00:00"}
    (left,) = calls([row(**nobody, lastapp="BackGround")])
    (closed,) = calls([row(**nobody, lastapp="Hangup")])
    (waited,) = calls([row(**{**QUEUE, "dstchannel": "", "billsec": 25})])
    assert [(one.missed, one.why) for one in (left, closed, waited)] == [(True, "ivr"), (True, "closed"), (True, None)]
    assert waited.queue == "sales"


def test_ring_all_is_one_call_and_the_others_stop_when_one_answers() -> None:
    (call,) = calls(
        [
            row(**QUEUE, billsec=25),
            row(**QUEUE, dstchannel="PJSIP/102-00000003", disposition="NO ANSWER", duration=7, billsec=7),
        ]
    )
    assert (call.answered_by, call.wait_s, call.answered_at) == (("101",), 7.0, NINE + 7)
    assert [one.operator for one in call.rang] == ["101", "102"]


def test_how_long_a_phone_rang_is_told_only_where_nothing_came_before() -> None:
    (direct,) = calls([row(disposition="NO ANSWER", billsec=0)])
    (after_a_menu,) = calls([row(disposition="NO ANSWER", billsec=24, answer="2026-11-21 09:00:01")])
    (in_a_queue,) = calls([row(disposition="NO ANSWER", billsec=0, lastapp="Queue", lastdata="sales")])
    assert [one.rang[0].ring_s for one in (direct, after_a_menu, in_a_queue)] == [25.0, None, None]


def test_when_the_pbx_answered_first_nobody_knows_since_when_they_talked() -> None:
    (call,) = calls([row(**QUEUE, billsec=25)])
    assert (call.answered_by, call.wait_s, call.talks[0].talk_s, call.talks[0].at) == (("101",), None, None, None)
    assert call.answered_at == NINE


def test_a_phone_that_is_not_there_is_offline_and_a_busy_one_busy() -> None:
    (offline,) = calls([row(dstchannel="", disposition="FAILED", duration=0, billsec=0)])
    (busy,) = calls([row(disposition="BUSY", duration=0, billsec=0)])
    assert [(one.missed, one.why, len(one.rang)) for one in (offline, busy)] == [
        (True, "offline", 0),
        (True, "busy", 1),
    ]


def test_a_mobile_that_was_lifted_but_not_put_through_did_not_talk() -> None:
    (call,) = calls([row(dstchannel="PJSIP/trunk-00000002", lastdata="PJSIP/79035550000@trunk,20", billsec=0)])
    assert (call.missed, call.answered_by) == (True, ())


def test_a_call_out_has_the_number_that_the_trunk_was_given() -> None:
    out = {"channel": "PJSIP/101-00000001", "dstchannel": "SIP/provider-00000002", "dcontext": "from-internal"}
    (call,) = calls([row(**out, src="74950000000", dst="89161234567", lastdata="SIP/provider/79161234567,300,T")])
    assert (call.direction, call.client, call.called, call.operator) == (
        "outbound",
        "79161234567",
        "89161234567",
        "101",
    )
    assert (call.answered_by, call.wait_s) == (("101",), 5.0)
    (busy,) = calls([row(**out, dst="89161234567", lastdata="SIP/provider/79161234567", disposition="BUSY", billsec=0)])
    assert (busy.outcome, busy.missed, busy.answered_by) == ("busy", False, ())


def test_colleagues_and_anonymous_callers_are_nobodys_number() -> None:
    (inner,) = calls([row(channel="PJSIP/102-00000001", src="102", dst="101", dcontext="from-internal")])
    assert (inner.direction, inner.client, inner.caller, inner.called) == ("internal", None, "102", "101")
    (hidden,) = calls([row(src="anonymous", clid='"Anonymous" <anonymous>')])
    assert (hidden.client, hidden.name) == (None, None)


def test_a_queues_member_behind_local_channels_is_the_one_who_answered() -> None:
    """Two pairs, as FreePBX has it with follow-me; without a Linkedid, too."""
    chain = [
        row(**{**QUEUE, "answer": "2026-11-21 09:00:06"}, dstchannel="Local/104@from-queue-00000001;1", linkedid=""),
        row(
            channel="Local/104@from-queue-00000001;2",
            dstchannel="Local/FMPR-104@from-internal-00000002;1",
            uniqueid="1795251600.3",
            linkedid="",
            billsec=19,
        ),
        row(
            channel="Local/FMPR-104@from-internal-00000002;2",
            dstchannel="PJSIP/104-00000009",
            uniqueid="1795251600.5",
            linkedid="",
            billsec=19,
        ),
    ]
    (call,) = calls(chain)
    assert (call.uniqueid, call.answered_by, call.wait_s, call.queue) == ("1795251600.1", ("104",), 6.0, "sales")


def test_a_member_of_whose_line_there_is_no_row_is_known_by_the_local_channels_name() -> None:
    (call,) = calls([row(**QUEUE, billsec=25, dstchannel="Local/104@from-queue-00000001;1")])
    assert (call.missed, call.answered_by) == (False, ("104",))
    assert [(leg.side, leg.who) for leg in call.legs] == [("trunk", "79161234567"), ("operator", "104")]


def test_freepbx_tells_a_recording_by_its_name_alone() -> None:
    name = "external-101-79161234567-20261121-090000-1795251600.1.wav"
    (call,) = calls([row(recordingfile=name)])
    assert [(one.file, one.first_lane) for one in call.recordings] == [(f"2026/11/21/{name}", "client")]


def test_without_did_the_number_that_a_transfer_wrote_is_not_taken_for_the_line() -> None:
    """The operator dialled 600 for the client; his own calls show that the context is the operators'."""
    into = {"dst": "600", "dcontext": "office", "linkedid": ""}
    queue = {"lastapp": "Queue", "lastdata": "support", "calldate": "2026-11-21 09:00:25"}
    handed = [row(**into), row(**into, **queue, dstchannel="PJSIP/104-00000003")]
    other = {"uniqueid": "1795252200.8", "calldate": "2026-11-21 09:10:00", "channel": "PJSIP/102-00000009"}
    inner = row(**other, src="102", dst="101", dcontext="office", dstchannel="PJSIP/101-0000000a", linkedid="")
    assert [call.called for call in calls([*handed, inner])] == [None, "101"]
    assert calls([*handed, inner])[0].answered_by == ("101", "104")


def test_names_of_channels_come_again_after_a_restart() -> None:
    later = row(calldate="2026-11-21 09:10:00", uniqueid="1795252200.1", linkedid="")
    assert len(calls([row(linkedid=""), later])) == 2


def test_calls_of_local_channels_alone_are_none() -> None:
    check = {"channel": "Local/s@callcrm-check-calls-nowhere-00000001;2", "dstchannel": "", "disposition": "FAILED"}
    assert (
        calls([row(**check), row(**{**check, "channel": check["channel"][:-1] + "1", "uniqueid": "1795251600.2"})])
        == []
    )


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Asia/Kathmandu", "America/St_Johns", "UTC"])
def test_a_zone_that_is_set_wrong_is_put_right_by_the_uniqueid(zone: str) -> None:
    """The PBX writes its own wall clock; the rows are read as if it were in `zone`."""
    made = cdrs.read(row(), ZoneInfo(zone))
    assert made is not None
    parties = cdrs.Parties([made], Sides())
    (call,) = cdrs.calls(cdrs.groups([made], parties.outside), parties, "pbx")
    assert (call.at, call.answered_at, call.total_s) == (NINE, NINE + 5, 25.0)


def test_a_caller_for_whom_phones_rang_ten_thousand_times_is_still_one_call() -> None:
    rang = {**QUEUE, "disposition": "NO ANSWER", "duration": 10, "billsec": 10}
    many = [row(**rang, dstchannel=f"PJSIP/10{n % 9}-{n:08x}") for n in range(10_000)]
    (call,) = calls([*many, row(**QUEUE, billsec=25)])
    assert (call.answered_by, len(call.rang)) == (("101",), 10_001)


def test_a_reading_is_of_numbers_for_dispositions_too() -> None:
    (call,) = calls([row(disposition=8)])
    assert call.answered_by == ("101",)


CHANNELS = [
    *("PJSIP/trunk-00000001", "PJSIP/101-00000002", "PJSIP/102-00000003", "Local/104@q-00000001;1"),
    *(
        "Local/104@q-00000001;2",
        "Local/x@y-00000002;1",
        "Local/x@y-00000002;2",
        "PJSIP/104-00000009",
        "",
        "Local/;1",
        "/",
    ),
]
TIMES = ["2026-11-21 09:00:00", "2026-11-21 09:00:07", "2026-11-21T09:00:09Z", "2026-11-21 09:00:30.5"]
ABSURD = ["", "0000-00-00 00:00:00", "9999-12-31 23:59:59", "0001-01-01", "yesterday", None, -1, b"\xff", datetime.max]
IDS = ["1795251600.1", "1795251600.2", "pbx-1795251607.3", "", "x", "1795251600.99999999999999999999", None]
WORDS = st.sampled_from(
    ["", "s", "101", "79161234567", "+79161234567", "*8", "x" * 10_000, '"a" <b', "\x00\u202e", None]
)
HOSTILE = st.fixed_dictionaries(
    {},
    optional={
        "uniqueid": st.sampled_from(IDS),
        "linkedid": st.sampled_from(IDS),
        "start": st.sampled_from([*TIMES, *ABSURD]),
        "answer": st.sampled_from([*TIMES, *ABSURD]),
        "end": st.sampled_from([*TIMES, *ABSURD]),
        "channel": st.sampled_from(CHANNELS) | st.text(max_size=20),
        "dstchannel": st.sampled_from(CHANNELS),
        "disposition": st.sampled_from(["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION", "", "9", None]),
        "lastapp": st.sampled_from(["Dial", "Queue", "Park", "ParkedCall", "VoiceMail", "Hangup", "AppDial", "", None]),
        "lastdata": st.sampled_from(
            ["(Outgoing Line)", "PJSIP/101&Local/x@y", "PJSIP/79161234567@trunk", "default:701"]
        )
        | WORDS,
        "duration": st.sampled_from(["0", 25, "-5", "nan", "1e400", "x", None]),
        "billsec": st.sampled_from(["0", 20, "-5", "inf", "x", None]),
        "src": WORDS,
        "dst": WORDS,
        "clid": WORDS,
        "dcontext": WORDS,
        "did": WORDS,
        "recordingfile": WORDS,
    },
)


@given(st.lists(HOSTILE, max_size=8), st.randoms(use_true_random=False))
def test_no_row_makes_it_raise_and_order_says_nothing(raw: list[Mapping[str, Any]], random: Any) -> None:
    found = calls(raw)
    shuffled = list(raw)
    random.shuffle(shuffled)
    assert calls(shuffled) == found
    assert len({call.id for call in found}) == len(found)
    for call in found:
        assert call.state == "ended"
        assert call.missed == (call.direction == "inbound" and not call.answered_by)
        assert call.total_s is not None and call.total_s >= 0
        first = datetime.fromtimestamp(call.at or 0.0, UTC).replace(microsecond=0)
        made = call_row(call, first, Context(), Context().stranger(call))
        assert len(made["channel"]) <= 250 and leg_rows(call, first)
        assert operator_rows(call, first, Context()) is not None
