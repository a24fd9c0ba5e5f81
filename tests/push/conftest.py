"""A running gateway for each test of push."""

from collections.abc import AsyncIterator

import pytest

from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Writer
from tests.push.stage import Stage


@pytest.fixture
async def stage(database: Database, writer: Writer, bus: LocalBus) -> AsyncIterator[Stage]:
    """Olga and Ivan are operators, Vera supervises; the gateway listens on a free port."""
    opened = Stage(database, writer, bus)
    await opened.person("olga", team="sales")
    await opened.person("ivan", team="support")
    await opened.person("vera", "supervisor")
    await opened.open()
    yield opened
    await opened.close()
