"""Every action we send to a PBX, built by small functions whose fields are checked.

A manager connection is a line protocol: a CR or LF in a field is another header, or another
action. So each field has its own list of characters that are allowed, and what holds another one
is refused with `BadCommand` in words. Nothing else builds actions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ami.errors import BadCommand


@dataclass(frozen=True, slots=True)
class Action:
    """One action, checked: `headers` in order (a name may come again); `lists`: its answer is a list of events.

    `harmless`: it changes nothing, so that asking twice or late does no harm.
    """

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    lists: bool = False
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class DialRules:
    """Where click-to-call may go: the context, the operator's phone, and the numbers (whole match)."""

    context: str = "from-internal"
    channel: str = "PJSIP/{extension}"
    numbers: str = r"^\+?[0-9]{3,15}$"
    ring_s: int = 30
    _numbers: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "_numbers", re.compile(self.numbers))
        except re.error as error:
            raise BadCommand("dial_numbers", f"is no regular expression ({error})") from None

    def allows(self, number: str) -> bool:
        """Whether this number may be dialled."""
        return len(number) <= 40 and self._numbers.fullmatch(number) is not None


class _Field:
    """A field's allow-list; called with a value it gives it back, or refuses it."""

    def __init__(self, name: str, pattern: str, longest: int, said: str) -> None:
        self.name, self.longest, self.said = name, longest, said
        self._pattern = re.compile(pattern)

    def __call__(self, value: object) -> str:
        text = str(value)
        if any(end in text for end in "\r\n\0"):
            raise BadCommand(self.name, "must be one line")
        if len(text) > self.longest:
            raise BadCommand(self.name, f"is longer than {self.longest} characters")
        if self._pattern.fullmatch(text) is None:
            raise BadCommand(self.name, f"may hold only {self.said}, not {text[:60]!r}")
        return text


_CHANNEL = _Field("the channel", r"[A-Za-z0-9]+/[A-Za-z0-9_.@:;+\-/~*#=]+", 200, "letters, digits and _.@:;+-/~*#=")
#: A channel by its name, or by the id that an Originate gave it.
_LINE = _Field(
    "the channel",
    r"[A-Za-z0-9]+/[A-Za-z0-9_.@:;+\-/~*#=]+|[0-9]{9,11}\.[0-9]{1,12}",
    200,
    "letters, digits and _.@:;+-/~*#=",
)
_UNIQUEID = _Field("the channel's id", r"[0-9]{9,11}\.[0-9]{1,12}", 30, "digits and a dot")
_DIGIT = _Field("the digit", r"[0-9A-D*#]", 1, "one of 0-9, A-D, * and #")
_SPACE = _Field("the parking space", r"[0-9A-Za-z*#+_.\-]+", 40, "letters, digits and *#+_.-")
_INTERFACE = _Field("the interface", r"[A-Za-z0-9]+/[A-Za-z0-9_.@:+\-/]+", 120, "letters, digits and _.@:+-/")
_EXTENSION = _Field("the extension", r"[0-9A-Za-z*#+_.\-]+", 80, "letters, digits and *#+_.-")
_CONTEXT = _Field("the context", r"[A-Za-z0-9_.\-]+", 80, "letters, digits and _.-")
_QUEUE = _Field("the queue", r"[\w.\-@ ]+", 100, "letters, digits, blanks and _.-@")
_TEXT = _Field("the text", r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]*", 200, "printable characters")
_NAME = _Field("the caller's name", r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\"<>\\,;|&$\u2028\u2029]*", 80, "plain text")
_NUMBER = _Field("the number", r"[0-9A-Za-z*#+_.\-]+", 40, "digits, letters and *#+_.-")
_VARIABLE = _Field("the variable", r"[A-Za-z_][A-Za-z0-9_]*|CHANNEL\([a-z]+\)", 80, "letters, digits and _")
_VALUE = _Field("the value", r"[\w.@:+\-/ ]*", 200, "letters, digits, blanks and _.@:+-/")
_BRIDGE = _Field("the bridge", r"[A-Za-z0-9\-]+", 80, "letters, digits and -")
_ID = _Field("the id", r"[A-Za-z0-9_.\-/]+", 120, "letters, digits and _.-/")
_WORDS = _Field("the classes", r"[a-z]+(,[a-z]+)*|on|off", 120, "names of classes")
_FILTER = _Field("the filter", r"[A-Za-z0-9!_:.* ()^$|,\-]+", 200, "letters, digits and !_:.*()^$|,-")
_LOT = _Field("the parking lot", r"[A-Za-z0-9_.\-]+", 80, "letters, digits and _.-")


