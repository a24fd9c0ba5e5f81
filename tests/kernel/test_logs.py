"""Logs: one line an event whatever it holds, with the call it is about."""

import io
import json
import logging

import pytest
import structlog

from callcrm.kernel import logs


@pytest.fixture(autouse=True)
def _as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _lines(style, say):
    out = io.StringIO()
    logs.configure("info", style, out)
    say(structlog.get_logger())
    return out.getvalue().splitlines()


def test_a_line_carries_the_call_it_is_about():
    def say(log):
        with logs.about(call="c-1", pbx="office"):
            log.info("answered", operator="101")
        log.info("after")

    first, second = (json.loads(line) for line in _lines("json", say))
    assert (first["event"], first["call"], first["pbx"], first["operator"]) == ("answered", "c-1", "office", "101")
    assert first["level"] == "info"
    assert first["timestamp"].endswith("Z")
    assert "call" not in second


@pytest.mark.parametrize("style", ["text", "json"])
def test_hostile_text_cannot_forge_a_line_or_a_colour(style):
    hostile = "Zoë\r\n2026-01-01 [error] all is lost \x1b[31m\u202e\ud800"
    (line,) = _lines(style, lambda log: log.warning("a name came", name=hostile, parts=["a\nb"]))
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert "Zoë" in line
    line.encode()


def test_a_long_value_is_cut():
    (line,) = _lines("text", lambda log: log.info("name", name="x" * 10_000))
    assert len(line) < logs.LONGEST + 200


def test_below_the_level_nothing_is_said_and_libraries_say_it_the_same_way():
    def say(log):
        log.debug("not this")
        logging.getLogger("somebody").warning("a library\nspeaks of %s", "it")
        logging.getLogger("aiohttp.access").info("not this either")

    (line,) = (json.loads(line) for line in _lines("json", say))
    assert (line["event"], line["level"]) == ("a library\\nspeaks of it", "warning")


def test_a_stack_trace_is_kept():
    def say(log):
        try:
            raise ValueError("no\x1bgood")  # noqa: TRY301
        except ValueError:
            log.exception("it failed")

    (line,) = (json.loads(line) for line in _lines("json", say))
    assert line["exception"].splitlines()[-1] == "ValueError: no\\x1bgood"


def test_a_log_that_cannot_be_written_stops_nothing():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    logs.configure("info", "text", Full())
    structlog.get_logger().info("said to nobody")
    logging.getLogger("somebody").warning("the same")
    assert isinstance(logging.getLogger().handlers[0], logging.StreamHandler)
