"""Recorded calls, prepared for playing: every value that must be fresh in each play is a token.

A step's header is a row of pieces, each a text or a `Token`; `Names` (names.py) says what stands
for a token in one play. Preparing is done once a trace, playing it costs a join a header.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

from ami.capture import Captured, read_capture
from ami.messages import Message, add_header, first

#: What the simulator makes itself, from what truly goes on in it, or what an ordinary site does not have.
_NOT_PLAYED = frozenset(
    ("CEL", "DeviceStateChange", "ExtensionStatus", "QueueMemberStatus", "ContactStatus", "PeerStatus", "FullyBooted")
)
_CLASSES = frozenset(("call", "agent", "cdr", "user"))

#: Figures: digits in them are never numbers, extensions or ids.
_FIGURES = frozenset(
    [
        "Duration",
        "BillableSeconds",
        "Cause",
        "TechCause",
        "Priority",
        "ChannelState",
        "DestChannelState",
        "DestPriority",
        "Count",
        "Position",
        "OriginalPosition",
        "HoldTime",
        "TalkTime",
        "RingTime",
        "BridgeNumChannels",
        "ParkingTimeout",
        "ParkingDuration",
        "Penalty",
        "Privilege",
    ]
)

_TOKENS = re.compile(
    r"(?P<file>\d{4}/\d\d/\d\d/(?:in|out)-[0-9a-z]+-[0-9a-z]+-\d{8}-\d{6}-\d{10}\.\d+\.wav)"
    r"|(?P<folder>/var/spool/asterisk/monitor)"
    r"|(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
    r"|(?P<bridge>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<local>Local/[\w.+@-]+-[0-9a-f]{8}(?=;))"
    r"|(?P<channel>[A-Z][A-Za-z0-9]*/[\w.+-]+-[0-9a-f]{8})(?![0-9a-f])"
    r"|(?P<uid>(?<![\d.])\d{10}\.\d+(?![\d.]))"
    r"|(?P<operator>Operator 1\d\d(?!\d))"
    r"|(?P<clicked>Click to call)"
    r"|(?P<client>\+?(?<!\d)79\d{9}(?!\d))"
    r"|(?P<did>(?<!\d)7495\d{7}(?!\d))"
    r"|(?P<ext>(?<!\d)1[019]\d(?!\d))"
    r"|(?P<space>(?<!\d)70[1-9](?!\d))"
)


class Token(NamedTuple):
    """A value that is fresh in each play: its kind, and what stood there in the recording."""

    kind: str
    key: str


Piece = str | Token


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a trace: `at` seconds after the trace's first; `talking`: somebody talks from here on."""

    at: float
    event: str
    headers: tuple[tuple[str, tuple[Piece, ...]], ...]
    operators: frozenset[str]
    talking: bool = False

    def render(self, names: Mapping[Token, str]) -> Message:
        """The event with this play's values."""
        message: Message = {}
        for header, pieces in self.headers:
            add_header(message, header, "".join([one if type(one) is str else names[one] for one in pieces]))  # type: ignore[index]
        return message


@dataclass(frozen=True, slots=True)
class Trace:
    """A recorded call (or a few that belong together).

    `operators` are the extensions in it, the one whom it is about first; `members` says in which queue
    somebody must be to play his part; `callers` are numbers that call in, `clients` all outside numbers;
    A step's `operators` are those whose channels it speaks of;
    `epoch` is the second of the PBX's clock at which it began.
    """

    name: str
    steps: tuple[Step, ...]
    operators: tuple[str, ...]
    members: Mapping[str, str]
    clients: tuple[str, ...]
    callers: frozenset[str]
    epoch: int
    seconds: float
    outward: bool

    def last_step_of(self, operator: str) -> int:
        """The index of the last step that has to do with an operator: after it he is free."""
        return max((n for n, step in enumerate(self.steps) if operator in step.operators), default=-1)


def wanted(message: Message) -> bool:
    """Whether the simulator plays this message of a recording (the dialplan's steps among them)."""
    event = first(message, "Event")
    if not event or event in _NOT_PLAYED:
        return False
    if event == "Newexten":
        return True
    if event == "VarSet":
        return first(message, "Variable") == "MIXMONITOR_FILENAME"
    return bool(_CLASSES.intersection(first(message, "Privilege").lower().split(",")))


@lru_cache(maxsize=64)
def load(name_or_path: str | Path) -> Trace:
    """A trace by the name of one that is shipped with the simulator, or by its path.

    Raises LookupError when there is none of that name, ValueError when no call is in it.
    """
    path = Path(name_or_path)
    if path.suffix in (".gz", ".jsonl"):
        return compile_trace(path.name.split(".")[0], read_capture(path))
    resource = files("ami.simulator") / "traces" / f"{name_or_path}.jsonl.gz"
    if not resource.is_file():
        raise LookupError(f"there is no trace {name_or_path!r}; there are: {', '.join(shipped())}")
    with as_file(resource) as file:
        return compile_trace(str(name_or_path), read_capture(file))


def shipped() -> list[str]:
    """The names of the traces that come with the simulator."""
    folder = files("ami.simulator") / "traces"
    return sorted(one.name.removesuffix(".jsonl.gz") for one in folder.iterdir() if one.name.endswith(".jsonl.gz"))