def _action(name: str, *headers: tuple[str, str | None], lists: bool = False, harmless: bool = False) -> Action:
    return Action(name, tuple((key, value) for key, value in headers if value is not None), lists, harmless)


# ---- asking ------------------------------------------------------------------
def ping() -> Action:
    """Is anybody there."""
    return _action("Ping", harmless=True)


def core_show_channels() -> Action:
    """Every channel that there is, with its bridge."""
    return _action("CoreShowChannels", lists=True, harmless=True)


def status() -> Action:
    """Every channel again, with what CoreShowChannels leaves out (BridgeID, seconds)."""
    return _action("Status", lists=True, harmless=True)


def queue_status(queue: str | None = None) -> Action:
    """Queues, their members and who waits in them."""
    return _action("QueueStatus", ("Queue", None if queue is None else _QUEUE(queue)), lists=True, harmless=True)


def bridge_list() -> Action:
    """Every bridge."""
    return _action("BridgeList", lists=True, harmless=True)


def bridge_info(bridge: str) -> Action:
    """Who is in one bridge."""
    return _action("BridgeInfo", ("BridgeUniqueid", _BRIDGE(bridge)), lists=True, harmless=True)


def parked_calls() -> Action:
    """Who is parked, and where."""
    return _action("ParkedCalls", lists=True, harmless=True)


def getvar(channel: str, variable: str) -> Action:
    """One channel variable; functions other than CHANNEL(…) are refused, some run programs."""
    return _action("Getvar", ("Channel", _CHANNEL(channel)), ("Variable", _VARIABLE(variable)), harmless=True)


def core_settings() -> Action:
    """Which Asterisk this is."""
    return _action("CoreSettings", harmless=True)


def list_commands() -> Action:
    """Which actions this manager user may use."""
    return _action("ListCommands", harmless=True)


def pjsip_show_endpoints() -> Action:
    """Every PJSIP endpoint and whether it is there (needs class system)."""
    return _action("PJSIPShowEndpoints", lists=True, harmless=True)


def pjsip_show_contacts() -> Action:
    """Every registered PJSIP phone (needs class system)."""
    return _action("PJSIPShowContacts", lists=True, harmless=True)


def events(classes: str) -> Action:
    """Ask for events of these classes only: `on`, `off` or `call,agent`."""
    return _action("Events", ("EventMask", _WORDS(classes)), harmless=True)


def filter_events(pattern: str) -> Action:
    """Let the PBX itself leave events out (needs class system): `!Event: VarSet`."""
    return _action("Filter", ("Operation", "Add"), ("Filter", _FILTER(pattern)), harmless=True)


