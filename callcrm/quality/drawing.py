"""Draws: what comes out of each operator's week is written down with all that explains it.

A week is drawn by lot when it is over, so that each of its calls had the same chance; a supervisor may draw from a
week that runs, and then the draw says until when. Rules name calls as soon as they are known. Everything of one
operator and week happens in one unit of the writer, so that nothing is drawn twice.
"""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.tables import User
from callcrm.calls.tables import CallOperator
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.unit import Unit
from callcrm.kernel.writer import Writer
from callcrm.quality import plans, pots, sampler
from callcrm.quality.plans import Plan
from callcrm.quality.sampler import By, Candidate, Drawn
from callcrm.quality.sampling_tables import SampledCall, SamplingDraw, SamplingPlan

#: How often the worker looks.
EVERY_S = 600.0
#: After a week's end its last recordings are still looked through.
SETTLES = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A draw from one operator's week, by which plan, from the calls that had ended at `until`.

    `whole`: the week is over; `lots`: by lot too, not by rules alone.
    """

    plan: Plan
    operator_id: int
    week: date
    until: datetime
    whole: bool
    lots: bool
    drawn_by: int | None = None


class Sampler:
    """Draws by itself what the plans want; `run_once` is done every `EVERY_S` by the worker."""

    def __init__(self, database: Database, writer: Writer, zone: ZoneInfo) -> None:
        self._database, self._writer, self._zone = database, writer, zone

    async def run_once(self) -> int:
        """Draw what is due now; gives how many calls came out."""
        return await self.draw(clock.now())

    async def draw(self, now: datetime, *, running_by: int | None = None, team: str | None = None) -> int:
        """The same as of `now`; `running_by`: somebody wants the running week drawn by lot too, of his `team` if told.

        One operator after the other, so that nobody waits for the whole.
        """
        async with self._database.read() as db:
            known = await plans.every_plan(db)
            people = await _people(db, team) if known else []
        drawn = 0
        for user_id, its_team in people:
            plan = plans.plan_for(its_team, known)
            if plan is not None and plan.active:
                drawn += await self._draw_one(plan, user_id, now, running_by)
        return drawn

    async def _draw_one(self, plan: Plan, user_id: int, now: datetime, running_by: int | None) -> int:
        this = sampler.monday(now, self._zone)
        last = this - sampler.WEEK
        over = now >= sampler.week(this, self._zone)[0] + SETTLES
        drawn = 0
        for week, whole in ((last, True), (this, False)):
            if week.isoformat() < plan.since:
                continue
            lots = over if whole else running_by is not None
            wanted = Wanted(plan, user_id, week, now, whole, lots, running_by)
            async with self._database.read() as db:
                due = await _due(db, wanted, self._zone)
            if due:
                drawn += await self._writer.do(partial(draw, wanted=wanted, zone=self._zone), name="draw")
        return drawn


async def draw(unit: Unit, wanted: Wanted, zone: ZoneInfo) -> int:
    """Draw one operator's week: by lot where that is due, and what rules name besides; gives how many came out."""
    await _lock(unit, wanted.plan)
    calls = await _calls(unit.db, wanted, zone)
    lots_due = wanted.lots and not (wanted.whole and await _drawn_whole(unit.db, wanted))
    drawn = await _draw_lots(unit, wanted, calls) if calls and lots_due else 0
    drawn += await _draw_risks(unit, wanted, calls)
    if drawn:
        unit.fact("review.changed", user=wanted.operator_id)
    return drawn


async def draw_again(unit: Unit, draw_id: int, zone: ZoneInfo) -> int:
    """One more call by the same lot, in place of one that was skipped; 0 when the pot is empty."""
    row = (await unit.db.execute(select(SamplingDraw).where(SamplingDraw.id == draw_id))).one()
    wish, week = plans.wish_of(row.wish), date.fromisoformat(row.week)
    calls = await pots.pot_of(unit.db, row.operator_id, week, zone, wish.rules, until=row.until)
    gone = await _gone(unit.db, row.operator_id, row.week, by=row.by)
    if row.by == "lot":
        found = sampler.by_lot(calls, wish, row.seed, gone=gone, lots=1)
    else:
        found = sampler.by_risk(calls, wish, row.seed, gone=gone, risks=1)
    await _keep(unit, draw_id, row.operator_id, row.week, found)
    return len(found)


async def _draw_lots(unit: Unit, wanted: Wanted, calls: Sequence[Candidate]) -> int:
    wish, week = wanted.plan.wish, wanted.week.isoformat()
    lacking = wish.lots - await _standing(unit.db, wanted, "lot")
    seed, gone = secrets.token_hex(16), await _gone(unit.db, wanted.operator_id, week, by="lot")
    found = sampler.by_lot(calls, wish, seed, gone=gone, lots=lacking)
    if not found and not wanted.whole:
        return 0
    draw_id = await _write(unit, wanted, seed, sampler.pot(calls, wish), found, by="lot")
    await _keep(unit, draw_id, wanted.operator_id, week, found)
    return len(found)


