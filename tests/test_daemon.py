"""The daemon as a whole: it starts, tells what hinders it in one sentence, and ends in order."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ami.simulator import DemoPbx
from callcrm.calls.tables import CallRow
from callcrm.daemon import Running, opened
from callcrm.kernel.errors import CallcrmError, StartupError
from callcrm.kernel.tables import LinkState
from callcrm.settings import DatabaseSettings, PbxSettings, PushSettings, Settings, WebSettings


@pytest.fixture
async def pbx() -> AsyncIterator[DemoPbx]:
    started = DemoPbx(seed=1)
    await started.start()
    yield started
    await started.stop()


def settings(folder: Path, pbx_port: int = 1, web_port: int = 0, push_port: int = 0) -> Settings:
    return Settings(
        database=DatabaseSettings(url=f"sqlite:///{folder / 'desk.db'}"),
        web=WebSettings(port=web_port),
        push=PushSettings(port=push_port),
        pbx={
            "office": PbxSettings(
                host="127.0.0.1",
                port=pbx_port,
                username="callcrm",
                secret="callcrm-secret",  # type: ignore[arg-type]
                operators=r"PJSIP/1\d\d",
                trunks="PJSIP/trunk",
            )
        },
    )


async def linked(running: Running) -> str:
    """Waits until the link to the PBX is up."""
    async with asyncio.timeout(10):
        while True:
            async with running.database.read() as db:
                state = await db.scalar(select(LinkState.state))
            if state == "connected":
                return str(state)
            await asyncio.sleep(0.02)


async def test_a_call_on_the_pbx_becomes_a_row(pbx: DemoPbx, tmp_path: Path) -> None:
    async with opened(settings(tmp_path, pbx.port), "listener") as running:
        await linked(running)
        await pbx.play("queue_answered", speed=20)
        async with asyncio.timeout(10):
            while True:
                async with running.database.read() as db:
                    row = (await db.execute(select(CallRow.direction, CallRow.outcome, CallRow.ended_at))).first()
                if row is not None and row.ended_at is not None:
                    break
                await asyncio.sleep(0.02)
    assert (row.direction, row.outcome) == ("inbound", "answered")


async def test_what_the_pbx_told_last_is_written_before_the_end(pbx: DemoPbx, tmp_path: Path) -> None:
    async with opened(settings(tmp_path, pbx.port), "listener") as running:
        await linked(running)
        await asyncio.sleep(0.5)  # the snapshot is told
        listener = running.listeners["office"]
        quiet = listener.taken
        await pbx.begin("queue_answered", speed=20)
        async with asyncio.timeout(10):
            while listener.taken < quiet + 12:
                await asyncio.sleep(0.01)
    async with opened(settings(tmp_path, 1), "worker") as running, running.database.read() as db:
        assert await db.scalar(select(func.count()).select_from(CallRow)) == 1


@pytest.mark.parametrize("part", ["web", "push"])
async def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path, part: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        wanted = settings(tmp_path, **{f"{part}_port": port})
        with pytest.raises(StartupError, match=f"{part} port 127.0.0.1:{port} cannot be opened"):
            async with opened(wanted, part):
                raise AssertionError("it must not start")


async def test_a_part_that_fails_takes_the_process_down_with_a_sentence(
    pbx: DemoPbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("callcrm.telephony.listener.Listener.wait", broken)
    with pytest.raises(CallcrmError, match="a fault of ours"):
        async with opened(settings(tmp_path, pbx.port), "listener"):
            await asyncio.sleep(10)


async def test_what_the_caller_raises_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        async with opened(settings(tmp_path), "worker"):
            raise KeyError("mine")


async def test_no_task_is_left_behind(pbx: DemoPbx, tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with opened(settings(tmp_path, pbx.port)) as running:
        await linked(running)
    await asyncio.sleep(0.05)
    left = [task for task in asyncio.all_tasks() - before if not task.get_name().startswith("pbx")]
    assert [task.get_name() for task in left if "Session" not in repr(task)] == []


async def test_sigterm_ends_it_in_order(pbx: DemoPbx, tmp_path: Path) -> None:
    file = tmp_path / "callcrm.toml"
    file.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path / "desk.db"}"\n[web]\nport = 0\n[push]\nport = 0\n'
        f'[pbx.office]\nhost = "127.0.0.1"\nport = {pbx.port}\nusername = "callcrm"\nsecret = "callcrm-secret"\n'
    )
    daemon = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "callcrm",
        "run",
        "--config",
        file,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert daemon.stdout
    first = await asyncio.wait_for(daemon.stdout.readline(), 30)
    assert first.startswith(b"callcrm is at http://localhost:")
    daemon.terminate()
    _, said = await asyncio.wait_for(daemon.communicate(), 15)
    assert daemon.returncode == 0, said.decode()
    assert b"Traceback" not in said
