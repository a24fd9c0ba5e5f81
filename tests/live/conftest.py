"""A real Asterisk for each process of the tests, and a lab of phones on it for each test."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.pbx import packages
from tests.pbx.errors import LabError
from tests.pbx.instance import Instance, free_base
from tests.pbx.lab import Lab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs an Asterisk, and runs in one process per instance."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.asterisk)


@pytest.fixture(scope="session")
def asterisk() -> Iterator[Instance]:
    """A running Asterisk of this process's own; skipped (never in CI) where none can be had."""
    if packages.version("sid") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Asterisk in the cache: python -m tests.pbx install must come first")
        pytest.skip("no Asterisk here; fetch it with: python -m tests.pbx install")
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    with tempfile.TemporaryDirectory(prefix="callcrm-lab-") as folder:
        for attempt in range(3):  # another process may take the ports between the look and the start
            try:
                instance = Instance(
                    Path(folder) / str(attempt), free_base(start=worker + attempt), channelvars="MIXMONITOR_FILENAME"
                ).start()
                break
            except LabError:
                if attempt == 2:
                    raise
        yield instance
        instance.stop()


@pytest.fixture
async def lab(asterisk: Instance) -> AsyncIterator[Lab]:
    """Phones on the Asterisk."""
    async with Lab(asterisk) as opened:
        yield opened
