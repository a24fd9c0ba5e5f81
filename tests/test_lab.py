"""The lab's own pieces that can be tried without an Asterisk: where it fetches from, what its phones write."""

from pathlib import Path

import pytest

from tests.pbx.errors import LabError
from tests.pbx.packages import source
from tests.pbx.sip import SipMessage, answer_to
from tests.pbx.sound import a_law

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
