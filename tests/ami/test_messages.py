import gzip
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami import messages
from ami.messages import Decoder, Message, first, is_banner, values

TRACES = Path(__file__).parent.parent / "traces"
STREAM = gzip.decompress((TRACES / "22.10.1" / "queue_answered.raw.gz").read_bytes())[:60_000]


def decoded(*pieces: bytes) -> list[Message]:
    decoder = Decoder()
    return [message for piece in pieces for message in decoder.feed(piece)]


def test_a_message_is_its_headers_in_order():
    (hangup,) = decoded(b"Event: Hangup\r\nChannel: PJSIP/101-1\r\nCause: 16\r\n\r\n")
    assert list(hangup.items()) == [("Event", "Hangup"), ("Channel", "PJSIP/101-1"), ("Cause", "16")]


@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=12))
@settings(max_examples=30, deadline=None)
def test_where_the_bytes_are_cut_changes_nothing(cuts):
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(edges)]
    assert decoded(*pieces) == decoded(STREAM)


def test_byte_by_byte_is_the_same():
    part = STREAM[:8_000]
    assert decoded(*(part[at : at + 1] for at in range(len(part)))) == decoded(part)


def test_a_letter_cut_in_two_arrives_whole():
    data = "Event: Newchannel\r\nCallerIDName: Zoë Щукина\r\n\r\n".encode()
    for cut in range(1, len(data)):
        (message,) = decoded(data[:cut], data[cut:])
        assert message["CallerIDName"] == "Zoë Щукина"


def test_a_last_header_without_a_value_is_there():
    assert decoded(b"Event: VarSet\r\nVariable: X\r\nValue: \r\n\r\n") == [
        {"Event": "VarSet", "Variable": "X", "Value": ""}
    ]
    assert decoded(b"Event: VarSet\r\nValue:\r\n\r\n") == [{"Event": "VarSet", "Value": ""}]


def test_headers_of_one_name_become_a_list():
    (message,) = decoded(b"Event: Cdr\r\nChanVariable: A=1\r\nChanVariable: B=\r\nChanVariable: C=3\r\n\r\n")
    assert values(message, "ChanVariable") == ["A=1", "B=", "C=3"]
    assert first(message, "ChanVariable") == "A=1"
    assert values(message, "Missing") == []
    assert first(message, "Missing", "none") == "none"


def test_one_empty_line_too_many_is_nothing():
    data = b"Event: TestEvent\r\nState: A\r\nState: B\r\n\r\n\r\nEvent: Hangup\r\nCause: 16\r\n\r\n"
    assert decoded(data) == [{"Event": "TestEvent", "State": ["A", "B"]}, {"Event": "Hangup", "Cause": "16"}]


def test_output_lines_of_a_command_are_a_list():
    data = b"Response: Success\r\nMessage: Command output follows\r\nOutput: one\r\nOutput:  two: 2\r\n\r\n"
    assert values(decoded(data)[0], "Output") == ["one", " two: 2"]


def test_bare_line_feeds_are_read_too():
    data = b"Asterisk Call Manager/5.0.4\nEvent: Hangup\nCause: 16\n\nEvent: Newstate\r\nX: \r\n\r\n"
    for cut in range(1, len(data)):
        assert decoded(data[:cut], data[cut:]) == [{"Event": "Hangup", "Cause": "16"}, {"Event": "Newstate", "X": ""}]


def test_a_line_feed_within_a_value_makes_no_second_message():
    (message,) = decoded(b"Event: VarSet\r\nValue: a\n\nEvent: Hangup\r\nVariable: X\r\n\r\n")
    assert message["Event"] == "VarSet"
    assert message["Variable"] == "X"


def test_bytes_that_are_no_utf8_do_not_hide_the_message():
    (message,) = decoded(b"Event: Newchannel\r\nCallerIDName: \xcf\xf0\xe8\xe2\xe5\xf2\r\nUniqueid: 1.2\r\n\r\n")
    assert message["Uniqueid"] == "1.2"
    assert "\N{REPLACEMENT CHARACTER}" in first(message, "CallerIDName")
    first(message, "CallerIDName").encode()


def test_no_nul_reaches_the_database():
    assert decoded(b"Event: X\r\nName: a\0b\r\n\r\n") == [{"Event": "X", "Name": "a\N{REPLACEMENT CHARACTER}b"}]


