"""The demo's site: settings that the daemon takes, and a PBX on which soon much is going on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ami.messages import Decoder, first
from ami.tracker import Tracker
from callcrm.calls.call import Call
from callcrm.calls.model import Calls
from callcrm.demo.run import Site, demo_site
from callcrm.kernel.database import Database
from callcrm.kernel.errors import StartupError
from callcrm.telephony.asterisk import Adapter
from callcrm.telephony.sides import Sides
from recordings import measure

#: A second of the tests is this many of the demo's.
SPEED = 6.0
#: So long the demo may take here, where other tests run beside it.
PATIENCE_S = 60.0

Enough = Callable[[dict[str, Call], list[str]], bool]


def much_goes_on(calls: dict[str, Call], rang: list[str]) -> bool:
    """Calls come in, are answered and missed, and the shown operator is rung again and again."""
    ended = [one for one in calls.values() if one.state == "ended"]
    missed = any(one.missed for one in ended)
    heard = any(one.recordings and one.talks and one.direction == "inbound" for one in ended)
    return len(calls) >= 6 and missed and heard and rang.count("101") >= 3


async def listen(site: Site, enough: Enough) -> tuple[dict[str, Call], list[str]]:
    """Follow the demo's PBX as the listener does until it is enough: the calls, and whose phones rang, in order."""
    pbx = site.settings.pbx["north"]
    reader, writer = await asyncio.open_connection(pbx.host, pbx.port)
    writer.write(
        f"Action: Login\r\nUsername: {pbx.username}\r\nSecret: {pbx.secret.get_secret_value()}\r\n\r\n".encode()
    )
    decoder, tracker, adapter, calls = Decoder(), Tracker(), Adapter(Sides(pbx.trunks, pbx.operators)), Calls("north")
    found: dict[str, Call] = {}
    rang: list[str] = []
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE_S):
        while not enough(found, rang):
            for message in decoder.feed(await reader.read(1 << 16)):
                if message.get("Event") == "Newstate" and message.get("ChannelStateDesc") == "Ringing":
                    rang.append(first(message, "Channel").partition("/")[2].partition("-")[0])
                for event in tracker.feed(message, loop.time()):
                    for change in calls.steps(adapter.hear(event)):
                        for gone in change.was:
                            found.pop(gone, None)
                        found[change.call.id] = change.call
    writer.close()
    return found, rang


async def test_soon_there_are_calls_missed_ones_too_and_the_shown_operator_has_plenty(tmp_path: Path) -> None:
    async with demo_site(tmp_path / "demo", web_port=0, push_port=0, speed=SPEED, days=0) as site:
        assert not site.pbx.plays
        calls, _ = await listen(site, much_goes_on)
        ended = [one for one in calls.values() if one.state == "ended"]
        sounds = [name for one in ended for name in one.recordings if one.talks and one.direction == "inbound"]
        folder = Path(site.settings.pbx["north"].recordings)
        names = [one.file.removeprefix(site.settings.pbx["north"].recordings_from + "/") for one in sounds]
        assert names
        async with asyncio.timeout(PATIENCE_S):
            while not all((folder / name).exists() for name in names):
                await asyncio.sleep(0.05)
        assert all(measure(folder / name).channels == 2 for name in names)


async def test_a_second_start_finds_the_data_of_the_first(tmp_path: Path) -> None:
    sizes = []
    for _ in range(2):
        async with demo_site(tmp_path, web_port=0, push_port=0, days=0) as site:
            database = await Database.open(site.settings.database.url)
            await database.close()
            sizes.append(len(list((tmp_path / "recordings").rglob("*.wav"))))
    assert sizes[0] == sizes[1] > 0


async def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartupError, match=r"choose another folder with --data\.$"):
        async with demo_site(tmp_path / "file", web_port=0, push_port=0):
            pass
