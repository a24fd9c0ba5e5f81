"""`callcrm reconcile`: writes the calls that the log lacks, from the raw events that a PBX told and from its own CDR.

The raw events know more of a call and come first; the CDR knows of calls, and of ends of calls, that nobody listened
to. What remains unknown is named: the gaps in listening, where there is no CDR.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from callcrm import cdrgaps, house
from callcrm.calls import service
from callcrm.calls.call import Call, Change
from callcrm.calls.replay import Replay
from callcrm.calls.tables import CallRow
from callcrm.cdrgaps import Missing
from callcrm.commands import Office, opened
from callcrm.kernel import clock
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.writer import Unit
from callcrm.replaying import printable
from callcrm.settings import PbxSettings, Settings
from callcrm.telephony.cdrsource import CdrTrouble, source
from callcrm.telephony.journal import read_back

BATCH = 200


@dataclass
class Told:
    """What the journal of one PBX says: ended calls, how many events, and when nobody listened."""

    calls: list[Call] = field(default_factory=list)
    events: int = 0
    gaps: list[tuple[float, float]] = field(default_factory=list)


async def reconcile(settings: Settings, *, pbx: str, since: str) -> None:
    """Fills in what is missing of one PBX or of all, and tells it."""
    if pbx and pbx not in settings.pbx:
        raise CallcrmError(f"There is no PBX named {pbx}; there are {', '.join(settings.pbx) or 'none'}.")
    begin = moment(since) if since else clock.now() - timedelta(days=settings.journal.days)
    troubles: list[str] = []
    async with opened(settings) as office:
        for name in [pbx] if pbx else settings.pbx:
            told = await read(office, name, settings.pbx[name], begin)
            missing = await absent(office, told.calls)
            await write(office, settings, missing)
            tell(name, told, missing, begin)
            try:
                await from_cdr(office, settings, name, begin, told)
            except CdrTrouble as trouble:
                tell_gaps(name, told, "the PBX's own CDR, which could not be read, knows of calls then")
                troubles.append(f"{name}: {trouble}")
    if troubles:
        raise CallcrmError(" ".join(troubles))


async def from_cdr(office: Office, settings: Settings, name: str, since: datetime, told: Told) -> None:
    """Writes what the PBX's own CDR has and the log still has not, and tells it. Raises CdrTrouble."""
    cdr = source(name, settings.pbx[name])
    if cdr is None:
        tell_gaps(name, told, f"the PBX's own CDR knows of calls then; set pbx.{name}.cdr to have them")
        return
    found = await cdrgaps.missing(office.database, cdr, settings.pbx[name], since, clock.now())
    await write(office, settings, found.calls)
    tell_cdr(name, found, told, since)


def moment(text: str) -> datetime:
    """A day or a moment as typed; UTC where no zone is named."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CallcrmError(f"{text!r} is no time; write 2026-11-21 or 2026-11-21T09:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def read(office: Office, name: str, pbx: PbxSettings, since: datetime) -> Told:
    """The calls that the raw events tell of; those that had begun before are left alone."""
    replay, told = Replay(pbx=name, trunks=pbx.trunks, operators=pbx.operators), Told()
    first = at = lost = 0.0
    async with office.database.read() as db:
        async for captured in read_back(db, name, since):
            at = captured.t or at
            first = first or at
            if captured.message is None:
                lost = lost or at
                replay.take(replay.tracker.lost(at), at)
                continue
            if lost:
                told.gaps.append((lost, at))
                lost = 0.0
            told.events += 1
            replay.take(replay.tracker.feed(captured.message, at), at)
    whole = [call for call in replay.found.values() if call.ended_at is not None and (call.at or 0.0) >= first]
    told.calls = sorted(whole, key=lambda call: call.at or 0.0)
    return told


_HEARD = select(CallRow.id).where(CallRow.state == "ended", CallRow.total_s.is_not(None))


async def absent(office: Office, calls: Sequence[Call]) -> list[Call]:
    """Those that the log has not, has not ended, or ended without having heard how (it has no length then)."""
    known: set[str] = set()
    async with office.database.read() as db:
        for n in range(0, len(calls), BATCH):
            ids = [call.id for call in calls[n : n + BATCH]]
            known |= set(await db.scalars(_HEARD.where(CallRow.id.in_(ids))))
    return [call for call in calls if call.id not in known]


async def write(office: Office, settings: Settings, calls: Sequence[Call]) -> None:
    """Into the log, with what follows from calls."""
    async with office.database.read() as db:
        context = await house.context(settings, db)
    after = house.after_calls(settings)
    for n in range(0, len(calls), BATCH):
        changes = [Change("call.ended", call, call.ended_at or 0.0) for call in calls[n : n + BATCH]]

        async def work(unit: Unit, changes: Sequence[Change] = changes) -> None:
            await service.record(unit, changes, context, after=after)

        await office.writer.do(work, name="reconcile")


def tell(name: str, told: Told, missing: Sequence[Call], since: datetime) -> None:
    """What was missing and is now there, a line each."""
    for call in missing:
        print(f"{name}: {_line(call)}")
    print(
        f"{name}: {told.events} events since {since:%Y-%m-%d %H:%M} UTC tell of {len(told.calls)} calls; "
        f"{len(missing)} were missing and are now there."
    )


def tell_cdr(name: str, found: Missing, told: Told, since: datetime) -> None:
    """What came from the CDR, a line each; then what nobody can know."""
    for call in found.calls:
        print(f"{name}: {_line(call)} (from the CDR)")
    for begin, end in told.gaps:
        count = sum(begin <= (call.at or 0.0) <= end for call in found.calls)
        if end - begin > 1:
            which = f"{count} calls of then are from the CDR"
            print(f"{name}: nobody listened from {_clock(begin)} to {_clock(end)}; {which}.")
    if found.going_on:
        print(f"{name}: {found.going_on} calls of the CDR are not over, or were so a moment ago, and are left alone.")
    print(
        f"{name}: {found.rows} rows of the CDR since {since:%Y-%m-%d %H:%M} UTC tell of {found.told} calls; "
        f"{len(found.calls)} more were missing and are now there."
    )


def tell_gaps(name: str, told: Told, why: str) -> None:
    """The gaps in listening that stay."""
    for begin, end in told.gaps:
        if end - begin > 1:
            print(f"{name}: nobody listened from {_clock(begin)} to {_clock(end)}; {why}.")


def _line(call: Call) -> str:
    who = call.client or call.caller or "anonymous"
    return printable(f"{_clock(call.at)} {call.direction} {who} to {call.called or '?'}: {call.outcome or 'ended'}")


def _clock(at: float | None) -> str:
    return "?" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