# ---- calls -------------------------------------------------------------------
def originate(
    rules: DialRules,
    extension: str,
    number: str,
    *,
    action_id: str,
    caller_name: str = "",
    channel_id: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> Action:
    """Click-to-call: the operator's phone rings first, and when he takes it, the number is dialled.

    Only by `rules`: one context, one shape of channel, numbers that match. The result comes
    later, as an OriginateResponse with `action_id`. `channel_id` becomes the Uniqueid of the operator's channel.
    """
    number = _NUMBER(number)
    if not rules.allows(number):
        raise BadCommand("the number", f"{number} is not among those that may be dialled (dial_numbers)")
    channel = _INTERFACE(rules.channel.replace("{extension}", _EXTENSION(extension)))
    name = _NAME(caller_name) or number
    return _action(
        "Originate",
        ("ActionID", _ID(action_id)),
        ("Channel", channel),
        ("ChannelId", None if channel_id is None else _UNIQUEID(channel_id)),
        ("Context", _CONTEXT(rules.context)),
        ("Exten", number),
        ("Priority", "1"),
        ("CallerID", f'"{name}" <{number}>'),
        ("Timeout", str(max(1, min(rules.ring_s, 300)) * 1000)),
        ("Async", "true"),
        *(("Variable", f"{_VARIABLE(key)}={_VALUE(value)}") for key, value in (variables or {}).items()),
    )


def fetch_parked(
    rules: DialRules,
    extension: str,
    space: str,
    *,
    action_id: str,
    lot: str = "default",
    caller_name: str = "",
    caller_number: str = "",
) -> Action:
    """Ring the operator's phone, and when he takes it, give him whom is parked at `space`; no dialplan is needed."""
    shown = _NUMBER(caller_number) if caller_number else space
    return _action(
        "Originate",
        ("ActionID", _ID(action_id)),
        ("Channel", _INTERFACE(rules.channel.replace("{extension}", _EXTENSION(extension)))),
        ("Application", "ParkedCall"),
        ("Data", f"{_LOT(lot)},{_SPACE(space)}"),
        ("CallerID", f'"{_NAME(caller_name) or shown}" <{_NUMBER(shown)}>'),
        ("Timeout", str(max(1, min(rules.ring_s, 300)) * 1000)),
        ("Async", "true"),
    )


def hangup(channel: str, cause: int = 16) -> Action:
    """End one channel, named by its name or its Uniqueid."""
    if not 0 < cause < 128:
        raise BadCommand("the cause", "must be between 1 and 127")
    return _action("Hangup", ("Channel", _LINE(channel)), ("Cause", str(cause)))


def press(channel: str, digit: str) -> Action:
    """Act as if the phone of this channel had pressed a key (Asterisk 18 and newer): feature codes are obeyed."""
    return _action("PlayDTMF", ("Channel", _CHANNEL(channel)), ("Digit", _DIGIT(digit)), ("Receive", "true"))


def redirect(
    channel: str, context: str, extension: str, *, extra_channel: str | None = None, extra_extension: str | None = None
) -> Action:
    """Send a channel (and at once a second one) to another place of the dialplan."""
    second = None if extra_channel is None else _CHANNEL(extra_channel)
    return _action(
        "Redirect",
        ("Channel", _CHANNEL(channel)),
        ("Context", _CONTEXT(context)),
        ("Exten", _EXTENSION(extension)),
        ("Priority", "1"),
        ("ExtraChannel", second),
        ("ExtraContext", second and _CONTEXT(context)),
        ("ExtraExten", second and _EXTENSION(extra_extension or extension)),
        ("ExtraPriority", second and "1"),
    )


def blind_transfer(channel: str, context: str, extension: str) -> Action:
    """Hand over whom this channel talks with, without asking."""
    return _action(
        "BlindTransfer",
        ("Channel", _CHANNEL(channel)),
        ("Context", _CONTEXT(context)),
        ("Exten", _EXTENSION(extension)),
    )


def attended_transfer(channel: str, context: str, extension: str) -> Action:
    """Call a colleague from this channel while the other party waits."""
    return _action(
        "Atxfer", ("Channel", _CHANNEL(channel)), ("Context", _CONTEXT(context)), ("Exten", _EXTENSION(extension))
    )


def cancel_attended_transfer(channel: str) -> Action:
    """Back to the party who waits."""
    return _action("CancelAtxfer", ("Channel", _CHANNEL(channel)))


def park(
    channel: str, *, announce_to: str | None = None, lot: str | None = None, timeout_s: int | None = None
) -> Action:
    """Park a channel; `announce_to` is called when nobody fetches it."""
    if timeout_s is not None and not 1 <= timeout_s <= 3600:
        raise BadCommand("the time-out", "must be between 1 and 3600 seconds")
    return _action(
        "Park",
        ("Channel", _CHANNEL(channel)),
        ("TimeoutChannel", None if announce_to is None else _CHANNEL(announce_to)),
        ("Parkinglot", None if lot is None else _LOT(lot)),
        ("Timeout", None if timeout_s is None else str(timeout_s * 1000)),
    )


# ---- queues ------------------------------------------------------------------
def queue_pause(interface: str, *, paused: bool, queue: str | None = None, reason: str = "") -> Action:
    """Pause or unpause a member, in one queue or in all."""
    return _action(
        "QueuePause",
        ("Interface", _INTERFACE(interface)),
        ("Paused", "true" if paused else "false"),
        ("Queue", None if queue is None else _QUEUE(queue)),
        ("Reason", _TEXT(reason) or None),
    )


# ---- recording ---------------------------------------------------------------
def mix_monitor_mute(channel: str, *, muted: bool, direction: str = "both") -> Action:
    """Leave a gap in the recording, such as while card data are said."""
    if direction not in ("read", "write", "both"):
        raise BadCommand("the direction", "must be read, write or both")
    return _action(
        "MixMonitorMute",
        ("Channel", _CHANNEL(channel)),
        ("Direction", direction),
        ("State", "1" if muted else "0"),
    )
