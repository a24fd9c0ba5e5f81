"""Docs that can be checked are checked: settings, commands, links, the annotated file, the container's files."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from callcrm.cli import app
from callcrm.dispositions import Disposition
from callcrm.settings import CalendarSettings, LineSettings, PbxSettings, QueueSettings, Settings
from callcrm.settings_file import load
from callcrm.vaultsettings import FetchSettings

ROOT = Path(__file__).parent.parent
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TABLES = {
    "pbx": ("NAME", PbxSettings),
    "lines": ("NUMBER", LineSettings),
    "queues": ("NAME", QueueSettings),
    "calendars": ("NAME", CalendarSettings),
    "vault.fetch": ("NAME", FetchSettings),
}


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of the settings with its default."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        if path in TABLES:
            placeholder, inner = TABLES[path]
            yield from keys(inner, f"{path}.{placeholder}.")
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{path}.")
        else:
            yield path, field.default


def written(value: Any) -> str:
    """A default as the file would hold it."""
    if value is PydanticUndefined:
        return "–"
    if isinstance(value, BaseModel) and not isinstance(value, Disposition):
        return "{" + ", ".join(f"{name} = {written(one)}" for name, one in value) + "}"
    if isinstance(value, Disposition):
        return written(value.word) if value.next == "nothing" else f'{{word = "{value.word}", next = "{value.next}"}}'
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\") + '"'
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(written(one) for one in value) + "]"
    return str(value)


def documented() -> dict[str, str]:
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| ", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    return {key: default.strip("`") for key, default in rows}


def test_every_setting_is_documented_with_its_default() -> None:
    told = documented()
    for key, default in keys(Settings):
        assert key in told, f"docs/settings.md lacks {key}"
        expected = written(default)
        same = told[key] == expected or _number(told[key]) == _number(expected) is not None
        assert same, f"docs/settings.md says {told[key]} of {key}; it is {expected}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def test_the_docs_know_no_setting_that_is_not() -> None:
    assert set(documented()) == {key for key, _ in keys(Settings)}


@pytest.fixture
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CALLCRM_")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("_plain_environment")
def test_the_annotated_file_is_read_and_holds_every_key(tmp_path: Path) -> None:
    file = ROOT / "config/callcrm.toml"
    settings = load(file, secrets=tmp_path)
    assert settings.pbx["office"].host == "127.0.0.1"
    present = set(_flat(tomllib.loads(file.read_text())))
    assert {key for key, _ in keys(Settings)} - present == set()


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in table.items():
        path = f"{prefix}{name}"
        yield path
        if isinstance(value, dict):
            if path in TABLES:
                for inner in value.values():
                    yield from _flat(inner, f"{path}.{TABLES[path][0]}.")
            else:
                yield from _flat(value, f"{path}.")


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command with its options."""
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        for label, one in {f"{name} {sub}": c for sub, c in inner.items()}.items() if inner else [(name, command)]:
            yield (
                label,
                [option for p in one.params for option in p.opts if option.startswith("--") and option != "--help"],
            )


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs/commands.md").read_text()
    names = [name for name, _ in commands()]
    assert {"demo", "run", "check", "replay", "reconcile", "user add", "import", "backup"} <= set(names)
    for name, options in commands():
        assert f"callcrm {name}" in text, f"docs/commands.md lacks callcrm {name}"
        missing = [option for option in options if option not in text]
        assert not missing, f"docs/commands.md lacks {missing} of callcrm {name}"


def test_links_between_docs_lead_somewhere() -> None:
    for doc in DOCS:
        prose = re.sub(r"```.*?```|`[^`]*`", "", doc.read_text(), flags=re.DOTALL)
        targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", prose)
        assert [target for target in targets if not (doc.parent / target).exists()] == [], doc


def test_the_readme_has_the_two_commands_and_make_knows_them() -> None:
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)


def test_every_make_target_in_the_docs_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for doc in DOCS:
        used = set(re.findall(r"`make ([a-z-]+)`|^ {4}make ([a-z-]+)", doc.read_text(), re.MULTILINE))
        assert {a or b for a, b in used} <= targets, doc


def test_locks_hold_hashes_and_no_hosts() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        pinned = re.findall(
            r"^[a-zA-Z0-9._\[\],-]+==.*?\\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE
        )
        assert len(pinned) == len(re.findall(r"^[a-zA-Z0-9._\[\],-]+==", text, re.MULTILINE)) > 30


def test_help_comes_quickly_and_loads_neither_database_nor_web() -> None:
    seen = "import sys; from callcrm.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    seen += "print([m for m in ('sqlalchemy', 'aiohttp', 'websockets', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", seen, "--help"], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_image_is_debians_python_without_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"debian:bookworm-slim"}
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE)[-1] != "root"
    assert "HEALTHCHECK" in text
    assert "--require-hashes" in text


def test_the_demo_of_the_compose_file_needs_nothing_else() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    services = dict(
        re.findall(
            r"^  (\w+):\n((?:    .*\n|\n)+)", text.partition("services:\n")[2].partition("\nvolumes:")[0], re.MULTILINE
        )
    )
    assert set(services) == {"callcrm", "postgres", "proxy", "demo"}
    assert "profiles: [demo]" in services["demo"]
    assert "depends_on" not in services["demo"]
    assert (ROOT / "config/Caddyfile").is_file()
    environment = re.findall(r"CALLCRM_([A-Z_]+):", services["callcrm"])
    known = {key.replace("NAME", "office").upper().replace(".", "__") for key, _ in keys(Settings)}
    assert [name for name in environment if name not in known] == []
