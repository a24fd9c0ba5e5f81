"""Looks at a recording without blocking: finds it, measures it and draws its waveform in a bounded pool of threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from recordings.folder import Folder, Found, State, find
from recordings.sound import BadSound, measure
from recordings.waveform import peaks_of

Result = TypeVar("Result")

#: A recording that is shorter than what was talked by more than this is partial.
SHORT_BY_S = 3.0
#: Threads: decoding is C code that lets others run.
THREADS = 2


@dataclass(frozen=True, slots=True)
class Look:
    """All that is known of a recording; figures are None where there is no readable sound."""

    state: State
    cause: str = ""
    path: Path | None = None
    size: int | None = None
    seconds: float | None = None
    channels: int | None = None
    rate: int | None = None
    peaks: bytes | None = None


class Looker:
    """A pool of threads for looking at files; `close` ends it."""

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, "recordings")

    async def run(self, work: Callable[..., Result], *args: object) -> Result:
        """Do other blocking work (cutting, mixing) in the same few threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)

    async def look(
        self, folder: Folder | None, name: str, talk_s: float | None = None, since_end_s: float | None = None
    ) -> Look:
        """How a recording stands now; see `look_now`."""
        return await self.run(look_now, folder, name, talk_s, since_end_s)

    def close(self) -> None:
        """End the threads; what is being looked at is finished first."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def look_now(folder: Folder | None, name: str, talk_s: float | None = None, since_end_s: float | None = None) -> Look:
    """As `Looker.look`, in this thread. `talk_s` and `since_end_s` as for `folder.find`. Never raises."""
    found = find(folder, name, talk_s=talk_s, since_end_s=since_end_s)
    if found.state != "present" or found.path is None:
        return _without_sound(found)
    try:
        return _with_sound(found, found.path, talk_s)
    except BadSound as error:
        return replace(_without_sound(found), state="partial", cause=str(error))
    except OSError as error:
        words = error.strerror or type(error).__name__
        return replace(_without_sound(found), state="unknown", cause=f"The file cannot be read: {words}.")


def _without_sound(found: Found) -> Look:
    return Look(found.state, found.cause, found.path, found.size)


def _with_sound(found: Found, path: Path, talk_s: float | None) -> Look:
    sound = measure(path)
    look = replace(_without_sound(found), seconds=sound.seconds, channels=sound.channels, rate=sound.rate)
    if sound.seconds == 0:
        return replace(look, state="empty", cause="The file holds no sound: nobody was connected.")
    look = replace(look, peaks=peaks_of(path).to_bytes())
    missing = (talk_s or 0.0) - sound.seconds
    if sound.truncated:
        return replace(
            look, state="partial", cause=f"The file ends {sound.promised_s - sound.seconds:.0f} s too early."
        )
    if talk_s and missing > max(SHORT_BY_S, talk_s * 0.1):
        return replace(look, state="partial", cause=f"{missing:.0f} s of the talk are not in the recording.")
    return look
