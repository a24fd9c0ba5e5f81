"""Passwords: argon2id, in threads of their own, few at a time.

A hash costs 64 MB and tens of milliseconds by design; so at most two are computed at once,
and when too many wait, a further one is refused instead of queued.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callcrm.kernel.errors import CallcrmError, Invalid

T = TypeVar("T")

LEAST = 8
MOST = 200
WAITING = 40
HASHER = PasswordHasher()
_COMMON = frozenset(
    {"password", "12345678", "123456789", "1234567890", "qwertyui", "qwerty123", "11111111", "callcrm1"}
)

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
_waiting = 0
_decoys: dict[int, str] = {}


class TooBusy(CallcrmError):
    """Too many passwords wait to be checked."""


def check_new(password: str, name: str) -> None:
    """Raise Invalid when `password` is none to choose."""
    wrong = ""
    if len(password) < LEAST:
        wrong = f"A password needs at least {LEAST} characters."
    elif len(password) > MOST:
        wrong = f"A password has at most {MOST} characters."
    elif password.casefold() in _COMMON or password.casefold() == name.casefold():
        wrong = "This password is guessed first; choose another."
    if wrong:
        raise Invalid(wrong, {"password": wrong})


async def hashed(password: str, *, name: str = "") -> str:
    """The argon2id hash of a newly chosen password. Raises Invalid when it is too short, too long or too common."""
    check_new(password, name)
    return await _in_thread(partial(HASHER.hash, password))


async def matches(password: str, stored: str | None) -> bool:
    """Whether `password` is the one behind `stored`; takes as long when nothing is stored."""
    if len(password) > MOST:
        password = password[: MOST + 1]
    return await _in_thread(partial(_matches, password, stored))


def outdated(stored: str) -> bool:
    """Whether `stored` was made with weaker parameters than today's."""
    return HASHER.check_needs_rehash(stored)


def _matches(password: str, stored: str | None) -> bool:
    try:
        found = HASHER.verify(stored or _decoy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return found and stored is not None


def _decoy() -> str:
    # Made with today's parameters, once: whoever has no password takes as long to refuse as whoever has.
    key = id(HASHER)
    if key not in _decoys:
        _decoys[key] = HASHER.hash("nobody's password")
    return _decoys[key]


async def _in_thread(work: Callable[[], T]) -> T:
    global _waiting  # noqa: PLW0603 - one bound for the process, like its memory
    if _waiting >= WAITING:
        raise TooBusy("Too many people sign in at this moment; wait a few seconds and try again.")
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _waiting -= 1
