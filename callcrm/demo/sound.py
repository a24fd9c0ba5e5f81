"""The sound of a demo call: two voices that take turns, the client in the left lane, the operator in the right.

What is heard in a recording is composed from the voices in voices/ for exactly as long as the simulated
call was talked and held; music plays to the client on hold. All of this blocks: use it in a thread.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from ami.simulator import Heard, Recording
from callcrm.demo.phrases import PHRASES, file_name

RATE = 8000
#: Lanes of a recording.
CLIENT, OPERATOR = 0, 1

Samples = NDArray[np.int16]
Turn = tuple[Literal["client", "operator"], str]

_PAUSE_S = (0.25, 0.6)
#: With less than this left the talk turns to its end.
_GOODBYE_S = 6.5
_SHORTEST_S = 0.4

_OPENING_IN: tuple[Turn, ...] = (("operator", "hello"), ("client", "reason"))
_OPENING_OUT: tuple[Turn, ...] = (("client", "pick"), ("operator", "call"), ("client", "agree"))
_MIDDLE: tuple[Turn, ...] = (("operator", "ask"), ("client", "detail"), ("operator", "answer"), ("client", "agree"))
_END: tuple[Turn, ...] = (("client", "bye"), ("operator", "bye"))


@cache
def voices(language: str) -> dict[Turn, tuple[Samples, ...]]:
    """All phrases of a language, decoded, by side and purpose."""
    found: dict[Turn, tuple[Samples, ...]] = {}
    sides: tuple[Literal["client", "operator"], ...] = ("client", "operator")
    for side in sides:
        for purpose, texts in PHRASES[language][side].items():
            names = (file_name(language, side, purpose, n) for n in range(1, len(texts) + 1))
            found[side, purpose] = tuple(_decoded(name) for name in names)
    return found


def _decoded(name: str) -> Samples:
    with as_file(files("callcrm.demo") / "voices" / name) as path:
        samples, rate = soundfile.read(path, dtype="int16")
    if rate != RATE:
        raise ValueError(f"{name} is not at {RATE} samples a second")
    clip: Samples = samples
    return clip


@cache
def music() -> Samples:
    """Eight seconds of quiet chords that can be repeated without a seam."""
    at = np.arange(RATE * 2) / RATE
    swell = np.sin(np.pi * at / 2) ** 0.5
    chords = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))
    bars = [sum(np.sin(2 * np.pi * hertz * at) for hertz in chord) * swell for chord in chords]
    return (np.concatenate(bars) * 900).astype(np.int16)


def compose(heard: Sequence[Heard], *, outward: bool, language: str, dice: Random) -> Samples:
    """The two lanes of a recording, (frames, 2), as long as all stretches together."""
    parts, first = [], True
    for n, stretch in enumerate(heard):
        frames = round(stretch.seconds * RATE)
        if stretch.kind == "hold":
            parts.append(_hold(frames))
            continue
        before = heard[n - 1].kind if n else ""
        turns = _turns(first=first, outward=outward, back=before == "hold")
        holds = n + 1 < len(heard) and heard[n + 1].kind == "hold"
        ends = all(one.kind == "hold" for one in heard[n + 1 :])
        parts.append(
            _talk(frames, turns, language, dice, last=(("operator", "hold"),) if holds else _END if ends else ())
        )
        first = False
    return np.concatenate(parts) if parts else np.zeros((0, 2), np.int16)


def _turns(*, first: bool, outward: bool, back: bool) -> Iterator[Turn]:
    if first:
        yield from _OPENING_OUT if outward else _OPENING_IN
    elif back:
        yield ("operator", "back")
    else:
        yield ("operator", "hello")
    while True:
        yield from _MIDDLE


def _hold(frames: int) -> Samples:
    lanes = np.zeros((frames, 2), np.int16)
    lanes[:, OPERATOR] = np.resize(music(), frames)
    return lanes


def _talk(frames: int, turns: Iterator[Turn], language: str, dice: Random, *, last: tuple[Turn, ...]) -> Samples:
    """One stretch of talk; `last` are the turns at its end."""
    lanes = np.zeros((frames, 2), np.int16)
    known, at, said = voices(language), round(0.3 * RATE), set[int]()
    closing = iter(last)
    while at < frames - _SHORTEST_S * RATE:
        near = (frames - at) / RATE < _GOODBYE_S and at > RATE
        turn = next(closing if near and last else turns, None)
        if turn is None:
            break
        choice = [clip for clip in known[turn] if id(clip) not in said] or list(known[turn])
        fitting = [clip for clip in choice if len(clip) <= frames - at]
        clip = dice.choice(fitting) if fitting else min(choice, key=len)
        said.add(id(clip))
        at = _say(lanes, clip, at, CLIENT if turn[0] == "client" else OPERATOR)
        at += round(dice.uniform(*_PAUSE_S) * RATE)
    return lanes


def _say(lanes: Samples, clip: Samples, at: int, lane: int) -> int:
    """Put a phrase into a lane; one that does not fit fades out at the end. Returns where it ends."""
    clip = clip[: len(lanes) - at]
    if at + len(clip) == len(lanes):
        fade = min(len(clip), RATE // 10)
        clip = clip.copy()
        clip[-fade:] = (clip[-fade:] * np.linspace(1, 0, fade)).astype(np.int16)
    lanes[at : at + len(clip), lane] = clip
    return at + len(clip)


def write_recording(folder: Path, recording: Recording) -> Path:
    """Write a recording below a folder as the PBX would have: a WAV that is there whole or not at all.

    The same recording sounds the same each time. Raises OSError.
    """
    path = folder / recording.file
    path.parent.mkdir(parents=True, exist_ok=True)
    dice = Random(recording.file)
    language = "ru" if recording.outside.lstrip("+").startswith("7") and dice.random() < 0.25 else "en"
    lanes = compose(recording.heard, outward=recording.outward, language=language, dice=dice)
    unfinished = path.with_suffix(".part")
    soundfile.write(unfinished, lanes, RATE, format="WAV", subtype="PCM_16")
    unfinished.replace(path)
    return path


def prune(folder: Path, most_bytes: int) -> int:
    """Remove the oldest recordings while there is more than this; how many are gone."""
    found = sorted(((one.stat().st_mtime, one.stat().st_size, one) for one in folder.rglob("*.wav")), reverse=True)
    total = removed = 0
    for _, size, path in found:
        total += size
        if total > most_bytes:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
