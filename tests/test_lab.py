"""The lab's own pieces that can be tried without an Asterisk: where it fetches from, what its phones write."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pbx.errors import LabError
from tests.pbx.instance import Instance, free_base
from tests.pbx.media import a_law
from tests.pbx.packages import source
from tests.pbx.sip import SipMessage, answer_to
from tests.pbx.sound import Sound, voice

RELEASES = {
    "debian": 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    "ubuntu": 'ID=ubuntu\nVERSION_CODENAME=noble\nPRETTY_NAME="Ubuntu 24.04"\n',
    "fedora": 'ID=fedora\nPRETTY_NAME="Fedora Linux 43"\n',
}


def etc(folder: Path, release: str) -> Path:
    (folder / "apt/sources.list.d").mkdir(parents=True)
    (folder / "os-release").write_text(RELEASES[release])
    (folder / "apt/sources.list.d/own.sources").write_text(
        "Types: deb\nURIs: https://mirror.example/security\nSuites: x\n\n"
        "Types: deb\nURIs: https://mirror.example/os\nSuites: y\n"
    )
    return folder


def test_asterisk_comes_from_the_machines_own_mirror(tmp_path: Path) -> None:
    found = source("sid", etc(tmp_path / "d", "debian"))
    assert (found.mirror, found.suite, found.components) == ("https://mirror.example/os", "sid", "main")
    found = source("sid", etc(tmp_path / "u", "ubuntu"))
    assert (found.mirror, found.suite, found.components) == ("https://mirror.example/os", "noble", "main universe")


def test_elsewhere_it_says_so_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="Fedora Linux 43 is neither Debian nor Ubuntu"):
        source("sid", etc(tmp_path, "fedora"))


def test_a_message_is_read_as_it_was_written() -> None:
    written = SipMessage(
        "INVITE sip:101@pbx SIP/2.0", [("Call-ID", "a"), ("CSeq", "7 INVITE"), ("Via", "x"), ("Via", "y")], "v=0"
    )
    read = SipMessage.read(written.bytes())
    assert (read.method, read.cseq, read.every("via"), read.body) == ("INVITE", (7, "INVITE"), ["x", "y"], "v=0")


def test_a_challenge_is_answered_by_the_digest_rules() -> None:
    challenge = SipMessage(
        "SIP/2.0 401 Unauthorized", [("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')]
    )
    name, value = answer_to(challenge, "101", "secret", "REGISTER", "sip:pbx")
    assert name == "Authorization"
    assert 'realm="r", nonce="n", uri="sip:pbx"' in value
    assert "secret" not in value


def test_silence_and_loudness_are_as_the_law_says() -> None:
    assert a_law(0) == 0xD5
    assert a_law(32767) == 0xAA
    assert a_law(-32768) == 0x2A


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """Where a phone's sound goes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.setblocking(False)
        yield opened


def came(far: socket.socket) -> list[bytes]:
    packets = []
    while True:
        try:
            packets.append(far.recv(2048))
        except BlockingIOError:
            return packets


@pytest.fixture
def sound(far: socket.socket) -> Iterator[Sound]:
    opened = Sound("127.0.0.1", voice(400))
    opened.open()
    opened.begin(f"c=IN IP4 127.0.0.1\r\nm=audio {far.getsockname()[1]} RTP/AVP 8\r\n")
    yield opened
    opened.close()


def test_a_phone_speaks_while_its_own_process_is_busy(sound: Sound, far: socket.socket) -> None:
    busy_until = time.monotonic() + 1.0
    while time.monotonic() < busy_until:
        pass
    packets = came(far)
    first = int.from_bytes(packets[0][2:4])
    assert 40 <= len(packets) <= 52
    assert [int.from_bytes(one[2:4]) for one in packets] == [(first + n) & 0xFFFF for n in range(len(packets))]
    assert b"".join(one[12:] for one in packets) == (voice(400) * 2)[: 160 * len(packets)]


def test_a_phone_is_silent_while_held_and_once_it_is_closed(sound: Sound, far: socket.socket) -> None:
    sound.held = True
    time.sleep(0.1)
    came(far)
    time.sleep(0.2)
    assert came(far) == []
    sound.held = False
    time.sleep(0.2)
    assert came(far)
    sound.close()
    time.sleep(0.1)
    came(far)
    time.sleep(0.1)
    assert came(far) == []


async def test_keys_are_told_as_events_between_which_the_voice_is_silent(sound: Sound, far: socket.socket) -> None:
    await asyncio.sleep(0.1)
    pressing = time.monotonic()
    await sound.press("1#")
    took = time.monotonic() - pressing
    await asyncio.sleep(0.1)
    packets = came(far)
    keys = [one for one in packets if one[1] & 0x7F == 101]
    assert [one[12] for one in keys] == [1] * 8 + [11] * 8
    assert [one[13] >> 7 for one in keys] == [0, 0, 0, 0, 0, 1, 1, 1] * 2
    assert [one[1] >> 7 for one in keys] == [1, 0, 0, 0, 0, 0, 0, 0] * 2
    assert len({one[4:8] for one in keys}) == 2
    assert packets.index(keys[-1]) - packets.index(keys[0]) == 15
    assert 0.5 < took < 1.0


def test_what_another_has_begun_to_take_is_not_taken(tmp_path: Path) -> None:
    base = free_base()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as another:
        another.bind(("127.0.0.1", base))
        with pytest.raises(LabError, match="No free ports"):
            free_base(first=base, last=base + 1)
        with pytest.raises(LabError, match=f"from {base} on are taken"):
            Instance(tmp_path, base).start()
    assert not any(tmp_path.iterdir())
