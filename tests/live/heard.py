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

#: The ends of a talk are left out: a busy machine loses some sound there.
_EDGE_S = 0.4
#: A phone's tone has 2700 through a whole talk; what leaks from another's is far below.
_HEARD = 200.0


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
        return [{who for who, pitch in PITCHES.items() if _tone(lane, self.rate, pitch) > _HEARD} for lane in lanes]


def _tone(lane: NDArray[np.int16], rate: int, pitch: int) -> float:
    """How loud a tone is, in the units of samples."""
    return float(np.abs(np.exp(-2j * np.pi * pitch * np.arange(len(lane)) / rate) @ lane) / max(1, len(lane)))


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


def holds_its_talks(sound: Sound, call: dict[str, Any]) -> bool:
    """Whoever talked within the recording's stretch is heard there, in his turn, and nobody else is.

    What Asterisk leaves out cannot be heard: with option b the seconds between two talks, sometimes, after a blind
    transfer, the second operator's voice, although the client hears it. Whether no other voice is missing; somebody
    who does not belong there fails.
    """
    whole = True
    talks = [one for one in call["talks"] if one["operator"] in sound.stretch.operators]
    other = call["caller"] if call["direction"] == "internal" else "trunk"
    length = len(sound.samples) / sound.rate
    for n, talk in enumerate(talks):
        since = (datetime.fromisoformat(talk["at"]) - call["at"]).total_seconds()
        begin = sound.stretch.sound_s(since)
        end = min(length, sound.stretch.sound_s(since + talk["talk_s"]))
        voices = set().union(*sound.voices(begin + _EDGE_S, end - _EDGE_S))
        wanted = {talk["operator"], other}
        assert voices and voices <= wanted, (call["client_raw"], talk, voices)
        whole = whole and (voices == wanted or n > 0)
    return whole
