"""The tracker bears any input: it mends, counts an anomaly, or lets state expire, and never raises."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ami.legs import LegRecorded
from ami.tracker import HANDLERS, WANTED, Tracker
from ami.tracker.channel import endpoint_of
from ami.tracker.mending import LONG_PATIENCE, PATIENCE
from ami.tracker.world import KEPT
from callcrm.calls.model import Calls
from callcrm.telephony.asterisk import Adapter
from callcrm.telephony.sides import Sides

UIDS = [f"1795281067.{n}" for n in range(6)] + ["", "<unknown>", "no number", "1" * 400]
NAMES = ["PJSIP/trunk-00000001", "PJSIP/101-00000002", "PJSIP/102-00000003", "Local/1@c-00000001;1"]
NAMES += ["Local/1@c-00000001;2", "Surrogate/x", "PJSIP/101-00000002<ZOMBIE>", "", "../../etc/passwd", "<script>"]
PREFIXES = ["", "Dest", "Transferer", "Transferee", "OrigTransferer", "SecondTransferer", "TransferTarget"]
PREFIXES += ["Parkee", "Retriever", "Target", "LocalOne", "LocalTwo"]
ODD = st.one_of(st.sampled_from(["", "0", "1", "2", "6", "5", "-1", "101", "ANSWER", "BUSY", "Success"]), st.text())

HEADERS = ["BridgeUniqueid", "BridgeType", "BridgeNumChannels", "SwapUniqueid", "Queue", "DialStatus", "Cause", "Value"]
HEADERS += ["Newname", "ActionID", "ListItems", "Seconds", "Duration", "BridgeId", "Variable", "Result", "Extension"]

EVENTS = st.builds(
    lambda name, channels, rest: {"Event": name, **{k: v for one in channels for k, v in one.items()}, **rest},
    st.sampled_from(sorted(WANTED)),
    st.lists(
        st.builds(
            lambda prefix, uid, name, linked, state: {
                f"{prefix}Uniqueid": uid,
                f"{prefix}Channel": name,
                f"{prefix}Linkedid": linked,
                f"{prefix}ChannelState": state,
                f"{prefix}CallerIDNum": "79161234567",
                f"{prefix}Exten": "102",
            },
            st.sampled_from(PREFIXES),
            st.sampled_from(UIDS),
            st.sampled_from(NAMES),
            st.sampled_from(UIDS),
            st.sampled_from(["0", "4", "5", "6", "x"]),
        ),
        max_size=3,
    ),
    st.dictionaries(
        st.sampled_from(HEADERS),
        st.one_of(ODD, st.lists(ODD, max_size=3)),
        max_size=6,
    ),
)


@given(st.lists(EVENTS, max_size=40), st.lists(st.floats(-10, 100), min_size=40, max_size=40))
@settings(max_examples=300)
def test_no_sequence_of_events_makes_tracker_or_model_raise(messages, gaps):
    tracker, adapter, calls, at = Tracker(), Adapter(Sides()), Calls("office"), 0.0
    for message, gap in zip(messages, gaps, strict=False):
        at += gap
        for event in tracker.feed(message, at):
            calls.steps(adapter.hear(event))
        calls.tick(at)
    for event in tracker.stopped(at):
        calls.steps(adapter.hear(event))
    calls.finish(at)
    assert tracker.odd["unreadable"] == 0
    assert tracker.open_channels == 0


def test_anomalies_are_bounded():
    tracker = Tracker()
    for n in range(3 * KEPT):
        tracker.feed({"Event": "Newstate", "Channel": f"PJSIP/101-{n:08x}", "Uniqueid": f"1.{n}"}, float(n) / 1000)
    assert len(tracker.anomalies) == KEPT
    assert tracker.odd["channel begun unseen"] == 3 * KEPT


def newchannel(uid, name, **more):
    return {"Event": "Newchannel", "Channel": name, "Uniqueid": uid, "Linkedid": uid, "ChannelState": "4", **more}


def test_an_ended_channel_stays_ended():
    tracker = Tracker()
    tracker.feed(newchannel("1.1", "PJSIP/101-00000001"), 0.0)
    tracker.feed({**newchannel("1.1", "PJSIP/101-00000001"), "Event": "Hangup", "Cause": "16"}, 1.0)
    assert tracker.feed({**newchannel("1.1", "PJSIP/101-00000001"), "Event": "Newstate"}, 1.1) == []
    assert tracker.open_channels == 0


def test_a_channel_that_was_told_to_end_ends_though_its_hangup_was_lost():
    tracker = Tracker()
    tracker.feed(newchannel("1.1", "PJSIP/101-00000001"), 0.0)
    tracker.feed({"Event": "SoftHangupRequest", "Uniqueid": "1.1", "Channel": "PJSIP/101-00000001", "Cause": "16"}, 1.0)
    tracker.tick(1.0 + PATIENCE - 0.1)
    assert tracker.open_channels == 1
    ended = tracker.tick(1.0 + PATIENCE + 0.1)
    assert [type(event).__name__ for event in ended] == ["LegEnded"]


def test_a_channel_that_the_dialplan_sends_elsewhere_lives_on():
    tracker = Tracker()
    tracker.feed(newchannel("1.1", "PJSIP/trunk-00000001"), 0.0)
    tracker.feed(
        {"Event": "SoftHangupRequest", "Uniqueid": "1.1", "Channel": "PJSIP/trunk-00000001", "Cause": "2"}, 1.0
    )
    tracker.tick(1.0 + 2 * LONG_PATIENCE)
    assert tracker.open_channels == 1


def test_a_channel_missing_from_a_whole_list_ends_and_one_missing_from_a_torn_list_does_not():
    for said, left in (("0", 0), ("2", 1)):
        tracker = Tracker()
        tracker.feed(newchannel("1.1", "PJSIP/101-00000001"), 0.0)
        tracker.feed({"Event": "CoreShowChannelsComplete", "ActionID": "a", "ListItems": said}, 10.0)
        tracker.tick(13.0)
        assert tracker.open_channels == left


def test_endpoints_of_every_technology_are_read_off_the_channel():
    names = {
        "PJSIP/101-0000001a": "PJSIP/101",
        "SIP/my-provider-000000ff": "SIP/my-provider",
        "IAX2/office-1234": "IAX2/office",
        "DAHDI/i1/79161234567-1": "DAHDI/i1/79161234567",
        "AsyncGoto/PJSIP/101-0000001a": "PJSIP/101",
        "PJSIP/101-0000001a<ZOMBIE>": "PJSIP/101",
        "PJSIP/101": "PJSIP/101",
    }
    assert {name: endpoint_of(name) for name in names} == names


def test_every_handled_event_is_wanted_of_the_connection():
    assert set(HANDLERS) < WANTED


def _recordings(*messages: dict[str, str]) -> list[tuple[str, bool]]:
    """The legs through which a recording was told, and whether what they hear comes first in it."""
    tracker = Tracker()
    told = [event for at, message in enumerate(messages) for event in tracker.feed(message, float(at))]
    return [(event.leg, event.hears) for event in told if isinstance(event, LegRecorded) and event.file]


def _message(event: str, uid: str, name: str, **more: str) -> dict[str, str]:
    return {"Event": event, "Uniqueid": uid, "Channel": name, "Linkedid": "1.1", "ChannelState": "0", **more}


CLIENT, PHONE = ("1.1", "PJSIP/trunk-00000001"), ("1.4", "PJSIP/101-00000002")
FIRST, SECOND = ("1.2", "Local/101@c-00000001;1"), ("1.3", "Local/101@c-00000001;2")
NAMED = {"Variable": "MIXMONITOR_FILENAME", "Value": "a.wav"}


def test_a_recording_in_a_queue_members_local_pair_is_told_of_the_client_who_is_heard_there() -> None:
    dial = {"DestUniqueid": FIRST[0], "DestChannel": FIRST[1], "DestChannelState": "0", "DestLinkedid": "1.1"}
    born = [_message("Newchannel", *one) for one in (CLIENT, FIRST, SECOND)]
    assert _recordings(*born, _message("DialBegin", *CLIENT, **dial), _message("VarSet", *SECOND, **NAMED)) == [
        ("1.1", False)
    ]


def test_a_recording_in_a_pair_that_leads_nowhere_yet_is_told_once_somebody_is_there() -> None:
    born = [_message("Newchannel", *one) for one in (FIRST, SECOND)]
    room = {"BridgeUniqueid": "b1", "BridgeType": "basic"}
    meets = [_message("Newchannel", *PHONE), *(_message("BridgeEnter", *one, **room) for one in (SECOND, PHONE))]
    assert _recordings(*born, _message("VarSet", *SECOND, **NAMED), *meets) == [("1.4", True)]
    assert _recordings(*born, *meets, _message("VarSet", *FIRST, **NAMED)) == [("1.4", False)]
