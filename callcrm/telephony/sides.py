"""Who is an operator and what is a trunk: by the admin's regular expressions, else by a guess that can be explained."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

OPERATOR, TRUNK, OTHER = "operator", "trunk", "other"

_EXTENSION = re.compile(r"[0-9*]{2,6}")
_NUMBER = re.compile(r"\+?[0-9]{7,20}")
_TRUNKISH = re.compile(r"trunk|provider|pstn|did|incoming|inbound|external|gsm|dongle|outgoing|gateway", re.IGNORECASE)


def peer(endpoint: str) -> str:
    """`101` of `PJSIP/101`; of `DAHDI/i1/79161234567` it is `i1`."""
    parts = endpoint.split("/")
    return parts[1] if len(parts) > 1 else endpoint


@dataclass(slots=True)
class Sides:
    """Tells the side of an endpoint (`PJSIP/101`) and the extension of an operator's.

    `trunks` and `operators` are regular expressions that match the whole endpoint; an `operators` expression
    with a group names the extension by it. Where neither is given, or neither matches, the side is guessed from
    the endpoint's name and from what was `learnt`; `told` is called once with each guess.
    """

    trunks: str = ""
    operators: str = ""
    told: Callable[[str, str], None] | None = None
    learnt: dict[str, str] = field(default_factory=dict)
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, endpoint: str, *, number: str = "", context: str = "") -> tuple[str, str]:
        """(side, extension): the extension is empty for what is no operator."""
        found = self._known.get(endpoint)
        if found is None:
            found = self._known[endpoint] = self._matched(endpoint) or self._guessed(endpoint, number, context)
        return found

    def learn(self, endpoint: str, side: str) -> None:
        """Something was seen that shows the side of an endpoint; the first word stands."""
        self.learnt.setdefault(endpoint, side)

    def _matched(self, endpoint: str) -> tuple[str, str] | None:
        found = re.fullmatch(self.operators, endpoint) if self.operators else None
        if found is not None:
            named = [group for group in found.groups() if group]
            return OPERATOR, named[0] if named else peer(endpoint)
        if self.trunks and re.fullmatch(self.trunks, endpoint):
            return TRUNK, ""
        return None

    def _guessed(self, endpoint: str, number: str, context: str) -> tuple[str, str]:
        if self.trunks and self.operators:
            return OTHER, ""
        side = self._guess(endpoint, number, context)
        if self.trunks and side == TRUNK and not self.operators:
            side = OPERATOR
        if self.told is not None:
            self.told(endpoint, side)
        return side, peer(endpoint) if side == OPERATOR else ""

    def _guess(self, endpoint: str, number: str, context: str) -> str:
        name = peer(endpoint)
        if endpoint in self.learnt:
            return self.learnt[endpoint]
        if _EXTENSION.fullmatch(name):
            return OPERATOR
        if _TRUNKISH.search(name) or _TRUNKISH.search(context):
            return TRUNK
        if _EXTENSION.fullmatch(number):
            return OPERATOR
        return TRUNK


def evidence(endpoint_in_dial: str, dialled: str) -> Iterable[tuple[str, str]]:
    """What a dial string shows: `79161234567@provider` and `provider/79161234567` go out by a trunk."""
    if "@" in dialled:
        number, _, name = dialled.partition("@")
        if _NUMBER.fullmatch(number) and name == peer(endpoint_in_dial):
            yield endpoint_in_dial, TRUNK
    elif "/" in dialled:
        name, _, number = dialled.rpartition("/")
        if _NUMBER.fullmatch(number) and name == peer(endpoint_in_dial):
            yield endpoint_in_dial, TRUNK


def dialled_number(dialled: str) -> str:
    """The number in a dial string: of `79161234567@trunk` and of `trunk/79161234567`; empty when there is none."""
    for part in (dialled.partition("@")[0], dialled.rpartition("/")[2]):
        if _NUMBER.fullmatch(part):
            return part
    return ""
