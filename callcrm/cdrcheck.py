"""What `callcrm check` says of each PBX's CDR: whether it can be read, and whether its times are what they seem."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from callcrm.calls import cdrs
from callcrm.calls.cdrs.groups import off
from callcrm.kernel import clock
from callcrm.settings import PbxSettings
from callcrm.telephony.cdrsource import CdrSource, CdrTrouble, fetch, source
from callcrm.vaultcheck import Found

_DAY = timedelta(days=1)


async def finding(name: str, pbx: PbxSettings) -> Found:
    """The one thing that is to be said of the CDR of a PBX."""
    subject, cdr = f"CDR of {name}", source(name, pbx)
    if cdr is None:
        return Found(
            "hint", subject, f"none is named; set pbx.{name}.cdr, so that `callcrm reconcile` fills gaps from it"
        )
    since = clock.now() - _DAY
    try:
        raw = await fetch(cdr, since)
    except CdrTrouble as trouble:
        return Found("MEND", subject, str(trouble))
    return _read(subject, cdr, [row for one in raw if (row := cdrs.read(one, cdr.zone)) is not None])


def _read(subject: str, cdr: CdrSource, rows: Sequence[cdrs.Row]) -> Found:
    firsts = {row.uniqueid: row for row in sorted(rows, key=lambda row: row.order, reverse=True)}
    by, _ = Counter(off(row) for row in firsts.values()).most_common(1)[0] if firsts else (0.0, 0)
    if by:
        hours = f"{abs(by) / 3600:g} h too {'early' if by > 0 else 'late'}"
        return Found(
            "hint",
            subject,
            f"its times are read {hours}, and put right by their Uniqueids; set pbx.{cdr.pbx}.cdr_timezone to its zone",
        )
    yesterday = (clock.now() - _DAY).timestamp()
    count = sum(row.start >= yesterday for row in rows)
    return Found("ok", subject, f"{cdr.place} can be read; {count} rows in the last day")
