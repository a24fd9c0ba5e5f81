"""X-rays in a process of its own: the same figures, and no sound brings its caller down."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from recordings.apart import Apart
from recordings.sound import BadSound
from recordings.xray import xray_of
from tests.recordings.making import tone, write


@pytest.fixture
async def apart() -> AsyncIterator[Apart]:
    one = Apart()
    yield one
    await one.close()


async def test_it_finds_the_same_politely_and_one_after_the_other_in_one_process(apart: Apart, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(3), tone(3, 0.2))
    found = await asyncio.gather(apart.xray(path), apart.xray(path, [(0, 1)]))
    assert found == [xray_of(path), xray_of(path, [(0, 1)])]
    assert apart.pid is not None
    assert os.getpriority(os.PRIO_PROCESS, apart.pid) > os.getpriority(os.PRIO_PROCESS, 0)


async def test_a_bad_or_missing_file_is_told_in_words(apart: Apart, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"RIFF\x00")
    with pytest.raises(BadSound, match="no sound that can be read"):
        await apart.xray(tmp_path / "bad.wav")
    with pytest.raises(FileNotFoundError):
        await apart.xray(tmp_path / "none.wav")
    assert (await apart.xray(write(tmp_path / "a.wav", tone(1)))).seconds == 1


async def test_a_sound_that_kills_its_reader_is_bad_and_the_next_one_has_a_new_reader(
    apart: Apart, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.wav", tone(1))
    await apart.xray(path)
    assert apart.pid is not None
    os.kill(apart.pid, signal.SIGKILL)
    with pytest.raises(BadSound, match="broke the reader"):
        await apart.xray(path)
    assert (await apart.xray(path)).seconds == 1


async def test_what_takes_too_long_is_given_up_and_its_process_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never.wav")  # nobody ever writes into it
    apart = Apart(longest_s=0.3)
    with pytest.raises(BadSound, match="too long"):
        await apart.xray(tmp_path / "never.wav")
    assert apart.pid is None


async def test_an_idle_process_ends_and_so_does_that_of_a_caller_who_left(tmp_path: Path) -> None:
    apart = Apart(idle_s=0.01)
    await apart.xray(write(tmp_path / "a.wav", tone(1)))
    process = apart._process
    async with asyncio.timeout(20):
        while apart.pid is not None:
            await asyncio.sleep(0.01)
        if process is not None:
            await process.wait()
            assert process.returncode == 0
