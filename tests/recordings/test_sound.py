"""What is in a sound file: lengths, lanes, broken headers in words, cutting, mixing, waveforms in constant memory."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recordings import BadSound, Folder, Looker, Peaks, look_now, measure, peaks_of
from recordings.sound import cut, mix_lanes, read_segment, silence, write_segment
from tests.recordings.making import RATE, tone, write


@pytest.mark.parametrize(
    ("suffix", "how"),
    [
        (".wav", {}),
        (".wav", {"subtype": "ULAW"}),
        (".wav", {"subtype": "GSM610"}),
        (".flac", {}),
        (".ogg", {"subtype": "OPUS"}),
        (".mp3", {}),
    ],
)
def test_length_and_lanes_of_every_kind(tmp_path: Path, suffix: str, how: dict[str, str]) -> None:
    lanes = (tone(3),) if how.get("subtype") == "GSM610" else (tone(3), tone(3, 0.1))
    sound = measure(write(tmp_path / f"a{suffix}", *lanes, **how))
    assert sound.seconds == pytest.approx(3, abs=0.1)
    assert sound.channels == len(lanes)
    assert not sound.truncated


def test_a_broken_header_is_told_in_words(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.wav", tone(2)).read_bytes()
    for data in (whole[:30], b"RIFF\xff\xff\xff\xffWAVE" + bytes(80), b"<html>no sound</html>" * 20, b"\0" * 5000):
        (tmp_path / "b.wav").write_bytes(data)
        with pytest.raises(BadSound, match=r"^[A-Z].*\.$"):
            measure(tmp_path / "b.wav")


def test_a_file_that_was_cut_off_is_partial_and_says_by_how_much(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.wav", tone(20)).read_bytes()
    (tmp_path / "b.wav").write_bytes(whole[: len(whole) // 2])
    look = look_now(Folder(tmp_path), "b.wav", 20, 60)
    assert (look.state, look.cause) == ("partial", "The file ends 10 s too early.")
    assert look.seconds == pytest.approx(10, abs=0.1)


def test_a_recording_that_is_shorter_than_the_talk_is_partial(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", tone(10))
    assert look_now(Folder(tmp_path), "a.wav", 11, 60).state == "present"
    look = look_now(Folder(tmp_path), "a.wav", 30, 60)
    assert (look.state, look.cause) == ("partial", "20 s of the talk are not in the recording.")


def test_an_unreadable_file_is_partial_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no sound at all, but longer than a header would be")
    look = look_now(Folder(tmp_path), "a.wav", 5, 60)
    assert look.state == "partial"
    assert "cannot be" in look.cause or "no sound" in look.cause
    assert look.peaks is None


async def test_looking_happens_in_a_thread_and_gives_everything(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", tone(4), tone(4, 0.25))
    looker = Looker()
    look = await looker.look(Folder(tmp_path), "a.wav", 4, 60)
    looker.close()
    assert (look.state, look.channels, look.rate) == ("present", 2, RATE)
    peaks = Peaks.from_bytes(look.peaks or b"")
    assert peaks.seconds == pytest.approx(4)
    assert [max(lane) for lane in peaks.lanes] == pytest.approx([127, 63], abs=2)


def test_peaks_show_where_it_is_loud(tmp_path: Path) -> None:
    left = np.concatenate([tone(5), tone(5, 0)])
    right = np.concatenate([tone(5, 0), tone(5, 1.0)])
    peaks = peaks_of(write(tmp_path / "a.wav", left, right), bars=100)
    assert [len(lane) for lane in peaks.lanes] == [100, 100]
    assert min(peaks.lanes[0][:50]) > 100 and max(peaks.lanes[0][51:]) == 0
    assert max(peaks.lanes[1][:50]) == 0 and min(peaks.lanes[1][51:]) > 250


def test_peaks_survive_the_compact_form_and_nonsense_does_not() -> None:
    peaks = Peaks((b"\1\2\3", b"\4\5\6"), 1.5)
    assert Peaks.from_bytes(peaks.to_bytes()) == peaks
    for data in (b"", b"nonsense", peaks.to_bytes()[:-1], b"xx" + peaks.to_bytes()):
        with pytest.raises(ValueError, match="no peaks"):
            Peaks.from_bytes(data)


def test_a_very_short_and_an_empty_sound_have_peaks_too(tmp_path: Path) -> None:
    assert len(peaks_of(write(tmp_path / "a.wav", tone(0.01))).lanes[0]) == 2
    assert peaks_of(write(tmp_path / "b.wav", tone(0))).lanes == (b"",)


def test_an_hour_of_stereo_is_drawn_in_seconds_and_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "hour.wav"
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        minute = np.stack([tone(60), tone(60, 0.2)], axis=1)
        for _ in range(60):
            file.write(minute)
    began = time.process_time()
    peaks = peaks_of(path)
    assert time.process_time() - began < 3
    assert peaks.seconds == 3600
    assert len(peaks.lanes[0]) == 1200
    used = subprocess.run([sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=True)
    assert int(used.stdout) < 30_000


_MEASURE = """
import resource, sys
from pathlib import Path
from recordings import peaks_of
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peaks_of(Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_stretch_is_cut_silenced_and_mixed(tmp_path: Path) -> None:
    left, right = write(tmp_path / "l.wav", tone(4)), write(tmp_path / "r.wav", tone(2, 0.3))
    both = mix_lanes(left, right)
    write_segment(both, tmp_path / "both.flac")
    assert measure(tmp_path / "both.flac").channels == 2
    assert len(both) == 4000
    late = both[3000:].split_to_mono()
    assert late[0].rms > 5000 and late[1].rms == 0
    assert len(cut(left, 1, 2.5)) == 1500
    quiet = silence(left, [(1.0, 2.0), (3.5, 99.0)])
    assert [quiet[n : n + 400].rms > 1000 for n in (500, 1300, 2500, 3550)] == [True, False, True, False]
    assert len(quiet) == len(read_segment(left))


async def test_editing_happens_in_the_same_few_threads(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(4))
    looker = Looker(threads=1)
    pieces = await asyncio.gather(*(looker.run(cut, path, 0.0, 1.0 + n) for n in range(3)))
    looker.close()
    assert [len(piece) for piece in pieces] == [1000, 2000, 3000]
    with pytest.raises(BadSound):
        await _cut_nonsense(tmp_path)


async def _cut_nonsense(folder: Path) -> None:
    (folder / "bad.wav").write_bytes(b"nothing that sounds, though it has a name as if it did")
    looker = Looker(threads=1)
    try:
        await looker.run(cut, folder / "bad.wav", 0.0, 1.0)
    finally:
        looker.close()


def test_gsm_as_asterisk_writes_it_is_measured_drawn_and_played(tmp_path: Path) -> None:
    from recordings.playable import playable
    from recordings.xray import xray_of

    path = write(tmp_path / "a.wav", tone(9), subtype="GSM610")
    assert measure(path).seconds == pytest.approx(9, abs=0.1)
    assert max(peaks_of(path).lanes[0]) > 100
    assert xray_of(path).sides[0].talk_s == pytest.approx(9, abs=0.2)
    assert measure(playable(path, tmp_path / "cache")).seconds == pytest.approx(9, abs=0.1)
