"""Passwords that cost microseconds, as only tests may have them."""

import pytest
from argon2 import PasswordHasher

from callcrm.accounts import passwords


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with parameters that are too weak for anything but tests."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
