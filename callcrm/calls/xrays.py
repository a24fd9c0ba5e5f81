"""From what `recordings.xray` finds to the figures of a recording and of a whole call. Pure.

The client comes first, whichever lane of the file is his. A call's recordings are put together by their stretches;
where two hold the same talk (each phone had its own), the better one counts alone.
"""

import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from callcrm.calls.stretches import Stretch
from recordings.xray import Side, Spans, Xray

Row = dict[str, Any]
SIDES = ("client", "operator")
#: Of two recordings that share more than this part of the shorter, one is enough.
_SAME = 0.5
#: Less voice than this in a lane, in a sound at least that long, and the side is not heard.
UNHEARD_S, LONG_ENOUGH_S = 0.5, 20.0
#: A side that is clipped for longer, or speaks more quietly, has a bad line.
CLIPPED_S, FAINT_DB = 3.0, -42.0
_MAGIC, _HEAD = b"xt1\0", struct.Struct("<4sB")
_CENTI = 100

_WHOLE = ("seconds", "silence_s", "overlaps", "overlap_s")
_ONE_SIDE = ("talk_s", "first_word_s", "loudness_db", "peak_db", "clipped_s")
FIGURES = (
    "lanes",
    *_WHOLE,
    "longest_silence_s",
    "longest_silence_at_s",
    *(f"{side}_{name}" for side in SIDES for name in _ONE_SIDE),
)


def recording_figures(found: Xray, first_lane: str = "client") -> Row:
    """The columns of a recording's row, without its key; `talk` holds the spans of voice, the client's first."""
    if first_lane == "operator":
        found = replace(found, sides=found.sides[::-1])
    row: Row = dict.fromkeys(FIGURES)
    row |= {name: getattr(found, name) for name in _WHOLE}
    row["lanes"] = len(found.sides)
    row["longest_silence_at_s"], row["longest_silence_s"] = found.longest_silence
    if len(found.sides) == len(SIDES):
        for name, side in zip(SIDES, found.sides, strict=True):
            row |= {f"{name}_{figure}": getattr(side, figure) for figure in _ONE_SIDE}
    return row | {"talk": packed(found.sides)}


def call_figures(recordings: Sequence[tuple[Row, Stretch]]) -> Row | None:
    """The figures of a call from its recordings' rows, each with its stretch; None when none has a sound."""
    kept = _apart([(row, stretch) for row, stretch in recordings if row["seconds"]])
    if not kept:
        return None
    stereo = all(row["lanes"] == len(SIDES) for row, _ in kept)
    row: Row = dict.fromkeys(FIGURES)
    row["lanes"] = len(SIDES) if stereo else 1
    for name in _WHOLE:
        row[name] = _sum(part[name] for part, _ in kept) if stereo or name in ("seconds", "silence_s") else None
    longest, stretch = max(kept, key=lambda one: one[0]["longest_silence_s"] or 0.0)
    row["longest_silence_s"] = longest["longest_silence_s"]
    row["longest_silence_at_s"] = round(stretch.call_s(longest["longest_silence_at_s"] or 0.0), 2)
    if stereo:
        for side in SIDES:
            row |= _side(kept, side)
    return row | _shares(row) | {"fault": _fault(row)}


def _apart(recordings: Sequence[tuple[Row, Stretch]]) -> list[tuple[Row, Stretch]]:
    """Without those whose talk a better one holds: two lanes before one, then the longer."""
    kept: list[tuple[Row, Stretch]] = []
    best_first = sorted(recordings, key=lambda one: (-(one[0]["lanes"] or 0), -one[0]["seconds"]))
    for row, stretch in best_first:
        length = stretch.to_s - stretch.from_s
        if all(stretch.shared_s(other) <= _SAME * min(length, other.to_s - other.from_s) for _, other in kept):
            kept.append((row, stretch))
    return sorted(kept, key=lambda one: one[1].from_s)


def _side(kept: Sequence[tuple[Row, Stretch]], side: str) -> Row:
    """One side's figures over all recordings; its first word counts from the beginning of the first of them."""
    beginning = kept[0][1].from_s
    words = [
        stretch.call_s(row[f"{side}_first_word_s"]) - beginning
        for row, stretch in kept
        if row[f"{side}_first_word_s"] is not None
    ]
    peaks = [row[f"{side}_peak_db"] for row, _ in kept if row[f"{side}_peak_db"] is not None]
    return {
        f"{side}_talk_s": _sum(row[f"{side}_talk_s"] for row, _ in kept),
        f"{side}_first_word_s": round(min(words), 2) if words else None,
        f"{side}_loudness_db": _loudness(kept, side),
        f"{side}_peak_db": max(peaks, default=None),
        f"{side}_clipped_s": _sum(row[f"{side}_clipped_s"] for row, _ in kept),
    }


