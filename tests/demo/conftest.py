"""Passwords that cost little: eight accounts are opened in each test."""

import pytest
from argon2 import PasswordHasher

from callcrm.accounts import passwords


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass over little memory; the form of the hash stays the same."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
