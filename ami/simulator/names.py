"""The fresh values of one play: channels, ids, numbers, names, times and files in place of the recorded ones."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from ami.simulator.story import Person, Story
from ami.simulator.trace import Token

MONITOR_FOLDER = "/var/spool/asterisk/monitor"
_FILE = re.compile(r"\d{4}/\d\d/\d\d/(in|out)-([0-9a-z]+)-([0-9a-z]+)-\d{8}-\d{6}-(\d{10}\.\d+)\.wav")


@dataclass
class Counters:
    """What a PBX counts up from its start: channels, Local channels, Uniqueids. `dice` makes bridges' ids."""

    dice: Random
    uniqueid: int = 0
    channel: int = 0
    local: int = 0
    spaces: set[str] = field(default_factory=set)
    parking: str = ""

    def __post_init__(self) -> None:
        self.parking = self.parking or str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def next_uniqueid(self, now: float) -> str:
        """A Uniqueid for a channel that is born now."""
        self.uniqueid += 1
        return f"{int(now)}.{self.uniqueid - 1}"

    def next_channel(self) -> str:
        """The number at the end of a channel's name."""
        self.channel += 1
        return f"{self.channel - 1:08x}"

    def next_local(self) -> str:
        """The number at the end of a pair of Local channels."""
        self.local += 1
        return f"{self.local - 1:08x}"

    def next_space(self) -> str:
        """A parking space in which nobody is; it is given back by `spaces.discard`."""
        space = next(str(n) for n in range(701, 800) if str(n) not in self.spaces or n == 799)
        self.spaces.add(space)
        return space


class Names(dict[Token, str]):
    """Token → this play's value, made when it is first asked for.

    `operators` maps recorded extensions to those who play, `clients` recorded numbers to people;
    `clock` says when an event happens that is rendered now (seconds since the epoch), and
    `moment` at which time of this play a recorded second of the PBX's clock falls.
    """

    def __init__(
        self,
        counters: Counters,
        story: Story,
        operators: Mapping[str, str],
        clients: Mapping[str, Person],
        *,
        clock: Callable[[], float],
        moment: Callable[[int], float],
        clicked: str = "Click to call",
    ) -> None:
        super().__init__()
        self.operators = operators
        self.clients = clients
        self.spaces: list[str] = []
        self._counters = counters
        self._story = story
        self._clock = clock
        self._moment = moment
        self._click_name = clicked

    def __missing__(self, token: Token) -> str:
        make: Callable[[str], str] = getattr(self, f"_{token.kind}")
        value = self[token] = make(token.key)
        return value

    def _uid(self, key: str) -> str:
        del key
        return self._counters.next_uniqueid(self._clock())

    def _channel(self, key: str) -> str:
        technology, _, rest = key.partition("/")
        peer = rest.rpartition("-")[0]
        return f"{technology}/{self.operators.get(peer, peer)}-{self._counters.next_channel()}"

    def _local(self, key: str) -> str:
        name = key.removeprefix("Local/").rpartition("-")[0]
        exten, at, context = name.partition("@")
        return f"Local/{self.operators.get(exten, exten)}{at}{context}-{self._counters.next_local()}"

    def _bridge(self, key: str) -> str:
        del key
        return str(uuid.UUID(int=self._counters.dice.getrandbits(128), version=4))

    def _parking(self, key: str) -> str:
        del key
        return self._counters.parking

    def _ext(self, key: str) -> str:
        return self.operators.get(key, key)

    def _operator(self, key: str) -> str:
        return self._story.name_of(self._ext(key.removeprefix("Operator ")))

    def _client(self, key: str) -> str:
        person = self.clients.get(key.removeprefix("+"))
        if person is None:
            return key
        return "+" + person.number if key.startswith("+") and person.number.isdigit() else person.number

    def _said(self, key: str) -> str:
        return (self.clients[key].said if key in self.clients else "") or "<unknown>"

    def _quoted(self, key: str) -> str:
        said = self.clients[key].said if key in self.clients else ""
        return '"' + said.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def _did(self, key: str) -> str:
        direct = re.fullmatch(r"(74950000[12])(\d\d)", key)
        if direct and (operator := self._ext(f"1{direct[2]}")):
            return f"{direct[1]}{operator[-2:]}"
        return self._story.lines.get(key, key)

    def _clicked(self, key: str) -> str:
        del key
        return self._click_name

    def _space(self, key: str) -> str:
        del key
        space = self._counters.next_space()
        self.spaces.append(space)
        return space

    def _folder(self, key: str) -> str:
        del key
        return MONITOR_FOLDER

    def _time(self, key: str) -> str:
        recorded = datetime.strptime(key, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        return datetime.fromtimestamp(self._moment(int(recorded.timestamp())), UTC).strftime("%Y-%m-%d %H:%M:%S")

    def _file(self, key: str) -> str:
        found = _FILE.fullmatch(key)
        if found is None:
            return key
        direction, called, caller, uid = found.groups()
        uniqueid = self[Token("uid", uid)]
        began = datetime.fromtimestamp(int(uniqueid.partition(".")[0]), UTC)
        return (
            f"{began:%Y/%m/%d}/{direction}-{self._plain(called)}-{self._plain(caller)}"
            f"-{began:%Y%m%d-%H%M%S}-{uniqueid}.wav"
        )

    def _plain(self, key: str) -> str:
        """A number within a file's name: digits and small letters only, as the dialplan filters it."""
        if re.fullmatch(r"79\d{9}", key):
            return self[Token("client", key)].removeprefix("+")
        if re.fullmatch(r"7495\d{7}", key):
            return self[Token("did", key)]
        return self[Token("ext", key)] if re.fullmatch(r"1[019]\d", key) else key
