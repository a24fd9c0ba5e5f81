"""The demo's sound: who speaks is heard in his lane, for as long as he speaks."""

import time
from importlib.resources import files
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ami.simulator import Heard, Recording
from callcrm.demo.phrases import PHRASES, file_name
from callcrm.demo.sound import CLIENT, OPERATOR, RATE, compose, prune, voices, write_recording

TALK = Heard("talk", "101", 20.0)
HOLD = Heard("hold", "101", 5.0)


def energy(lanes: np.ndarray, lane: int, begin: float, end: float) -> float:
    """Loudness of a lane's stretch, in samples' units."""
    piece = lanes[round(begin * RATE) : round(end * RATE), lane].astype(float)
    return float(np.sqrt((piece**2).mean()))


def test_every_phrase_is_shipped_and_all_of_them_are_small() -> None:
    folder = files("callcrm.demo") / "voices"
    names = {
        file_name(language, side, purpose, n)
        for language, sides in PHRASES.items()
        for side, purposes in sides.items()
        for purpose, texts in purposes.items()
        for n in range(1, len(texts) + 1)
    }
    assert {one.name for one in folder.iterdir() if one.name.endswith(".ogg")} == names
    assert sum(len((folder / name).read_bytes()) for name in names) < 600_000
    assert min(sum(len(texts) for texts in PHRASES["en"][side].values()) for side in ("client", "operator")) >= 16


@pytest.mark.parametrize("language", list(PHRASES))
def test_the_voices_can_be_heard(language: str) -> None:
    for clips in voices(language).values():
        for clip in clips:
            assert len(clip) > 0.3 * RATE
            assert float(np.sqrt((clip.astype(float) ** 2).mean())) > 1500


def test_the_operator_greets_in_the_right_lane_while_the_client_is_silent() -> None:
    lanes = compose([TALK], outward=False, language="en", dice=Random(1))
    assert energy(lanes, OPERATOR, 0.4, 2.4) > 1500
    assert energy(lanes, CLIENT, 0, 2.4) == 0
    assert energy(lanes, CLIENT, 2.4, 8) > 700


def test_a_client_who_is_called_speaks_first() -> None:
    lanes = compose([TALK], outward=True, language="en", dice=Random(1))
    assert energy(lanes, CLIENT, 0.3, 0.7) > 1000
    assert energy(lanes, OPERATOR, 0, 0.7) == 0


def test_both_say_goodbye_at_the_end() -> None:
    lanes = compose([Heard("talk", "101", 30.0)], outward=False, language="en", dice=Random(3))
    assert energy(lanes, CLIENT, 23.0, 30.0) > 500
    assert energy(lanes, OPERATOR, 23.0, 30.0) > 500


def test_music_plays_to_a_client_on_hold() -> None:
    lanes = compose([TALK, HOLD, TALK], outward=False, language="en", dice=Random(1))
    assert energy(lanes, CLIENT, 20, 25) == 0
    assert energy(lanes, OPERATOR, 20.2, 24.8) > 300
    assert energy(lanes, OPERATOR, 25.3, 27) > 1000


@settings(max_examples=60, deadline=None)
@given(
    heard=st.lists(st.builds(Heard, st.sampled_from(["talk", "hold"]), st.just("101"), st.floats(0, 12)), max_size=5),
    seed=st.integers(0, 999),
    outward=st.booleans(),
)
def test_a_recording_is_as_long_as_what_was_heard(heard: list[Heard], seed: int, outward: bool) -> None:
    lanes = compose(heard, outward=outward, language="ru", dice=Random(seed))
    assert lanes.shape == (sum(round(one.seconds * RATE) for one in heard), 2)
    assert lanes.dtype == np.int16


def test_a_minute_is_composed_in_a_blink() -> None:
    compose([TALK], outward=False, language="en", dice=Random(1))
    began = time.thread_time()
    compose([Heard("talk", "101", 60.0)], outward=False, language="en", dice=Random(2))
    assert time.thread_time() - began < 0.1


def test_a_recording_is_written_under_its_reported_name(tmp_path: Path) -> None:
    recording = Recording("2026/11/21/in-1-2-3.wav", "79161234567", False, 0.0, (TALK,))
    path = write_recording(tmp_path, recording)
    assert path == tmp_path / recording.file
    samples, rate = soundfile.read(path)
    assert (samples.shape, rate) == ((20 * RATE, 2), RATE)
    assert path.read_bytes() == write_recording(tmp_path, recording).read_bytes()
    empty = write_recording(tmp_path, Recording("2026/11/21/missed.wav", "79161234567", False, 0.0))
    assert empty.stat().st_size == 44
    assert not list(tmp_path.rglob("*.part"))


def test_old_recordings_are_removed_first(tmp_path: Path) -> None:
    import os

    for n in range(4):
        path = tmp_path / f"{n}.wav"
        path.write_bytes(b"x" * 1000)
        os.utime(path, (n, n))
    assert prune(tmp_path, 2500) == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["2.wav", "3.wav"]
