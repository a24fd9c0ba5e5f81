"""Rows of a CDR for the tests: those that recorded streams told, and ones made by hand."""

import gzip
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from callcrm.calls import cdrs
from callcrm.calls.call import Call
from callcrm.telephony.sides import Sides

#: What a stock Master.csv does not have.
LUXURIES = ("linkedid", "did", "recordingfile")


def told(stream: Path, without: Collection[str] = ()) -> list[dict[str, Any]]:
    """The Cdr events of a stream."""
    with gzip.open(stream, "rt") as lines:
        messages = [json.loads(line).get("msg") or {} for line in lines]
    return [
        {name: value for name, value in one.items() if name.lower() not in without}
        for one in messages
        if one.get("Event") == "Cdr"
    ]


def calls(raw: Sequence[Mapping[str, Any]], sides: Sides | None = None, pbx: str = "pbx") -> list[Call]:
    """The calls that these rows tell of."""
    rows = [row for one in raw if (row := cdrs.read(one, UTC)) is not None]
    parties = cdrs.Parties(rows, sides or Sides())
    return cdrs.calls(cdrs.groups(rows, parties.outside), parties, pbx)


def row(**changed: Any) -> dict[str, Any]:
    """A call in to operator 101, answered after 5 s for 20 s, as FreePBX's table has it."""
    return {
        "calldate": "2026-11-21 09:00:00",
        "clid": '"" <79161234567>',
        "src": "79161234567",
        "dst": "74950000101",
        "dcontext": "from-trunk",
        "channel": "PJSIP/trunk-00000001",
        "dstchannel": "PJSIP/101-00000002",
        "lastapp": "Dial",
        "lastdata": "PJSIP/101,20,tT",
        "duration": 25,
        "billsec": 20,
        "disposition": "ANSWERED",
        "uniqueid": "1795251600.1",
        "linkedid": "1795251600.1",
        **changed,
    }