def _loudness(kept: Sequence[tuple[Row, Stretch]], side: str) -> float | None:
    """That of the recording where the side talked most: decibels do not add up."""
    spoken = [row for row, _ in kept if row[f"{side}_loudness_db"] is not None]
    if not spoken:
        return None
    loudness: float = max(spoken, key=lambda row: row[f"{side}_talk_s"] or 0.0)[f"{side}_loudness_db"]
    return loudness


def _sum(values: Any) -> Any:
    known = [value for value in values if value is not None]
    return round(sum(known), 2) if known else None


def _shares(row: Row) -> Row:
    talked = (row["client_talk_s"] or 0.0) + (row["operator_talk_s"] or 0.0)
    if row["lanes"] != len(SIDES) or not talked:
        return {"client_share": None, "operator_share": None}
    return {f"{side}_share": round((row[f"{side}_talk_s"] or 0.0) / talked, 4) for side in SIDES}


def _fault(row: Row) -> str | None:
    """What is wrong with the sound, the worst first; None when nothing is."""
    heard = {side: (row[f"{side}_talk_s"] or 0.0) >= UNHEARD_S for side in SIDES}
    if row["lanes"] != len(SIDES):
        nothing = row["seconds"] - (row["silence_s"] or 0.0) < UNHEARD_S
        return "silent" if nothing and row["seconds"] >= LONG_ENOUGH_S else None
    if row["seconds"] >= LONG_ENOUGH_S and not all(heard.values()):
        return "silent" if not any(heard.values()) else next(f"{side}_silent" for side in SIDES if not heard[side])
    if any((row[f"{side}_clipped_s"] or 0.0) > CLIPPED_S for side in SIDES):
        return "clipped"
    faint = any(row[f"{side}_loudness_db"] is not None and row[f"{side}_loudness_db"] < FAINT_DB for side in SIDES)
    return "faint" if faint else None


def packed(sides: Sequence[Side]) -> bytes:
    """Each lane's spans of voice, in hundredths of a second, as a row keeps them; `unpacked` is the way back."""
    parts = [_HEAD.pack(_MAGIC, len(sides))]
    for side in sides:
        ends = [round(end * _CENTI) for span in side.talk for end in span]
        parts.append(struct.pack(f"<I{len(ends)}I", len(side.talk), *ends))
    return b"".join(parts)


def unpacked(talk: bytes | None) -> tuple[Spans, ...]:
    """Spans (begin, end in seconds) of each lane; nothing for what is none of ours."""
    try:
        magic, lanes = _HEAD.unpack_from(talk or b"")
        at, found = _HEAD.size, []
        for _ in range(lanes if magic == _MAGIC else 0):
            (count,) = struct.unpack_from("<I", talk or b"", at)
            ends = struct.unpack_from(f"<{2 * count}I", talk or b"", at + 4)
            at += 4 + 8 * count
            found.append(tuple((a / _CENTI, b / _CENTI) for a, b in zip(ends[::2], ends[1::2], strict=True)))
    except struct.error:
        return ()
    return tuple(found)


def silences(lanes: Sequence[Spans], seconds: float, least_s: float) -> list[tuple[float, float]]:
    """Stretches of at least `least_s` in which nobody talks, from all lanes' spans of a sound of `seconds`."""
    found, quiet_since = [], 0.0
    for begin, end in sorted(span for lane in lanes for span in lane):
        if begin - quiet_since >= least_s:
            found.append((quiet_since, begin))
        quiet_since = max(quiet_since, end)
    if seconds - quiet_since >= least_s:
        found.append((quiet_since, seconds))
    return found


def at_once(lanes: Sequence[Spans], least_s: float) -> list[tuple[float, float]]:
    """Stretches of at least `least_s` in which both talk."""
    if len(lanes) < len(SIDES):
        return []
    found, one, other = [], 0, 0
    left, right = lanes[0], lanes[1]
    while one < len(left) and other < len(right):
        begin, end = max(left[one][0], right[other][0]), min(left[one][1], right[other][1])
        if end - begin >= least_s:
            found.append((begin, end))
        if left[one][1] <= right[other][1]:
            one += 1
        else:
            other += 1
    return found
