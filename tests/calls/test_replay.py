"""Every recorded stream of two Asterisk versions gives the calls that its phones saw."""

import json
from pathlib import Path

import pytest

from callcrm.calls.model import call_id
from callcrm.calls.replay import replay_file
from tests.calls.expected import CALLCRM, disagreements, scenario, traces

GIVEN = {"trunks": "PJSIP/trunk", "operators": r"PJSIP/1\d\d"}


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.name}"


@pytest.mark.parametrize("classes", [None, CALLCRM], ids=["full", "callcrm"])
@pytest.mark.parametrize("given", [{}, GIVEN], ids=["guessed", "given"])
@pytest.mark.parametrize("path", traces("jsonl.gz"), ids=name)
def test_a_stream_with_times_agrees_with_the_phones(path, given, classes):
    found = replay_file(path, classes=classes, **given)
    assert disagreements(scenario(path), found, timed=True) == []


@pytest.mark.parametrize("classes", [None, CALLCRM], ids=["full", "callcrm"])
@pytest.mark.parametrize("path", traces("raw.gz"), ids=name)
def test_raw_bytes_agree_in_all_but_times(path, classes):
    found = replay_file(path, classes=classes, **GIVEN)
    assert disagreements(scenario(path), found, timed=False) == []


def test_there_are_streams_of_two_versions():
    assert len(traces("jsonl.gz")) == len(traces("raw.gz")) == 82


def test_a_guess_of_who_is_who_is_told():
    found = replay_file(traces("jsonl.gz")[0])
    assert {"kind": "guessed", "detail": "PJSIP/101 is operator"} in found["anomalies"]


def test_no_guess_is_told_where_nothing_was_guessed():
    found = replay_file(traces("jsonl.gz")[0], **GIVEN)
    assert [one for one in found["anomalies"] if one["kind"] == "guessed"] == []


def test_an_id_is_of_the_pbx_and_the_first_channel():
    path = next(path for path in traces("jsonl.gz") if path.name.startswith("transfer_attended."))
    call = replay_file(path, pbx="office")["calls"][0]
    first = call["legs"][0]
    assert first["channel"] == call["channel"]
    assert call["id"] == call_id("office", "1795281371.911" if "16." in str(path) else "1795281356.160")
    assert replay_file(path, pbx="other")["calls"][0]["id"] != call["id"]


def test_a_stream_that_is_not_closed_leaves_its_calls_open(tmp_path):
    whole = next(path for path in traces("raw.gz") if path.name.startswith("direct_answered."))
    import gzip

    data = gzip.decompress(whole.read_bytes())
    cut = tmp_path / "cut.raw"
    cut.write_bytes(data[: data.index(b"Event: HangupRequest")])
    (call,) = replay_file(cut, **GIVEN)["calls"]
    assert (call["total_s"], call["ended_by"], call["answered_by"]) == (None, None, ["101"])


def test_damaged_bytes_are_counted_and_passed_over(tmp_path):
    whole = next(path for path in traces("raw.gz") if path.name.startswith("direct_answered."))
    import gzip

    data = gzip.decompress(whole.read_bytes())
    at = data.index(b"\r\n\r\nEvent: ", 3000) + 4
    broken = tmp_path / "broken.raw"
    broken.write_bytes(data[:at] + b"\x00\xff no colon at all\r\n\r\n" + data[at:])
    found = replay_file(broken, **GIVEN)
    assert disagreements(scenario(whole), found, timed=False) == []
    assert found["anomalies"] != []


def test_the_whole_answer_is_json():
    found = replay_file(traces("jsonl.gz")[0])
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {"file", "calls", "anomalies", "events"}
