"""One row of a CDR, whichever table, file or event it stood in, as the fields that matter here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from ami.tracker.channel import known, plain

#: Names of one thing in Master.csv, cdr_pgsql, FreePBX's table and the manager's event Cdr.
NAMES: dict[str, tuple[str, ...]] = {
    "uniqueid": ("uniqueid",),
    "linkedid": ("linkedid",),
    "start": ("start", "calldate", "starttime"),
    "answer": ("answer", "answertime", "answerdate"),
    "end": ("end", "endtime", "enddate"),
    "src": ("src", "source"),
    "dst": ("dst", "destination"),
    "dcontext": ("dcontext", "destinationcontext"),
    "clid": ("clid", "callerid"),
    "channel": ("channel",),
    "dstchannel": ("dstchannel", "destinationchannel"),
    "lastapp": ("lastapp", "lastapplication"),
    "lastdata": ("lastdata",),
    "duration": ("duration",),
    "billsec": ("billsec", "billableseconds"),
    "disposition": ("disposition",),
    "did": ("did",),
    "recordingfile": ("recordingfile",),
}
#: What is kept of a text: names of channels and numbers are shorter, and the rest is somebody's nonsense.
LONGEST = 250
_DISPOSITIONS = {"0": "NO ANSWER", "1": "NO ANSWER", "2": "FAILED", "4": "BUSY", "8": "ANSWERED", "16": "CONGESTION"}
_AGE = re.compile(r"(?:^|-)([0-9]{9,11})\.([0-9]{1,12})$")
_FREEPBX = re.compile(r"[^/]+-(20[0-9]{2})([0-9]{2})([0-9]{2})-[0-9]{6}-[0-9]{9,11}\.[0-9]+\.[A-Za-z0-9]+")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Row:
    """A row: moments are seconds since the epoch. `answered`: a channel was connected with the one it called.

    `answer`: when `channel` was answered, by whomever: the PBX itself may have done it before anybody rang.
    """

    start: float
    end: float
    uniqueid: str
    linkedid: str
    channel: str
    dstchannel: str
    answer: float | None
    disposition: str
    lastapp: str
    lastdata: str
    src: str
    dst: str
    dcontext: str
    clid: str
    did: str
    recordingfile: str
    answered: bool

    @property
    def order(self) -> tuple[Any, ...]:
        """By beginning; what begins at once stands in the same order whatever the source's."""
        return tuple(-1.0 if value is None else value for value in astuple(self))

    @property
    def outgoing_line(self) -> bool:
        """A row of a channel that was called: it tells of what became of that channel, and dialled nothing."""
        return self.lastdata == "(Outgoing Line)"


def age(uniqueid: str) -> tuple[float, int] | None:
    """The second and the number in a Uniqueid (`1795281515.240`, or `pbx-1795281515.240`)."""
    found = _AGE.search(uniqueid)
    return (float(found.group(1)), int(found.group(2))) if found else None


def read(raw: Mapping[str, Any], zone: tzinfo | None) -> Row | None:
    """A row as its source has it; None for what cannot be a call's.

    `zone`: that of times without one; None is this machine's own.
    """
    lower = {str(name).lower(): value for name, value in raw.items()}
    told = {name: _first(lower, names) for name, names in NAMES.items()}
    text = {name: _text(value) for name, value in told.items()}
    uniqueid, channel = known(text["uniqueid"]), known(plain(text["channel"]))
    start = _moment(told["start"], zone) or _second(uniqueid)
    if not uniqueid or not channel or start is None:
        return None
    answer, billsec = _moment(told["answer"], zone), _seconds(text["billsec"]) or 0.0
    end = _end(_moment(told["end"], zone), start, _seconds(text["duration"]))
    if answer is None and billsec:
        answer = max(start, end - billsec)
    disposition = _DISPOSITIONS.get(text["disposition"], text["disposition"].upper().replace("NOANSWER", "NO ANSWER"))
    dstchannel = known(plain(text["dstchannel"]))
    return Row(
        start=start,
        end=end,
        uniqueid=uniqueid,
        linkedid=known(text["linkedid"]) or uniqueid,
        channel=channel,
        dstchannel=dstchannel,
        answer=answer,
        disposition=disposition,
        lastapp=text["lastapp"].lower(),
        lastdata=text["lastdata"],
        src=text["src"],
        dst=text["dst"],
        dcontext=text["dcontext"],
        clid=text["clid"],
        did=text["did"],
        recordingfile=_filed(text["recordingfile"]),
        answered=disposition == "ANSWERED" and answer is not None and bool(dstchannel),
    )


def _first(raw: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((raw[name] for name in names if raw.get(name) is not None), "")


def _text(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return "".join(one for one in text[:LONGEST] if one.isprintable()).strip()


def _moment(value: Any, zone: tzinfo | None) -> float | None:
    """Seconds since the epoch; None for what is no time, or one at which no PBX of today was there."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
        seconds = (at if at.tzinfo or zone is None else at.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return seconds if _EARLIEST <= seconds < _LATEST else None


def _second(uniqueid: str) -> float | None:
    found = age(uniqueid)
    return found[0] if found and _EARLIEST <= found[0] < _LATEST else None


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < 30 * _DAY else None


def _filed(name: str) -> str:
    """FreePBX tells the file's name alone; it lies in the folder of the day in that name."""
    found = _FREEPBX.fullmatch(name)
    return f"{'/'.join(found.groups())}/{name}" if found else name


def _end(told: float | None, start: float, duration: float | None) -> float:
    if told is not None and start <= told < start + 30 * _DAY:
        return told
    return start + (duration or 0.0)
