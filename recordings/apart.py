"""X-rays in a process of its own: it takes the other processors' idle time, and no file can bring the caller down.

The process (`python -m recordings.apart`) is started with the first sound, answers one line for each line that it is
given, and ends when nothing came for a while, when its caller ends, or when a sound took too long.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recordings.sound import BadSound
from recordings.xray import Side, Xray, xray_of

#: A sound that takes longer than this is given up: an hour of stereo takes about two seconds.
LONGEST_S = 300.0
#: An idle process holds some fifty megabytes.
IDLE_S = 60.0
_POLITE = 15
_LINE = 1 << 24
#: One thread: the libraries under numpy would start one for each processor.
_ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Apart:
    """One process that looks through one sound at a time; `close` ends it."""

    def __init__(self, *, longest_s: float = LONGEST_S, idle_s: float = IDLE_S) -> None:
        self._longest_s, self._idle_s = longest_s, idle_s
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._one = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process's id while there is one."""
        return self._process.pid if self._process else None

    async def xray(self, path: Path, without: Sequence[tuple[float, float]] = ()) -> Xray:
        """As `xray_of`. Raises BadSound (also when reading the file ended the process, or took too long), OSError."""
        async with self._one:
            self._stay()
            try:
                answer = await self._asked({"path": str(path), "without": list(without)})
            except BaseException:
                await self._end()
                raise
            self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._leave)
        return _read(answer)

    async def close(self) -> None:
        """End the process."""
        self._stay()
        await self._end()

    async def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            await process.stdin.drain()
            async with asyncio.timeout(self._longest_s):
                line = await process.stdout.readline()
        except TimeoutError:
            raise BadSound("Looking through the sound took too long and was given up.") from None
        except ConnectionError:
            line = b""
        if not line.endswith(b"\n"):
            raise BadSound("The sound broke the reader that looked through it.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", __name__),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LINE,
                env={**os.environ, **_ALONE},
            )
        return self._process

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave(self) -> None:
        """Told that there is no more, it ends by itself."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _read(answer: dict[str, Any]) -> Xray:
    if "bad" in answer:
        raise BadSound(answer["bad"])
    if "error" in answer:
        raise OSError(answer["number"], answer["error"])
    found = answer["xray"]
    sides = tuple(Side(**{**side, "talk": _pairs(side["talk"])}) for side in found["sides"])
    return Xray(**{**found, "sides": sides, "longest_silence": tuple(found["longest_silence"])})


def _pairs(spans: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((begin, end) for begin, end in spans)


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"xray": asdict(xray_of(Path(question["path"]), [(a, b) for a, b in question["without"]]))}
    except BadSound as error:
        return {"bad": str(error)}
    except OSError as error:
        return {"number": error.errno or 0, "error": error.strerror or type(error).__name__}


def main() -> None:
    """Answer each line of the standard input until it ends."""
    os.nice(_POLITE)
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(json.dumps(_answer(json.loads(line))).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
