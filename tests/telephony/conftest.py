import pytest
import structlog


@pytest.fixture(autouse=True)
def plain_traces():
    """structlog's own default draws each traceback with rich, which takes seconds; the service's log does not."""
    before = structlog.get_config()["processors"]
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before[:-1], console])
    yield
    structlog.configure(processors=before)