async def _draw_risks(unit: Unit, wanted: Wanted, calls: Sequence[Candidate]) -> int:
    wish, week = wanted.plan.wish, wanted.week.isoformat()
    lacking = wish.risks - await _standing(unit.db, wanted, "risk")
    seed, gone = secrets.token_hex(16), await _gone(unit.db, wanted.operator_id, week, by="risk")
    found = sampler.by_risk(calls, wish, seed, gone=gone, risks=lacking)
    if not found:
        return 0
    draw_id = await _write(unit, wanted, seed, sampler.Pot(found[0].of, ""), found)
    await _keep(unit, draw_id, wanted.operator_id, week, found)
    return len(found)


async def _write(
    unit: Unit, wanted: Wanted, seed: str, pot: sampler.Pot, found: Sequence[Drawn], *, by: By = "risk"
) -> int:
    row = {
        "at": unit.now,
        "week": wanted.week.isoformat(),
        "operator_id": wanted.operator_id,
        "plan_id": wanted.plan.id,
        "by": by,
        "seed": seed,
        "until": wanted.until,
        "whole": wanted.whole,
        "wish": plans.wish_data(wanted.plan.wish),
        "pot": pot.size,
        "checksum": pot.checksum,
        "drawn": len(found),
        "drawn_by": wanted.drawn_by,
    }
    return int((await unit.db.execute(insert(SamplingDraw).values(row).returning(SamplingDraw.id))).scalar_one())


async def _keep(unit: Unit, draw_id: int, operator_id: int, week: str, found: Sequence[Drawn]) -> None:
    """What came out. A call that a rule had named, and that the lot draws now, counts for the lot from now on."""
    began = await pots.began_of(unit.db, [one.call_id for one in found])
    for one in found:
        values = {
            "draw_id": draw_id,
            "by": one.by,
            "place": one.place,
            "of": one.of,
            "ticket": one.ticket,
            "reasons": [asdict(why) for why in one.reasons],
        }
        mine = (SampledCall.call_id == one.call_id, SampledCall.operator_id == operator_id)
        if (await unit.db.execute(update(SampledCall).where(*mine).values(values))).rowcount:
            continue
        row = values | {"week": week, "operator_id": operator_id, "began": began[one.call_id], "call_id": one.call_id}
        await unit.db.execute(insert(SampledCall).values(row))


async def _lock(unit: Unit, plan: Plan) -> None:
    """Two processes that draw at once do so one after the other."""
    await unit.db.execute(select(SamplingPlan.id).where(SamplingPlan.id == plan.id).with_for_update())


async def _standing(db: AsyncConnection, wanted: Wanted, by: str) -> int:
    """How many calls of the week there are by this way, those that were skipped left out."""
    mine = (SampledCall.week == wanted.week.isoformat(), SampledCall.operator_id == wanted.operator_id)
    kept = select(func.count()).select_from(SampledCall).where(*mine, SampledCall.by == by)
    return int((await db.execute(kept.where(SampledCall.state != "skipped"))).scalar_one())


async def _gone(db: AsyncConnection, operator_id: int, week: str, *, by: str) -> set[str]:
    """What cannot come out again. The lot may draw what a rule had named before: it does not know of rules."""
    mine = select(SampledCall.call_id).where(SampledCall.week == week, SampledCall.operator_id == operator_id)
    if by == "lot":
        mine = mine.where(or_(SampledCall.by == "lot", SampledCall.state == "skipped"))
    return set((await db.execute(mine)).scalars())


async def _drawn_whole(db: AsyncConnection, wanted: Wanted) -> bool:
    mine = (SamplingDraw.week == wanted.week.isoformat(), SamplingDraw.operator_id == wanted.operator_id)
    lots = select(SamplingDraw.id).where(*mine, SamplingDraw.by == "lot", SamplingDraw.whole).limit(1)
    return (await db.execute(lots)).first() is not None


async def _people(db: AsyncConnection, team: str | None) -> list[tuple[int, str]]:
    mine = select(User.id, User.team).where(User.active).order_by(User.id)
    if team is not None:
        mine = mine.where(User.team == team)
    return [(row.id, row.team) for row in await db.execute(mine)]


async def _due(db: AsyncConnection, wanted: Wanted, zone: ZoneInfo) -> bool:
    """Whether a draw would bring anything: reading first keeps the writer free for those who wait for it."""
    if not await _worked(db, wanted, zone):
        return False
    if wanted.lots and not (wanted.whole and await _drawn_whole(db, wanted)):
        return True
    if await _standing(db, wanted, "risk") >= wanted.plan.wish.risks:
        return False
    gone = await _gone(db, wanted.operator_id, wanted.week.isoformat(), by="risk")
    return bool(sampler.by_risk(await _calls(db, wanted, zone), wanted.plan.wish, "", gone=gone, risks=1))


async def _calls(db: AsyncConnection, wanted: Wanted, zone: ZoneInfo) -> list[Candidate]:
    rules = wanted.plan.wish.rules
    return await pots.pot_of(db, wanted.operator_id, wanted.week, zone, rules, until=wanted.until)


async def _worked(db: AsyncConnection, wanted: Wanted, zone: ZoneInfo) -> bool:
    """Whether there can be calls of this person in the week: many people of a house take none."""
    first, after = sampler.week(wanted.week, zone)
    day = timedelta(days=1)
    its = (CallOperator.began >= first - day, CallOperator.began < after + day, CallOperator.answered)
    one = select(CallOperator.call_id).where(CallOperator.user_id == wanted.operator_id, *its).limit(1)
    return (await db.execute(one)).first() is not None
