"""The commands as a shell sees them: what they print, what they exit with, and how they fail."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from callcrm.cli import main

TRACE = Path(__file__).parent / "traces/22.10.1/queue_answered.jsonl.gz"


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


Shell = Callable[..., Done]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Shell:
    """Runs a command in this process, on a desk of its own (an empty folder with a settings file)."""
    file = tmp_path / "callcrm.toml"
    pbx = '[pbx.office]\nhost = "127.0.0.1"\nport = 1\nusername = "x"\n'
    file.write_text(f'[database]\nurl = "sqlite:///{tmp_path / "desk.db"}"\n{pbx}')
    monkeypatch.setenv("CALLCRM_CONFIG", str(file))

    def run(*words: object, typed: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["callcrm", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as left:
            main()
        told = capfdbinary.readouterr()
        return Done(int(left.value.code or 0), told.out.decode(), told.err.decode())

    return run


COMMANDS = ("demo", "run", "check", "replay", "reconcile", "user", "import", "export", "migrate", "backup", "restore")


@pytest.mark.parametrize("words", [(), *[(name,) for name in COMMANDS], ("user", "add"), ("user", "token")])
def test_every_command_has_help(shell: Shell, words: tuple[str, ...]) -> None:
    done = shell(*words, "--help")
    assert done.code == 0
    assert "Usage:" in done.out


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("replay",),
        ("replay", "--trunks", "(", TRACE),
        ("run", "--role", "nobody"),
        ("user", "add", "olga", "--role", "boss"),
        ("export", "everything", "x.csv"),
        ("demo", "--web-port", "seventy"),
    ],
)
def test_wrong_usage_exits_with_two(shell: Shell, words: tuple[object, ...]) -> None:
    assert shell(*words).code == 2


def test_replay_prints_one_object_a_file_on_one_line(shell: Shell) -> None:
    done = shell("replay", "--json", TRACE, TRACE)
    assert done.code == 0
    told = [json.loads(line) for line in done.out.splitlines()]
    assert [one["file"] for one in told] == [str(TRACE)] * 2
    assert told[0]["calls"][0]["answered_by"] == ["102"]
    assert told[0]["events"] > 100


def test_replay_shows_a_table_to_people(shell: Shell) -> None:
    done = shell("replay", TRACE)
    assert done.code == 0
    assert "101, 102, 103" in done.out


def test_replay_reads_a_stream_as_a_user_of_fewer_rights_sees_it(shell: Shell) -> None:
    everything = json.loads(shell("replay", "--json", TRACE).out)
    less = json.loads(shell("replay", "--json", "--classes", "system,call,agent,cdr,user", TRACE).out)
    assert 0 < less["events"] < everything["events"]
    assert less["calls"][0]["answered_by"] == ["102"]


def test_bytes_that_are_no_text_come_out_as_json(shell: Shell, tmp_path: Path) -> None:
    bad = tmp_path / "bad.raw"
    bad.write_bytes(
        b"Asterisk Call Manager/11.0.0\r\nEvent: Newchannel\r\nUniqueid: 1.1\r\nChannel: PJSIP/\xff\xfe-1\r\n\r\n"
    )
    done = shell("replay", "--json", bad)
    assert done.code == 0
    assert json.loads(done.out)["events"] == 1


def test_a_missing_file_is_one_sentence_and_one(shell: Shell, tmp_path: Path) -> None:
    done = shell("replay", tmp_path / "none.raw")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "none.raw" in done.err


def test_a_bad_settings_file_is_one_sentence_and_one(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[web]\nprot = 1\n")
    done = shell("migrate", "--config", tmp_path / "bad.toml")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "prot" in done.err
    assert "port" in done.err


def test_an_account_is_added_with_its_phone_and_gets_a_token(shell: Shell) -> None:
    done = shell("user", "add", "olga", "--role", "operator", "--extension", "101", typed="longer than ten\n")
    assert (done.code, done.out) == (0, "olga is there as operator at office:101.\n")
    token = shell("user", "token", "olga")
    assert token.code == 0
    assert len(token.out.strip()) > 20
    assert shell("user", "password", "olga", typed="another long one\n").code == 0


def test_an_account_that_cannot_be_is_told_why(shell: Shell) -> None:
    assert "Password" in shell("user", "add", "olga", "--role", "admin", typed="short\n").err.title()
    assert "no account named" in shell("user", "token", "nobody").err
    assert (
        "no PBX named"
        in shell("user", "add", "o", "--role", "admin", "--extension", "x:1", typed="longer than ten\n").err
    )


def test_clients_go_in_and_out_and_the_desk_is_backed_up(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("name,phone\nAnna,+79161234567\nNobody,none\n")
    done = shell("import", tmp_path / "in.csv")
    assert done.code == 1
    assert "1 client added" in done.out
    assert "line 3" in done.err
    assert shell("backup", tmp_path / "desk.zip").code == 0
    refused = shell("restore", tmp_path / "desk.zip")
    assert refused.code == 1
    assert "--replace" in refused.err
    assert shell("restore", "--replace", tmp_path / "desk.zip").code == 0
    assert shell("export", "clients", tmp_path / "out.csv").out == f"1 client written to {tmp_path / 'out.csv'}.\n"
    assert "+79161234567" in (tmp_path / "out.csv").read_text()


def test_check_names_each_thing_and_exits_with_one_when_something_is_to_be_mended(shell: Shell) -> None:
    shell("migrate")
    done = shell("check")
    assert done.code == 1
    lines = done.out.splitlines()
    assert any(line.startswith("ok    database:") for line in lines)
    assert any(line.startswith("MEND  PBX office:") for line in lines)
    assert "to mend" in done.err
