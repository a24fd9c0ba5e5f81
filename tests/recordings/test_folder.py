"""A reported name is found under its folder, and nowhere else."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings import Folder, Outside, find
from tests.recordings.making import tone, write

NAME = "2026/11/21/in-74950000001-79161234567-20261121-171107-1795281067.0.wav"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    root = tmp_path / "monitor"
    root.mkdir()
    (tmp_path / "secret.wav").write_bytes(b"x" * 100)
    return Folder(root, "/var/spool/asterisk/monitor")


def test_a_relative_an_absolute_and_a_mapped_name_are_the_same_file(folder: Folder) -> None:
    path = write(folder.root / NAME, tone(1))
    for name in (NAME, f"/var/spool/asterisk/monitor/{NAME}", str(path)):
        assert find(folder, name, since_end_s=60).path == path.resolve()


HOSTILE = [
    "",
    "\0",
    "a\0.wav",
    "..",
    "../secret.wav",
    "2026/../../secret.wav",
    "/etc/passwd",
    "/var/spool/asterisk/monitor/../../../../etc/passwd",
    "/var/spool/asterisk/monitorx/secret.wav",
    "out/secret.wav",
    "link.wav",
    "loop/loop.wav",
    "x" * 10_000,
    "y" * 300 + ".wav",
    "/".join("abcdefghij" * 50),
    ".",
    "/",
    "//",
    "\udcff\udcfe.wav",
    "<script>alert(1)</script>.wav",
    "a\nb.wav",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_finds_nothing_and_raises_nothing(folder: Folder, name: str) -> None:
    (folder.root / "out").symlink_to(folder.root.parent)
    (folder.root / "link.wav").symlink_to(folder.root.parent / "secret.wav")
    (folder.root / "loop").symlink_to(folder.root / "loop")
    found = find(folder, name, since_end_s=3600)
    assert found.path is None
    assert found.state in ("missing", "late", "unknown")
    assert found.cause.endswith(".")
    assert len(found.cause) < 300


@settings(max_examples=150, deadline=None)
@given(name=st.text(max_size=60) | st.from_regex(r"\A(/?(\.\.|\.|a|link|\x00|monitor)/?){1,8}\Z"))
def test_no_name_ever_leads_out(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp() / "hostile"
    root.mkdir(exist_ok=True)
    if not (root / "link").exists():
        (root / "link").symlink_to("/")
    try:
        path = Folder(root, "/monitor").path_of(name)
    except Outside:
        return
    assert path.is_relative_to(root.resolve())


def test_a_link_within_the_folder_is_followed(folder: Folder) -> None:
    write(folder.root / NAME, tone(1))
    (folder.root / "again.wav").symlink_to(folder.root / NAME)
    assert find(folder, "again.wav", since_end_s=60).state == "present"


def test_a_running_call_is_writing_whether_or_not_the_file_is_there(folder: Folder) -> None:
    assert find(folder, NAME).state == "writing"
    write(folder.root / NAME, tone(1))
    assert find(folder, NAME).state == "writing"


def test_a_file_that_was_written_just_now_is_writing_until_it_rests(folder: Folder) -> None:
    path = write(folder.root / NAME, tone(1))
    assert find(folder, NAME, since_end_s=0.5).state == "writing"
    os.utime(path, (time.time() - 10,) * 2)
    assert find(folder, NAME, since_end_s=0.5).state == "present"


def test_a_file_that_has_not_come_is_late_and_one_that_never_will_is_empty(folder: Folder) -> None:
    assert find(folder, NAME, talk_s=12, since_end_s=3).state == "late"
    assert find(folder, NAME, talk_s=0, since_end_s=3).state == "empty"


def test_a_header_without_sound_is_empty(folder: Folder) -> None:
    write(folder.root / NAME, tone(0))
    assert (folder.root / NAME).stat().st_size == 44
    found = find(folder, NAME, since_end_s=60)
    assert (found.state, found.size) == ("empty", 44)


def test_an_unmounted_folder_is_unknown_and_says_so(tmp_path: Path) -> None:
    found = find(Folder(tmp_path / "nas"), NAME, since_end_s=60)
    assert found.state == "unknown"
    assert "is it mounted?" in found.cause
    assert find(None, NAME).cause == "No recordings folder is set for this PBX."


def test_a_folder_in_place_of_a_file_is_missing(folder: Folder) -> None:
    (folder.root / "2026").mkdir()
    assert find(folder, "2026", since_end_s=60).state == "missing"
