"""Passwords: argon2id, bounded, and the same time for who has none."""

import asyncio
import statistics
import time

import pytest
from argon2 import PasswordHasher, Type

from callcrm.accounts import passwords
from callcrm.kernel.errors import Invalid


async def test_a_password_matches_its_hash_and_no_other():
    stored = await passwords.hashed("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.matches("correct horse", stored)
    assert not await passwords.matches("correct horsf", stored)
    assert not await passwords.matches("correct horse", None)
    assert not await passwords.matches("nobody's password", None)
    assert not await passwords.matches("anything", "not a hash")
    assert not await passwords.matches("x" * 1_000_000, stored)


@pytest.mark.parametrize(
    ("password", "said"),
    [("short", "at least 8"), ("x" * 201, "at most 200"), ("12345678", "guessed first"), ("AnnaAnna", "guessed first")],
)
async def test_a_bad_choice_is_refused_in_words(password: str, said: str):
    with pytest.raises(Invalid, match=said) as caught:
        await passwords.hashed(password, name="annaanna")
    assert set(caught.value.fields) == {"password"}


def test_the_service_hashes_with_more_than_the_least_that_is_recommended(quick_passwords: None):
    hasher = PasswordHasher()
    assert hasher.type is Type.ID
    assert hasher.memory_cost >= 19 * 1024
    assert hasher.time_cost >= 2


async def test_who_does_not_exist_takes_as_long_as_who_does(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1))
    stored = await passwords.hashed("correct horse")
    await passwords.matches("wrong horse", None)

    async def took(kept: str | None) -> float:
        began = time.perf_counter()
        await passwords.matches("wrong horse", kept)
        return time.perf_counter() - began

    known = statistics.median([await took(stored) for _ in range(7)])
    unknown = statistics.median([await took(None) for _ in range(7)])
    assert 0.3 < unknown / known < 3


async def test_too_many_at_once_are_refused_and_those_accepted_are_answered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=4096, parallelism=1))
    stored = await passwords.hashed("correct horse")
    tries = [passwords.matches("correct horse", stored) for _ in range(passwords.WAITING + 5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert [isinstance(result, passwords.TooBusy) for result in results].count(True) == 5
    assert results.count(True) == passwords.WAITING
    assert await passwords.matches("correct horse", stored)
