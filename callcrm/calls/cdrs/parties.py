"""Who is at a channel that a CDR names: an operator with his extension, or an outside line with its number."""

import re
from collections.abc import Iterable

from ami.tracker.channel import INNER, endpoint_of
from callcrm.calls.cdrs.contacts import other_half
from callcrm.calls.cdrs.row import Row
from callcrm.telephony.sides import OPERATOR, OTHER, Sides, dialled_number, evidence

_MEMBER = re.compile(r"Local/([0-9*]{2,6})@")
_NUMBER = re.compile(r"\+?[0-9]{7,20}")


class Parties:
    """The sides of one PBX's channels. The rows are looked through once for what they show of them."""

    def __init__(self, rows: Iterable[Row], sides: Sides) -> None:
        self._sides = sides
        ordered = sorted(rows, key=lambda row: row.order)
        for row in ordered:
            for endpoint, dialled in _dialled(row):
                for known, side in evidence(endpoint, dialled):
                    sides.learn(known, side)
        for row in ordered:
            if self._party(row.channel):
                sides.of(endpoint_of(row.channel), number=row.src, context=row.dcontext)
        self._contexts = {row.dcontext for row in ordered if row.dst and self.extension(row.channel)}

    @staticmethod
    def _party(channel: str) -> bool:
        return bool(channel) and not channel.startswith(INNER) and not other_half(channel)

    def side(self, channel: str) -> str:
        """operator, trunk or other."""
        if not self._party(channel):
            return OPERATOR if self.extension(channel) else OTHER
        return self._sides.of(endpoint_of(channel))[0]

    def extension(self, channel: str) -> str:
        """The operator's extension; empty for who is none. A Local channel has it in its name, if any."""
        if not self._party(channel):
            found = _MEMBER.match(channel)
            return found.group(1) if found else ""
        side, extension = self._sides.of(endpoint_of(channel))
        return extension if side == OPERATOR else ""

    def outside(self, channel: str) -> bool:
        """Whether it is an outside line."""
        return self._party(channel) and self.side(channel) != OPERATOR

    def operators_dial_in(self, context: str) -> bool:
        """Whether it is a context of the dialplan in which operators dial."""
        return context in self._contexts

    def dialled(self, row: Row) -> str:
        """The number that the row's called channel was called by; empty when none is in it."""
        mine = endpoint_of(row.dstchannel)
        numbers = (dialled_number(dialled) for endpoint, dialled in _dialled(row) if endpoint == mine)
        return next((number for number in numbers if number), "")

    def is_number(self, dialled: str) -> bool:
        """Whether it is a number out there rather than an extension."""
        return _NUMBER.fullmatch(dialled) is not None


def _dialled(row: Row) -> Iterable[tuple[str, str]]:
    """The endpoints that Dial was given, each with its own part of what it was given."""
    if row.lastapp != "dial":
        return
    for one in row.lastdata.partition(",")[0].split("&"):
        technology, slash, dialled = one.partition("/")
        peer = dialled.rpartition("@")[2] if "@" in dialled else dialled.partition("/")[0]
        if slash and dialled and technology != "Local":
            yield f"{technology}/{peer}", dialled
