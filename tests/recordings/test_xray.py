"""The X-ray of a conversation, against sounds whose talk, silences and levels are known."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings.sound import BadSound
from recordings.xray import CLICK_S, OVERLAP_S, PAUSE_S, Xray, xray_of

RATE = 8000
Talk = list[tuple[float, float]]


def lane(seconds: float, talk: Talk, *, level_db: float = -20.0, noise_db: float = -60.0, seed: int = 1) -> np.ndarray:
    """Noise of a line, and on it something like speech: noise in syllables of a fifth of a second."""
    dice = np.random.default_rng(seed)
    sound = dice.normal(0, 10 ** (noise_db / 20), round(seconds * RATE))
    for begin, end in talk:
        at = np.arange(round(begin * RATE), min(len(sound), round(end * RATE)))
        syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 5 * at / RATE)
        sound[at] += dice.normal(0, 10 ** (level_db / 20), len(at)) * syllables
    return sound


def written(path: Path, *lanes: np.ndarray) -> Path:
    soundfile.write(path, np.clip(np.stack(lanes, axis=1), -1, 1), RATE, subtype="PCM_16")
    return path


def looked(path: Path, *lanes: np.ndarray) -> Xray:
    return xray_of(written(path / "call.wav", *lanes))


def test_talk_share_silence_first_word_and_talking_at_once(tmp_path: Path) -> None:
    client, operator = [(5.0, 15.0), (30.0, 40.0)], [(2.0, 4.0), (14.0, 26.0)]
    found = looked(tmp_path, lane(60, client, seed=1), lane(60, operator, seed=2))
    assert found.seconds == 60
    assert [side.talk_s for side in found.sides] == pytest.approx([20, 14], abs=0.3)
    assert [side.share for side in found.sides] == pytest.approx([20 / 34, 14 / 34], abs=0.01)
    assert [side.first_word_s for side in found.sides] == pytest.approx([5, 2], abs=0.1)
    assert found.longest_silence == pytest.approx((40, 20), abs=0.15)
    assert found.silence_s == pytest.approx(2 + 1 + 4 + 20, abs=0.4)
    assert found.overlaps == 1
    assert found.overlap_s == pytest.approx(1, abs=0.15)
    assert [span for side in found.sides for span in side.talk] == [
        pytest.approx(span, abs=0.15) for span in client + operator
    ]


def test_levels_and_clipping_of_each_side(tmp_path: Path) -> None:
    quiet, loud = lane(20, [(1, 19)], level_db=-30), lane(20, [(1, 19)], level_db=-3, seed=2)
    found = looked(tmp_path, quiet, loud)
    assert found.sides[0].loudness_db == pytest.approx(-30 - 4.1, abs=1.5)
    assert found.sides[0].clipped_s == 0
    assert found.sides[1].peak_db == pytest.approx(0, abs=0.1)
    assert found.sides[1].clipped_s > 5


def test_a_noisy_line_is_not_talk(tmp_path: Path) -> None:
    found = looked(tmp_path, lane(30, [(10, 15)], noise_db=-42, level_db=-18), lane(30, [], noise_db=-42, seed=3))
    assert found.sides[0].talk_s == pytest.approx(5, abs=0.3)
    assert found.sides[1].talk_s == 0
    assert found.sides[1].first_word_s is None
    assert found.sides[1].loudness_db is None
    assert [side.share for side in found.sides] == [1, 0]


def test_digital_silence_direct_current_and_a_steady_tone(tmp_path: Path) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE)
    found = looked(tmp_path, np.full(10 * RATE, 0.3), tone)
    assert [side.talk_s for side in found.sides] == pytest.approx([0, 10], abs=0.1)
    silent = looked(tmp_path, np.zeros(10 * RATE), np.zeros(10 * RATE))
    assert silent.longest_silence == (0, 10)
    assert silent.silence_s == 10


def test_clicks_are_no_words_and_pauses_within_a_sentence_are_no_silence(tmp_path: Path) -> None:
    click, pause = CLICK_S / 2, PAUSE_S / 2
    spoken = lane(10, [(2, 2 + click), (4, 5), (5 + pause, 6)])
    found = looked(tmp_path, spoken, lane(10, [], seed=2))
    assert found.sides[0].talk == (pytest.approx((4, 6), abs=0.1),)


def test_one_lane_tells_what_all_did_together(tmp_path: Path) -> None:
    found = looked(tmp_path, lane(10, [(2, 6)]))
    assert len(found.sides) == 1
    assert found.sides[0].share == 1
    assert (found.overlaps, found.overlap_s) == (None, None)


def test_an_empty_and_a_broken_file(tmp_path: Path) -> None:
    assert looked(tmp_path, np.zeros(0), np.zeros(0)).sides == ()
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF\x00")
    with pytest.raises(BadSound):
        xray_of(broken)


turns = st.lists(st.tuples(st.integers(4, 20), st.integers(5, 20), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns)
def test_any_exchange_of_turns_comes_out_as_it_went_in(tmp_path: Path, turns: list[tuple[int, int, bool]]) -> None:
    talks: tuple[Talk, Talk] = ([], [])
    at = 0.5
    for tenths, pause, side in turns:
        talks[side].append((at, at + tenths / 10))
        at += tenths / 10 + pause / 10
    found = looked(tmp_path, lane(at + 1, talks[0], seed=5), lane(at + 1, talks[1], seed=6))
    for side, talk in zip(found.sides, talks, strict=True):
        assert side.talk == tuple(pytest.approx(span, abs=0.12) for span in talk)
    assert found.overlaps == 0
    assert found.overlap_s == 0
    assert OVERLAP_S < PAUSE_S


def test_what_does_not_count_is_neither_talk_nor_silence(tmp_path: Path) -> None:
    """Ten seconds before the answer, music for one side on hold from 30 to 50."""
    client, operator = lane(70, [(12, 20)], seed=5), lane(70, [(11, 12), (30, 50), (55, 60)], seed=6)
    path = written(tmp_path / "call.wav", client, operator)
    found = xray_of(path, [(0, 10), (30, 50), (65, 1000)])
    assert [side.talk_s for side in found.sides] == pytest.approx([8, 6], abs=0.3)
    assert [side.first_word_s for side in found.sides] == pytest.approx([2, 1], abs=0.1)
    assert found.longest_silence == pytest.approx((20, 10), abs=0.2)
    assert found.silence_s == pytest.approx(1 + 10 + 5 + 5, abs=0.4)
    assert all(10 <= begin < end <= 60.2 for side in found.sides for begin, end in side.talk)
    nothing = xray_of(path, [(0, 70)])
    assert ([side.first_word_s for side in nothing.sides], nothing.silence_s) == ([None, None], 0)
