"""Recorded streams with something done to them at a position: doubled, lost, swapped, logged in again.

`python -m tests.ami.mutations` prints the share of positions at which the calls stay the same.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ami.capture import read_capture, visible_to
from ami.messages import Message
from callcrm.calls.replay import Replay, as_json
from tests.ami.mirror import Mirror
from tests.calls.expected import CALLCRM, traces

Stream = list[tuple[float, Message | None]]


def load(path: Path, classes: tuple[str, ...] | None) -> Stream:
    """The stream's messages with their times; None where it was closed."""
    found: Stream = []
    for one in read_capture(path):
        if one.kind == "message" and one.message and (classes is None or visible_to(one.message, classes)):
            found.append((one.t or 0.0, one.message))
        elif one.kind == "closed":
            found.append((one.t or 0.0, None))
    return found


def play(stream: Stream) -> tuple[Replay, float, bool]:
    """The stream through tracker, adapter and model, not finished yet; (replay, its last moment, closed)."""
    replay = Replay(trunks="PJSIP/trunk", operators=r"PJSIP/1\d\d")
    at, closed = 0.0, False
    for moment, message in stream:
        at = max(at, moment)
        closed = message is None
        replay.take(replay.tracker.lost(at) if message is None else replay.tracker.feed(message, at), at)
    return replay, at, closed


def calls(stream: Stream) -> list[dict[str, Any]]:
    """The calls of a stream."""
    replay, at, closed = play(stream)
    replay.finish(at, closed=closed)
    if any(kind == "unreadable" for kind, _ in replay.tracker.anomalies):
        raise AssertionError(replay.tracker.anomalies)
    found = sorted(replay.found.values(), key=lambda call: (call.at or 0.0, call.uniqueid))
    rows = [as_json(call, 0.0) for call in found]
    for row in rows:
        row["recordings"].sort(key=lambda one: one["file"])
    return rows


def doubled(stream: Stream, n: int) -> Stream:
    """The n-th event comes twice."""
    return stream[: n + 1] + stream[n:]


def swapped(stream: Stream, n: int) -> Stream:
    """The n-th event and the next change places, if they came within a hundredth of a second."""
    if n + 1 >= len(stream) or stream[n + 1][0] - stream[n][0] > 0.01 or stream[n + 1][1] is None:
        return stream
    (one, first), (two, second) = stream[n], stream[n + 1]
    return [*stream[:n], (one, second), (two, first), *stream[n + 2 :]]


def rung_first(stream: Stream, n: int) -> Stream:
    """The n-th event tells that a phone rings, and comes before the one that tells who calls it.

    Asterisk tells the two from threads of their own, a moment apart.
    """
    at, message = stream[n]
    if message is None or message.get("Event") != "Newstate" or message.get("ChannelStateDesc") != "Ringing":
        return stream
    for k in range(n - 1, -1, -1):
        before, told = stream[k]
        if told is None or at - before > 0.05:
            return stream
        if told.get("Event") == "DialBegin" and told.get("DestUniqueid") == message.get("Uniqueid"):
            return [*stream[:k], (before, message), *stream[k:n], *stream[n + 1 :]]
    return stream


def lost(stream: Stream, n: int, count: int = 1) -> Stream:
    """`count` events from the n-th on never came."""
    return stream[:n] + stream[n + count :]


def again(stream: Stream, n: int) -> Stream:
    """Before the n-th event the link was made anew, and the snapshot came."""
    mirror, at = Mirror(), stream[n - 1][0] if n else 0.0
    for moment, message in stream[:n]:
        if message is not None:
            mirror.see(message, moment)
    between = [*mirror.login(), *mirror.snapshot(at)]
    return [*stream[:n], *((at, message) for message in between), *stream[n:]]


def afterwards(stream: Stream) -> Stream:
    """The stream, and a minute after it in which the PBX is asked once (as every 20 s) and has no channel left."""
    end = stream[-1][0] if stream else 0.0
    silence: Stream = [(end + second, {"Event": "Silence"}) for second in range(1, 61)]
    asked: Stream = [(end + 20.0, message) for message in Mirror().snapshot(end + 20.0)]
    return [one for one in stream if one[1] is not None] + silence[:20] + asked + silence[20:]


def same(one: Any, other: Any) -> bool:
    """Equal, seconds to within the tolerance of the phones' clocks."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 0.15
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(one.get(key), other.get(key)) for key in {*one, *other})
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def whole(stream: Stream) -> int:
    """The position from which on the stream's own snapshot, if it has one, is behind."""
    names = [message.get("Event") if message else None for _, message in stream]
    return names.index("BridgeListComplete") + 1 if "BridgeListComplete" in names else 0


def positions(stream: Stream) -> Iterator[int]:
    """Every position of a message."""
    return (n for n, (_, message) in enumerate(stream) if message is not None)


def main(kinds: list[str]) -> None:
    """Print, for each kind, at how many positions the calls are the same."""
    changes = {"again": again, "doubled": doubled, "swapped": swapped, "rung first": rung_first, "lost": lost}
    for kind in kinds or [*changes, "ten lost"]:
        counts: Counter[str] = Counter()
        for path in traces("jsonl.gz"):
            for classes in (CALLCRM, None):
                stream = load(path, classes)
                truth = calls(stream)
                for n in positions(stream):
                    changed = lost(stream, n, 10) if kind == "ten lost" else changes[kind](stream, n)
                    counts["positions"] += 1
                    counts["same calls"] += same(truth, calls(changed))
                    if kind in ("lost", "ten lost"):
                        replay, _, _ = play(afterwards(changed))
                        counts["left open"] += bool(replay.calls.open_calls or replay.tracker.open_channels)
        print(kind, dict(counts), f"{100 * counts['same calls'] / counts['positions']:.2f} % the same")


if __name__ == "__main__":
    main(sys.argv[1:])
