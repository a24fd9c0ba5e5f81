"""What is in the recordings of a real Asterisk, held against the phones: each has a tone of its own."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from sqlalchemy import select

from callcrm.calls.stretches import Stretch, Told, course, stretches
from callcrm.calls.tables import CallRecording
from callcrm.custody.orphans import StrayFinder
from callcrm.custody.places import Places
from callcrm.custody.tables import StraySound
from recordings.folder import HEADER_BYTES
from tests.live.desk import Desk, until
from tests.pbx.lab import PITCHES, Lab

#: Whom one talks with next, or talked with before, may be heard so near to the ends of a talk.
_EDGE_S = 0.4
#: A phone's tone has 4500 in a piece of this length, none in its pause; what leaks from another's is below 150.
_PIECE_S, _TONE = 0.1, 1000.0
#: Somebody is heard who sounds in so many pieces; the shortest that anybody says here is 0.6 s.
_PIECES = 2


@dataclass(frozen=True)
class Sound:
    """A recording's row, the stretch of its call, and its samples (frames, lanes)."""

    row: dict[str, Any]
    stretch: Stretch
    samples: NDArray[np.int16]
    rate: int

    def voices(self, begin_s: float = 0.0, end_s: float | None = None) -> list[set[str]]:
        """Whose tones are in each lane between these seconds of the recording."""
        part = self.samples[round(max(0.0, begin_s) * self.rate) : round(end_s * self.rate) if end_s else None]
        lanes = (part[:, lane] for lane in range(part.shape[1]))
        return [{who for who, pitch in PITCHES.items() if _sounds(lane, self.rate, pitch)} for lane in lanes]


def _sounds(lane: NDArray[np.int16], rate: int, pitch: int) -> bool:
    """Whether a tone is heard, wherever it is: piece by piece, since a voice that says little is little of a whole."""
    size = round(_PIECE_S * rate)
    pieces = lane[: len(lane) // size * size].reshape(-1, size)
    levels = np.abs(pieces @ np.exp(-2j * np.pi * pitch * np.arange(size) / rate)) / size
    return int(np.count_nonzero(levels > _TONE)) >= _PIECES


async def are_linked(desk: Desk, lab: Lab) -> None:
    """Each file with sound is one recording of one call, each recording has its file, and no file is a stray."""
    root, apart = lab.instance.recordings, [set[str](), set[str]()]

    async def look() -> bool | None:
        sounding = {str(one.relative_to(root)) for one in lab.new_recordings() if one.stat().st_size > HEADER_BYTES}
        told = [str((root / row["file"]).relative_to(root)) for row in await desk.rows(select(CallRecording.file))]
        assert len(set(told)) == len(told), f"one file is told twice: {told}"
        apart[:] = [sounding - set(told), set(told) - sounding]
        return None if any(apart) else True

    try:
        await until(look)
    except TimeoutError:
        pytest.fail(f"files without a call: {apart[0]}; recordings without a file: {apart[1]}")
    finder = StrayFinder(desk.running.database, desk.running.writer, Places.of(desk.running.settings), young_s=0)
    try:
        await finder.find_all()
    finally:
        finder.close()
    new = {str(one.relative_to(root)) for one in lab.new_recordings()}
    strays = {row["file"] for row in await desk.rows(select(StraySound.file))}
    assert not strays & new


async def sounds_of(desk: Desk, root: Path, call: dict[str, Any]) -> list[Sound]:
    """A call's recordings in order, once all are found whole."""

    async def look() -> list[dict[str, Any]] | None:
        mine = select(CallRecording.__table__).where(CallRecording.call_id == call["id"]).order_by(CallRecording.n)
        rows = await desk.rows(mine)
        return rows if rows and all(row["state"] == "present" for row in rows) else None

    rows = await until(look)
    told = [Told(row["n"], row["at"], row["seconds"]) for row in rows]
    places = stretches(course(call["at"], call["answered_at"], call["ended_at"], call["talks"]), told)
    return [
        Sound(row, places[row["n"]], *soundfile.read(root / row["file"], dtype="int16", always_2d=True)) for row in rows
    ]


def holds_its_talks(sound: Sound, call: dict[str, Any]) -> None:
    """Whoever talked within the recording's stretch is heard there, in his turn, and nobody else is.

    What Asterisk leaves out cannot be heard: with option b the seconds between two talks, and, after about every
    second blind transfer of a client whose own line is recorded, the voice of whom he got. That is no matter of load or
    of the phones: the client hears it, while the recorder is given none of it ("Failed to get 160 samples from write
    factory" for each piece of the client's voice).
    """
    talks = [one for one in call["talks"] if one["operator"] in sound.stretch.operators]
    other = call["caller"] if call["direction"] == "internal" else "trunk"
    length = len(sound.samples) / sound.rate
    for n, talk in enumerate(talks):
        since = (datetime.fromisoformat(talk["at"]) - call["at"]).total_seconds()
        begin = sound.stretch.sound_s(since)
        end = min(length, sound.stretch.sound_s(since + talk["talk_s"]))
        wanted = {talk["operator"], other}
        strangers = set().union(*sound.voices(begin + _EDGE_S, end - _EDGE_S)) - wanted
        missing = wanted - set().union(*sound.voices(begin, end)) - ({talk["operator"]} if n else set())
        assert not strangers and not missing, (call["client_raw"], talk, strangers, missing)
