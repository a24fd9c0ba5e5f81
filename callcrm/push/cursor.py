"""The ids of push messages: a counter, and how far each stream of facts has been told.

`1f.desk:12,pbx%3Aoffice:45` is the 31st message of this run; who has seen it has been told
everything of `desk` up to 12 and of `pbx:office` up to 45. Clients treat it as opaque.
"""

from collections.abc import Mapping
from urllib.parse import quote, unquote

MAX_STREAMS = 100


class BadCursor(ValueError):
    """It is no id that this server gave."""


def encode(number: int, told: Mapping[str, int]) -> str:
    """An id; `number` makes it unique within one run of the server."""
    return f"{number:x}." + ",".join(f"{quote(stream, safe='')}:{told[stream]}" for stream in sorted(told))


def decode(cursor: str) -> dict[str, int]:
    """How far each stream was told when this id was given. Raises BadCursor."""
    number, dot, streams = cursor.partition(".")
    parts = streams.split(",") if streams else []
    if not dot or len(parts) > MAX_STREAMS:
        raise BadCursor("It is no id of a message.")
    try:
        int(number, 16)
        return dict(_part(part) for part in parts)
    except ValueError:
        raise BadCursor("It is no id of a message.") from None


def _part(part: str) -> tuple[str, int]:
    stream, colon, digits = part.partition(":")
    if not (stream and colon and digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise ValueError(part)
    return unquote(stream), int(digits)


class Told:
    """How far the streams were told, with what is still held back counted as not told."""

    def __init__(self, positions: Mapping[str, int]) -> None:
        self._reached = dict(positions)
        self._held: dict[str, dict[str, int]] = {}
        self._number = 0

    def reach(self, stream: str, position: int) -> None:
        """A fact was dealt with."""
        self._reached[stream] = max(position, self._reached.get(stream, 0))

    def hold(self, key: str, stream: str, position: int) -> None:
        """What this fact tells of `key` will be sent later: until then it counts as not told."""
        self._held.setdefault(key, {}).setdefault(stream, position)

    def release(self, key: str) -> None:
        """What was held back of `key` is being sent."""
        self._held.pop(key, None)

    def reached(self) -> dict[str, int]:
        """The last position of each stream that was dealt with."""
        return dict(self._reached)

    def cursor(self) -> str:
        """A fresh id, that never claims more than what was sent before it or with it."""
        told = dict(self._reached)
        for positions in self._held.values():
            for stream, position in positions.items():
                told[stream] = min(told.get(stream, 0), position - 1)
        return self.cursor_at(told)

    def cursor_at(self, told: Mapping[str, int]) -> str:
        """A fresh id that claims just this."""
        self._number += 1
        return encode(self._number, told)
