"""Stretches cut out of recordings: these seconds, both lanes, and nothing else."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recordings import BadSound
from recordings.excerpt import LONGEST_S, excerpt
from tests.recordings.making import RATE, tone, write

SILENCE = np.zeros(2 * RATE, dtype=np.int16)


def heard(sound: bytes) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(io.BytesIO(sound), dtype="int16", always_2d=True)
    return samples, rate


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.wav", {"subtype": "PCM_16"}),
        ("a.ulaw.wav", {"subtype": "ULAW"}),
        ("a.flac", {}),
        ("a.gsm.wav", {"subtype": "GSM610"}),
    ],
)
def test_the_stretch_holds_its_seconds_and_nothing_of_what_is_around(
    tmp_path: Path, name: str, how: dict[str, str]
) -> None:
    loud = np.concatenate([SILENCE, tone(2.0), SILENCE])
    lanes = [loud] if "gsm" in name else [loud, np.zeros_like(loud)]
    path = write(tmp_path / name, *lanes, **how)
    samples, rate = heard(excerpt(path, 2.0, 4.0))
    assert rate == RATE and samples.shape == (2 * RATE, len(lanes))
    assert abs(samples[200:-200, 0]).mean() > 5000
    if len(lanes) > 1:
        assert abs(samples[:, 1]).max() < 300
    before, _rate = heard(excerpt(path, 0.0, 1.9))
    assert abs(before).max() < 300


def test_a_stretch_that_reaches_beyond_the_end_ends_there_and_one_that_begins_there_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "short.wav", tone(3.0))
    assert len(heard(excerpt(path, 2.0, 9.0))[0]) == RATE
    with pytest.raises(BadSound, match="ends before this stretch begins"):
        excerpt(path, 3.5, 4.0)


@pytest.mark.parametrize("stretch", [(5.0, 5.0), (5.0, 4.0), (-1.0, 4.0), (0.0, LONGEST_S + 1)])
def test_a_stretch_that_is_none_is_refused(tmp_path: Path, stretch: tuple[float, float]) -> None:
    with pytest.raises(BadSound, match="empty or too long"):
        excerpt(write(tmp_path / "a.wav", tone(1.0)), *stretch)


def test_what_is_no_sound_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "no.wav"
    path.write_bytes(b"RIFF" + b"\0" * 60)
    with pytest.raises(BadSound, match="no sound that can be read"):
        excerpt(path, 0.0, 1.0)
