import gzip
import json
import random
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami.capture import Captured, CaptureWriter, read_capture, to_bytes, visible_to
from ami.messages import Decoder

TRACES = Path(__file__).parent.parent / "traces"
NAMES = sorted(path.name.removesuffix(".raw.gz") for path in (TRACES / "22.10.1").glob("*.raw.gz"))


def trace(version: str, name: str, kind: str) -> Path:
    found = sorted((TRACES / version).glob(f"{name}.{kind}*"))
    assert found, f"{name}.{kind} is not among the traces of {version}"
    return found[0]


def messages_of(path: Path) -> list[dict]:
    return [captured.message for captured in read_capture(path) if captured.kind == "message"]


@pytest.mark.parametrize("version", ["16.28.0", "22.10.1"])
def test_bytes_and_lines_of_every_trace_hold_the_same_messages(version):
    assert len(NAMES) > 30
    for name in NAMES:
        raw, lines = read_capture(trace(version, name, "raw")), read_capture(trace(version, name, "jsonl"))
        of_raw = [captured.message for captured in raw if captured.kind == "message"]
        assert of_raw == [captured.message for captured in lines if captured.kind == "message"], name
        assert not raw.anomalies, name
        assert not lines.anomalies, name
        assert of_raw, name


def test_lines_have_times_and_bytes_have_those_of_the_timestamp_header(tmp_path):
    lines = list(read_capture(trace("22.10.1", "direct_answered", "jsonl")))
    assert all(captured.t is not None for captured in lines)
    assert lines[0].kind == "banner"
    raw = tmp_path / "a.raw"
    raw.write_bytes(b"Event: A\r\nTimestamp: 1795281056.25\r\n\r\nEvent: B\r\nTimestamp: nan\r\n\r\nEvent: C\r\n\r\n")
    assert [captured.t for captured in read_capture(raw)] == [1795281056.25, None, None]


def test_the_time_in_a_pings_answer_is_none_of_the_stream(tmp_path):
    raw = tmp_path / "a.raw"
    raw.write_bytes(b"Response: Success\r\nPing: Pong\r\nTimestamp: 1795281056.25\r\n\r\nEvent: A\r\n\r\n")
    assert [captured.t for captured in read_capture(raw)] == [None, None]


def test_the_closing_by_the_pbx_is_told(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"t": 1, "banner": "Asterisk Call Manager/9"}\n{"t": 2, "closed": true}\n')
    assert list(read_capture(file)) == [
        Captured(1.0, None, "banner", "Asterisk Call Manager/9"),
        Captured(2.0, None, "closed"),
    ]


def test_a_banner_in_mid_stream_is_told(tmp_path):
    file = tmp_path / "a.raw"
    file.write_bytes(b"Asterisk Call Manager/9\r\nEvent: A\r\n\r\nAsterisk Call Manager/9\r\nEvent: B\r\n\r\n")
    assert [captured.kind for captured in read_capture(file)] == ["banner", "message", "banner", "message"]


@pytest.mark.parametrize("kind", ["raw", "jsonl"])
def test_of_a_truncated_gzip_all_that_can_be_had_is_read(tmp_path, kind):
    source = trace("22.10.1", "queue_answered", kind)
    plain = source.read_bytes() if source.suffix != ".gz" else gzip.decompress(source.read_bytes())
    packed = gzip.compress(plain)
    whole = messages_of(source)
    for share in (0.2, 0.5, 0.9, 0.999):
        file = tmp_path / f"cut.{kind}.gz"
        file.write_bytes(packed[: int(len(packed) * share)])
        capture = read_capture(file)
        read = [captured.message for captured in capture if captured.kind == "message"]
        assert read == whole[: len(read)]
        to_be_had = zlib.decompressobj(31).decompress(packed[: int(len(packed) * share)])
        assert len(read) >= to_be_had.count(b"\r\n\r\n" if kind == "raw" else b"\n") - 2
        assert read
        assert capture.anomalies["truncated file"] == 1