def compile_trace(name: str, captured: Iterable[Captured]) -> Trace:
    """Prepare a recording for playing; ValueError when no channel is born in it."""
    messages = [(one.t or 0.0, one.message) for one in captured if one.message and wanted(one.message)]
    born = [message for _, message in messages if message.get("Event") == "Newchannel"]
    if not born:
        raise ValueError(f"no call begins in the trace {name}")
    start = messages[0][0]
    callers = frozenset(_bare(first(m, "CallerIDNum")) for m in born if first(m, "ChannelState") == "4")
    steps = tuple(_talking(Step(t - start, first(m, "Event"), *_pieces(m, callers)) for t, m in messages))
    told = [token for step in steps for _, pieces in step.headers for token in pieces if isinstance(token, Token)]
    operators, members = _people(steps, [m for _, m in messages])
    return Trace(
        name=name,
        steps=steps,
        operators=operators,
        members=members,
        clients=tuple(dict.fromkeys(_bare(token.key) for token in told if token.kind == "client")),
        callers=callers,
        epoch=int(float(first(born[0], "Uniqueid", "0"))),
        seconds=steps[-1].at,
        outward=first(born[0], "Context") == "internal",
    )


def _bare(number: str) -> str:
    return number.removeprefix("+")


def _pieces(
    message: Message, callers: frozenset[str]
) -> tuple[tuple[tuple[str, tuple[Piece, ...]], ...], frozenset[str]]:
    headers: list[tuple[str, tuple[Piece, ...]]] = []
    operators: set[str] = set()
    for header, value in message.items():
        for one in [value] if isinstance(value, str) else value:
            pieces = _said(message, header, one, callers) or _parking(message, header, one)
            pieces = pieces or ((one,) if header in _FIGURES else tuple(_cut(one)))
            headers.append((header, pieces))
            if message["Event"] != "Cdr":
                operators.update(
                    _operator(piece) for piece in pieces if isinstance(piece, Token) and _is_channel(piece)
                )
    return tuple(headers), frozenset(operators - {""})


def _is_channel(token: Token) -> bool:
    return token.kind in ("channel", "local")


def _said(message: Message, header: str, value: str, callers: frozenset[str]) -> tuple[Piece, ...]:
    """The name that a caller's line tells, beside his number; empty when the header is none of that kind."""
    if header == "CallerID" and (told := re.fullmatch(r'"(.*)" <(\+?)(79\d{9})>', value)) and told[3] in callers:
        return (Token("quoted", told[3]), " <", Token("client", told[2] + told[3]), ">")
    if not header.endswith(("CallerIDName", "ConnectedLineName")) or value == "Click to call":
        return ()
    number = _bare(first(message, header.removesuffix("Name") + "Num"))
    return (Token("said", number),) if number in callers and number.startswith("79") else ()


def _parking(message: Message, header: str, value: str) -> tuple[Piece, ...]:
    """The one bridge in which all parked channels are; empty for any other header."""
    return (Token("parking", value),) if header == "BridgeUniqueid" and message.get("BridgeType") == "parking" else ()


def _cut(value: str) -> Iterator[Piece]:
    at = 0
    for found in _TOKENS.finditer(value):
        if found.start() > at:
            yield value[at : found.start()]
        kind = found.lastgroup or ""
        yield Token(kind, found[kind])
        at = found.end()
    if at < len(value) or not value:
        yield value[at:]


def _operator(token: Token) -> str:
    """The extension whose part a token speaks of; empty when of none."""
    if token.kind in ("ext", "operator"):
        return token.key.removeprefix("Operator ")
    if _is_channel(token):
        found = re.match(r"\w+/(1[019]\d)[-@]", token.key)
        return found[1] if found else ""
    direct = re.fullmatch(r"74950000([12])(\d\d)", token.key) if token.kind == "did" else None
    return f"1{direct[2]}" if direct else ""


def _talking(steps: Iterable[Step]) -> Iterator[Step]:
    """Mark the steps after which two are in one bridge."""
    inside: dict[tuple[Piece, ...], int] = {}
    for step in steps:
        headers = dict(step.headers)
        bridge, count = headers.get("BridgeUniqueid"), headers.get("BridgeNumChannels")
        if bridge and count and headers.get("BridgeType") == ("basic",):
            inside[bridge] = int(str(count[0])) if step.event != "BridgeDestroy" else 0
        yield Step(step.at, step.event, step.headers, step.operators, any(n > 1 for n in inside.values()))


def _people(steps: tuple[Step, ...], messages: list[Message]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The operators, whoever has most to do first, and which queue each is rung by."""
    seen: dict[str, int] = {}
    members: dict[str, str] = {}
    for step in steps:
        for operator in sorted(step.operators):
            seen[operator] = seen.get(operator, 0) + 1
        for token in (one for _, pieces in step.headers for one in pieces if isinstance(one, Token)):
            if operator := _operator(token):
                seen.setdefault(operator, 0)
    for message in messages:
        found = re.match(r"\w+/(1[019]\d)(?:@|$)", first(message, "Interface"))
        if found and message.get("Event") == "AgentCalled":
            members[found[1]] = first(message, "Queue")
    return tuple(sorted(seen, key=lambda operator: -seen[operator])), members
