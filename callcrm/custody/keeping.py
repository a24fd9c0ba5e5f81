"""Takes one finished sound into the vault: checked, converted, encrypted, stored, read back, compared.

Nothing of the original is touched here. Whatever goes wrong leaves it as it was, and nothing half made behind.
"""

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import get_native_id
from typing import Literal, TypeVar

from callcrm.custody.places import Places
from recordings import BadSound, Folder
from recordings.playable import is_playable
from recordings.vault import (
    Checked,
    Damaged,
    StoreFull,
    Unfit,
    check,
    checksum,
    convert,
    plain_checksum,
    same_sound,
    seal,
)
from recordings.vault.converting import Form
from recordings.vault.errors import of_os

T = TypeVar("T")

#: What must stay free on the disk where files are half made, beside the file itself.
SPARE = 64 << 20
_NICENESS = 10
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of a finished sound; see docs/settings.md, [vault].

    `fetched`: PBXes whose files are copies that were fetched here; these go as soon as they are stored.
    """

    form: Literal["as it is", "flac", "opus"] = "as it is"
    remove: bool = False
    settle_s: float = 60.0
    verify_days: float = 30.0
    fetched: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Kept:
    """How a sound lies now; the columns of `kept_sounds`. `notes`: what a person should know of it."""

    place: str
    name: str
    form: str
    key_id: str
    sha256: str
    kept_sha256: str
    size: int
    stored: int
    notes: str = ""


class Hands:
    """One thread of low priority for hashing and converting; `close` ends it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "vault", initializer=_gently)

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Do blocking work there."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)

    def close(self) -> None:
        """End the thread; what it does at present is finished first."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _gently() -> None:
    # On Linux a thread has a priority of its own.
    os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICENESS)


def name_of(pbx: str, file: str, began: datetime, call_id: str, n: int) -> str:
    """The name of a sound in a store, without its suffix: a folder a day, the call's id, and of which file it is."""
    which = hashlib.sha256(f"{pbx}\n{file}".encode()).hexdigest()[:8]
    safe = [_UNSAFE.sub("-", text).strip(".-") or "x" for text in (pbx, call_id)]
    return f"{safe[0]}/{began:%Y/%m/%d}/{safe[1]}-{n}-{which}"


def check_in(folder: Folder, file: str, rested_s: float) -> Checked:
    """Look through the PBX's file. Raises Outside, StillWritten and OSError. Blocks."""
    return check(folder.path_of(file), rested_s)


async def keep(places: Places, policy: Policy, hands: Hands, checked: Checked, name: str) -> Kept:
    """Store a checked file under `name` and read it back. Raises VaultError; nothing is left behind then."""
    form = checked.path.suffix.lower().lstrip(".")[:10] or "bin"
    plain = Kept("pbx", "", form, "", checked.sha256, checked.sha256, checked.size, checked.size, checked.trouble)
    if not places.current:
        return plain
    with _work_folder(places.work, checked.size) as work:
        made, form, notes = await hands.run(_converted, checked, policy, work, form)
        kept_sha256 = checked.sha256 if made == checked.path else await hands.run(checksum, made)
        size = (await hands.run(made.stat)).st_size
        key_id = places.ring.current
        lying = await hands.run(_sealed, made, size, work, places) if key_id else made
        full_name = f"{name}.{form}" + (".sealed" if key_id else "")
        stored = (await hands.run(lying.stat)).st_size
        await _put(places, full_name, lying, kept_sha256)
    return Kept(places.current, full_name, form, key_id, checked.sha256, kept_sha256, size, stored, notes)


async def _put(places: Places, name: str, path: Path, sha256: str) -> None:
    """Store a file and read it back; what does not come back as it went is taken away again."""
    store = places.store(places.current)
    await store.put(name, path)
    if await plain_checksum(store, name, places.ring if places.ring.current else None) != sha256:
        await store.remove(name)
        raise Damaged(f"What was stored in {store.place} came back changed: check its disk; the original is kept.")


def _converted(checked: Checked, policy: Policy, work: Path, form: str) -> tuple[Path, str, str]:
    """The file to store, its form, and a note where it is not the one that was asked for."""
    if checked.sound is None or checked.sound.truncated:
        return checked.path, form, checked.trouble or "Kept as it is, for its end is missing."
    wanted: Form
    if policy.form != "as it is":
        wanted = policy.form
    elif is_playable(checked.path):
        return checked.path, form, ""
    else:
        wanted = "flac"
    if form == wanted:
        return checked.path, form, ""
    try:
        return _made(checked.path, work, wanted), wanted, ""
    except (Unfit, BadSound) as error:
        return checked.path, form, f"Kept as it is: {error}"


def _made(source: Path, work: Path, wanted: Form) -> Path:
    made = work / f"sound.{wanted}"
    convert(source, made, wanted)
    if not same_sound(source, made, wanted):
        raise Unfit(f"the {wanted.upper()} file did not hold the same sound.")
    return made


def _sealed(plain: Path, size: int, work: Path, places: Places) -> Path:
    sealed = work / "sealed"
    try:
        with plain.open("rb") as source, sealed.open("wb") as target:
            seal(source, size, target, places.ring)
    except OSError as error:
        raise of_os(error, places.work) from error
    return sealed


@contextmanager
def _work_folder(root: Path, size: int) -> Iterator[Path]:
    """A folder of this one sound, taken away at the end with all that is in it; refused where there is no room."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(root).free < 2 * size + SPARE:
            raise StoreFull(f"There is no room left in {root}: free space on its disk; it is tried again by itself.")
        work = Path(tempfile.mkdtemp(prefix="keeping-", dir=root))
    except OSError as error:
        raise of_os(error, root) from error
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