@given(st.lists(st.binary(max_size=300), max_size=8))
@settings(max_examples=200, deadline=None)
def test_nothing_raises_and_the_next_message_is_read(pieces):
    decoder = Decoder()
    for piece in pieces:
        decoder.feed(piece)
    after = decoder.feed(b"\r\n\r\n\r\n\r\nEvent: Hangup\r\nCause: 16\r\n\r\n")
    assert after[-1] == {"Event": "Hangup", "Cause": "16"}


@given(st.binary(max_size=400), st.integers(0, 3000))
@settings(max_examples=100, deadline=None)
def test_rubbish_in_mid_stream_costs_at_most_the_messages_around_it(rubbish, at):
    damaged = STREAM[:at] + rubbish + b"\r\n\r\n" + STREAM[at:]
    kept = decoded(damaged)
    whole = decoded(STREAM)
    assert kept[-100:] == whole[-100:]


def test_what_is_no_message_is_counted_and_passed_over():
    decoder = Decoder()
    good = decoder.feed(b"Foo: bar\r\n\r\nEvent: A\r\nrubbish\r\nB: 1\r\n\r\n\r\n\r\n")
    assert good == [{"Event": "A", "B": "1"}]
    assert decoder.counts == {"no message": 1, "no header": 1}


def test_an_endless_message_is_dropped_and_the_next_one_read(monkeypatch):
    monkeypatch.setattr(messages, "MAX_MESSAGE", 10_000)
    decoder = Decoder()
    assert decoder.feed(b"Event: A\r\n\r\nEvent: Big\r\n") == [{"Event": "A"}]
    for _ in range(50):
        assert decoder.feed(b"X: " + b"y" * 1000 + b"\r\n") == []
        assert len(decoder._tail) <= 12_000
    assert decoder.feed(b"\r\nEvent: B\r\n\r\n") == [{"Event": "B"}]
    assert decoder.counts["too long"] == 1


def test_a_whole_message_that_is_too_long_is_dropped(monkeypatch):
    monkeypatch.setattr(messages, "MAX_MESSAGE", 10_000)
    decoder = Decoder()
    data = b"Event: A\r\n\r\nEvent: Big\r\nX: " + b"y" * 20_000 + b"\r\n\r\nEvent: B\r\n\r\n"
    assert decoder.feed(data) == [{"Event": "A"}, {"Event": "B"}]
    assert decoder.counts["too long"] == 1


def test_a_value_that_is_too_long_is_cut():
    decoder = Decoder()
    (message,) = decoder.feed(b"Event: A\r\nX: " + b"y" * 100_000 + b"\r\nZ: 1\r\n\r\n")
    assert len(first(message, "X")) == messages.MAX_LINE
    assert message["Z"] == "1"
    assert decoder.counts["line too long"] == 1


def test_a_stream_without_any_line_end_is_bounded(monkeypatch):
    monkeypatch.setattr(messages, "MAX_MESSAGE", 10_000)
    decoder = Decoder()
    for _ in range(30):
        decoder.feed(b"x" * 1000)
    assert len(decoder._tail) <= 11_000
    assert decoder.counts["too long"] >= 1


@pytest.mark.parametrize("cut", [b"", b"Event: Newstate\r\nChan", b"Event: Newstate\r\nChannel: X\r\n"])
def test_a_banner_in_mid_stream_begins_a_new_connection(cut):
    decoder = Decoder()
    data = (
        b"Asterisk Call Manager/11.0.0\r\nEvent: A\r\n\r\n"
        + cut
        + b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n\r\nEvent: B\r\n\r\n"
    )
    blocks = decoder.blocks(data)
    assert [is_banner(block) for block in blocks] == [True, False, True, False, False]
    assert decoder.counts["cut"] == (1 if cut else 0)


def test_a_caller_who_calls_himself_a_banner_cuts_nothing():
    data = b"Event: Newchannel\r\nCallerIDName: Asterisk Call Manager/11.0.0\r\nUniqueid: 1.1\r\n\r\n"
    assert decoded(data) == [{"Event": "Newchannel", "CallerIDName": "Asterisk Call Manager/11.0.0", "Uniqueid": "1.1"}]


def test_the_end_counts_what_was_left_unfinished():
    decoder = Decoder()
    decoder.feed(b"Event: A\r\n\r\nEvent: B\r\n")
    decoder.end()
    assert decoder.counts["cut"] == 1
    assert decoder.feed(b"Event: C\r\n\r\n") == [{"Event": "C"}]
