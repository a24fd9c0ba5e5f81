"""A CDR in a CSV file: cdr-csv/Master.csv, cdr-custom/Master.csv, or an export with a row of names."""

import asyncio
import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from callcrm.telephony.cdrsource import CdrSource, CdrTrouble

#: The columns of Asterisk's cdr_csv up to where cdr.conf decides what follows, and of the sample of cdr_custom.
_CSV = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata"),
    *("start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
)
_CUSTOM = (
    *("clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata"),
    *("start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "accountcode"),
)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}")
_UNIQUEID = re.compile(r"(?:.*-)?[0-9]{9,11}\.[0-9]+")
_UNIQUEIDS = ("uniqueid", "linkedid")


async def fetch(cdr: CdrSource, since: datetime) -> list[dict[str, Any]]:
    """The rows that began at `since` or later. Raises CdrTrouble."""
    return await asyncio.to_thread(_read, cdr, since)


def _read(cdr: CdrSource, since: datetime) -> list[dict[str, Any]]:
    path, earliest = Path(cdr.url), f"{cdr.local(since):%Y-%m-%d %H:%M:%S}"
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            rows = list(_rows(lines, earliest))
    except FileNotFoundError:
        raise CdrTrouble(
            f"{path} is not there; mount it, or set pbx.{cdr.pbx}.cdr to where Asterisk writes its Master.csv."
        ) from None
    except PermissionError:
        raise CdrTrouble(f"{path} cannot be read by uid {os.getuid()}; add that user to the file's group.") from None
    except OSError as error:
        raise CdrTrouble(f"{path} cannot be read ({error.strerror}); set pbx.{cdr.pbx}.cdr to a CSV file.") from None
    if rows and not any(row.get("uniqueid") for row in rows):
        raise CdrTrouble(
            f"{path} has no Uniqueid, so that its calls cannot be told from those in the log; "
            "set loguniqueid = yes under [csv] of the PBX's cdr.conf, then `core reload`."
        )
    return rows


def _rows(lines: Iterable[str], earliest: str) -> Iterator[dict[str, Any]]:
    names: Sequence[str] | None = None
    for number, line in enumerate(lines):
        # A line is a row: a quote that somebody put into his name must not swallow the rows after it.
        fields = _fields(line)
        if number == 0 and any(one.strip().lower() == "uniqueid" for one in fields):
            names = [one.strip().lower() for one in fields]
            continue
        row = dict(zip(names, fields, strict=False)) if names else _named(fields)
        start = row.get("start") or row.get("calldate") or ""
        if start.replace("T", " ") >= earliest or not _TIME.match(start):
            yield row


def _fields(line: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r\n")]), [])
    except csv.Error:
        return []


def _named(fields: Sequence[str]) -> dict[str, str]:
    """By where the first time stands it is one layout or the other; ids are what looks like one behind that."""
    first = next((n for n, one in enumerate(fields) if _TIME.match(one)), -1)
    names = {_CSV.index("start"): _CSV, _CUSTOM.index("start"): _CUSTOM}.get(first)
    if names is None:
        return {}
    ids = [one for one in fields[len(names) :] if _UNIQUEID.fullmatch(one)]
    return dict(zip(names, fields, strict=False)) | dict(zip(_UNIQUEIDS, ids, strict=False))