def test_members_of_a_gzip_that_was_appended_to_are_all_read(tmp_path):
    file = tmp_path / "a.raw.gz"
    file.write_bytes(gzip.compress(b"Event: A\r\n\r\nEve") + gzip.compress(b"nt: B\r\n\r\n"))
    assert messages_of(file) == [{"Event": "A"}, {"Event": "B"}]


@given(st.integers(0, 2**32), st.sampled_from(["raw", "raw.gz", "jsonl", "jsonl.gz"]))
@settings(max_examples=40, deadline=None)
def test_no_damage_to_a_file_raises(tmp_path_factory, seed, kind):
    rng = random.Random(seed)
    source = trace("22.10.1", "direct_answered", kind.removesuffix(".gz"))
    data = bytearray(source.read_bytes())
    if source.suffix == ".gz" and not kind.endswith(".gz"):
        data = bytearray(gzip.decompress(bytes(data)))
    for _ in range(rng.randrange(1, 30)):
        at = rng.randrange(len(data))
        data[at : at + rng.randrange(20)] = rng.randbytes(rng.randrange(20))
    file = tmp_path_factory.mktemp("damaged") / f"a.{kind}"
    file.write_bytes(bytes(data))
    for captured in read_capture(file):
        if captured.message is not None:
            assert all(isinstance(value, str | list) for value in captured.message.values())
            json.dumps(captured.message, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1, 2]",
        '{"t": 1}',
        '{"t": 1, "msg": 5}',
        '{"t": 1, "msg": {}}',
        '{"t": 1, "msg": {"Event": {"a": 1}}}',
        "[" * 100_000,
    ],
)
def test_a_line_that_is_none_is_counted_and_passed_over(tmp_path, line):
    file = tmp_path / "a.jsonl"
    file.write_text(f'{line}\n{{"t": 5, "msg": {{"Event": "A"}}}}\n')
    capture = read_capture(file)
    assert list(capture) == [Captured(5.0, {"Event": "A"})]
    assert capture.anomalies == {"unreadable line": 1}


def test_odd_values_of_a_line_are_made_text(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text(r'{"t": "x", "msg": {"Event": "A", "N": 5, "Nothing": null, "Name": "\ud800", "Nul": "a\u0000"}}')
    (captured,) = read_capture(file)
    assert captured.t is None
    assert captured.message["N"] == "5"
    assert "Nothing" not in captured.message
    json.dumps(captured.message, ensure_ascii=False).encode("utf-8")
    assert "\0" not in captured.message["Nul"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_what_was_written_is_read_back(tmp_path, name):
    kept = [
        Captured(0.0, None, "banner", "Asterisk Call Manager/11.0.0"),
        Captured(0.5, {"Event": "Newchannel", "CallerIDName": "Щ", "ChanVariable": ["A=1", "B="]}),
        Captured(None, {"Event": "Hangup"}),
        Captured(2.0, None, "closed"),
    ]
    with CaptureWriter(tmp_path / name) as writer:
        for captured in kept:
            writer.write(captured)
    assert list(read_capture(tmp_path / name)) == kept


def test_a_message_goes_to_bytes_and_back():
    for message in messages_of(trace("22.10.1", "transfer_attended", "jsonl")):
        assert Decoder().feed(to_bytes(message)) == [message]


def test_a_user_of_fewer_classes_sees_less():
    call = {"Event": "Newchannel", "Privilege": "call,all"}
    assert visible_to(call, ["system", "call"])
    assert visible_to({"Event": "Status", "Privilege": "Call"}, ["call"])
    assert not visible_to({"Event": "VarSet", "Privilege": "dialplan,all"}, ["system", "call", "agent", "cdr", "user"])
    assert visible_to({"Response": "Success"}, [])
    assert not visible_to(call, [])


def test_a_file_that_is_not_there_is_the_callers_mistake(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read_capture(tmp_path / "none.raw"))


def test_an_empty_file_is_an_empty_stream(tmp_path):
    for kind in ("raw", "raw.gz", "jsonl", "jsonl.gz"):
        (tmp_path / f"a.{kind}").write_bytes(b"")
        assert list(read_capture(tmp_path / f"a.{kind}")) == []
