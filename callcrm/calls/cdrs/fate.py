"""What became of a call, as far as a CDR says; in the words of the call model."""

import re
from collections.abc import Sequence

from callcrm.calls.cdrs.contacts import Contact
from callcrm.calls.cdrs.row import Row
from callcrm.calls.model.fate import shown_number

#: A 404 or a 603 is NO ANSWER here, and every congestion of a trunk FAILED: no finer word can be had.
_OUTCOMES = {"BUSY": "busy", "NO ANSWER": "no answer", "CONGESTION": "congestion", "FAILED": "failed"}
_CLID = re.compile(r'^"?([^"<]*)"?\s*(?:<([^>]*)>)?$')
_BOXES = ("voicemail", "voicemailmain")


def named(dialled: str) -> str | None:
    """What was dialled, unless it is a place of the dialplan's own."""
    return None if dialled in ("", "s", "h", "i", "t") else dialled


def number_in(clid: str) -> str:
    """The number of `"Name" <number>`."""
    found = _CLID.match(clid)
    return (found.group(2) or "") if found else ""


def name_in(clid: str, number: str) -> str | None:
    """The name of `"Name" <number>`, where it says more than the number."""
    found = _CLID.match(clid)
    name = found.group(1).strip() if found else ""
    told = number or number_in(clid)
    return name if name not in ("", "<unknown>", told) and shown_number(told) is not None else None


def queue(rows: Sequence[Row]) -> str | None:
    """The last queue that the call was in."""
    asked = [row.lastdata.partition(",")[0].strip() for row in rows if row.lastapp == "queue"]
    return next((name for name in reversed(asked) if name), None)


def mailbox(rows: Sequence[Row]) -> str | None:
    """The box that the caller's line was with."""
    boxes = [row.lastdata.partition(",")[0].partition("@")[0] for row in rows if row.lastapp == _BOXES[0]]
    return next((box for box in reversed(boxes) if box), None)


def outcome(way: str, first: Row, tried: Sequence[Row]) -> str:
    """The fate of a call in which nobody talked."""
    if way == "inbound":
        return "missed"
    if first.outgoing_line and not first.dstchannel and first.disposition != "ANSWERED":
        return "operator did not pick up"
    if not tried:
        served = way == "internal" and first.answer is not None
        return "service" if served else _OUTCOMES.get(first.disposition, "failed")
    return _OUTCOMES.get(tried[-1].disposition, "no answer")


def why_missed(rang: Sequence[Contact], own: Sequence[Row]) -> str | None:
    """busy, offline, ivr, closed; None when phones just rang in vain, or the caller waited.

    `own`: the rows of the caller's line. That he was not let into a queue looks like a closed line.
    """
    if rang:
        return "busy" if {one.own.disposition for one in rang} == {"BUSY"} else None
    last = own[-1] if own else None
    if last is None or any(row.lastapp in ("queue", *_BOXES) for row in own):
        return None
    if any(row.lastapp == "dial" and row.disposition == "FAILED" for row in own):
        return "offline"
    if last.answer is None:
        return None
    return "closed" if last.lastapp == "hangup" else "ivr"
