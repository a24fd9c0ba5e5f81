"""Plans of what is reviewed: one of the house, and one for each team that wants its own. Supervisors change them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require, scope
from callcrm.accounts.tables import User
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.writer import Unit
from callcrm.quality import sampler
from callcrm.quality.sampler import RULES, Rules, Wish
from callcrm.quality.sampling_tables import SamplingPlan

MOST = 20
#: What may be typed for each number: from, to.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "lots": (0, MOST),
    "risks": (0, MOST),
    "least_s": (0, 3600),
    "long_hold": (1, 3600),
    "repeat_caller": (2, 50),
    "near_h": (1, 168),
    "talk_over": (1, 3600),
    "short_call": (1, 600),
}
_WHOLE = frozenset({"lots", "risks", "repeat_caller"})
_PERSON = func.coalesce(func.nullif(User.full_name, ""), User.name, "").label("person")


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan; `team` "" is the house's. `version` 0: nobody has saved it yet."""

    id: int
    team: str
    wish: Wish
    active: bool
    since: str
    version: int
    changed_at: datetime | None = None
    changed_by: str = ""


async def plans(db: AsyncConnection, actor: Actor) -> list[Plan]:
    """The plans that the actor may see: the house's, and his team's or every team's."""
    require(actor, Right.SCORE)
    seen = _PLANS if scope(actor) == "all" else _PLANS.where(SamplingPlan.team.in_(("", actor.team)))
    return [_plan(row) for row in await db.execute(seen)]


async def every_plan(db: AsyncConnection) -> list[Plan]:
    """All plans, for the service's own work."""
    return [_plan(row) for row in await db.execute(_PLANS)]


def plan_for(team: str, known: list[Plan]) -> Plan | None:
    """The plan that counts for somebody of a team: the team's own, or the house's."""
    own = next((one for one in known if one.team == team), None)
    return own or next((one for one in known if one.team == ""), None)


async def save(unit: Unit, actor: Actor, team: str, typed: Mapping[str, Any], *, version: int, zone: ZoneInfo) -> int:
    """Make or change a team's plan; gives its new version. What was drawn stays.

    `typed`: the fields of `Wish`, `active`, and under each rule's name its limit, or None where it is off; `near_h`.
    Raises NotAllowed, Invalid with the fields that are wrong, Conflict when somebody saved it meanwhile.
    """
    _may_change(actor, team)
    wish = read(typed)
    held = await _held(unit, team)
    if (held.version if held else 0) != version:
        raise Conflict("Somebody else changed this plan meanwhile; look again.", held)
    row = {**_numbers(wish), "rules": rules_data(wish.rules), "active": bool(typed.get("active", True))}
    row |= {"version": version + 1, "changed_at": unit.now, "changed_by": actor.user_id}
    if held is None:
        # The week before is over and was never drawn: there is something to review at once.
        since = sampler.monday(unit.now, zone) - sampler.WEEK
        await unit.db.execute(insert(SamplingPlan).values(team=team, since=since.isoformat(), **row))
    else:
        await unit.db.execute(update(SamplingPlan).where(SamplingPlan.team == team).values(**row))
    await audit.write(unit, actor, "change", "sampling plan", team or "all")
    return version + 1


async def drop(unit: Unit, actor: Actor, team: str, *, version: int) -> None:
    """Take a team's own plan away: the house's counts for it again. Raises NotFound and Conflict."""
    _may_change(actor, team)
    held = await _held(unit, team)
    if held is None or not team:
        raise NotFound("This team has no plan of its own.")
    if held.version != version:
        raise Conflict("Somebody else changed this plan meanwhile; look again.", held)
    await unit.db.execute(delete(SamplingPlan).where(SamplingPlan.team == team))
    await audit.write(unit, actor, "remove", "sampling plan", team)


def read(typed: Mapping[str, Any]) -> Wish:
    """What was typed as a wish. Raises Invalid with each field that is wrong."""
    bad = {name: why for name in BOUNDS if (why := _wrong(name, typed.get(name)))}
    words = typed.get("complaint")
    if words is not None and not all(isinstance(one, str) and 0 < len(one) <= 60 for one in words):
        bad["complaint"] = "choose dispositions from the list"
    if not bad and not typed.get("lots") and not typed.get("risks"):
        bad["lots"] = "one call at least, by lot or by rule"
    if bad:
        raise Invalid("Some numbers of this plan cannot be taken.", bad)
    limits = {name: typed.get(name) for name in RULES if name != "complaint"}
    rules = Rules(**limits, complaint=None if words is None else tuple(words), near_h=float(typed.get("near_h") or 24))
    heard_only = bool(typed.get("heard_only", True))
    return Wish(int(typed["lots"]), int(typed["risks"]), float(typed["least_s"]), heard_only, rules)


def _wrong(name: str, value: Any) -> str:
    low, high = BOUNDS[name]
    if value is None:
        return "" if name in RULES or name == "near_h" else "write a number"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (name in _WHOLE and value != int(value)):
        return "write a whole number" if name in _WHOLE else "write a number"
    return "" if low <= value <= high else f"from {low:g} to {high:g}"


def rules_data(rules: Rules) -> dict[str, Any]:
    """The rules as they are stored."""
    return {one.name: getattr(rules, one.name) for one in fields(rules)}


def rules_of(data: Mapping[str, Any]) -> Rules:
    """The rules as they were stored; what an older version did not know is off."""
    words = data.get("complaint")
    limits = {name: data.get(name) for name in RULES if name != "complaint"}
    return Rules(**limits, complaint=None if words is None else tuple(words), near_h=float(data.get("near_h", 24.0)))


def wish_data(wish: Wish) -> dict[str, Any]:
    """A wish as a draw keeps it."""
    return asdict(wish)


def wish_of(data: Mapping[str, Any]) -> Wish:
    """A wish as a draw kept it."""
    numbers = {name: data[name] for name in ("lots", "risks", "least_s", "heard_only")}
    return Wish(**numbers, rules=rules_of(data["rules"]))


def _numbers(wish: Wish) -> dict[str, Any]:
    return {name: getattr(wish, name) for name in ("lots", "risks", "least_s", "heard_only")}


def _may_change(actor: Actor, team: str) -> None:
    require(actor, Right.SCORE)
    if scope(actor) == "team" and team != actor.team:
        raise NotAllowed("You change the plan of your own team; the house's is for supervisors of everybody.")


async def _held(unit: Unit, team: str) -> Plan | None:
    row = (await unit.db.execute(_PLANS.where(SamplingPlan.team == team).with_for_update(of=SamplingPlan))).first()
    return _plan(row) if row is not None else None


_PLANS: Select[*tuple[Any, ...]] = (
    select(*SamplingPlan.__table__.columns, _PERSON)
    .outerjoin(User, User.id == SamplingPlan.changed_by)
    .order_by(SamplingPlan.team)
)


def _plan(row: Row[*tuple[Any, ...]]) -> Plan:
    wish = Wish(row.lots, row.risks, row.least_s, row.heard_only, rules_of(row.rules))
    return Plan(row.id, row.team, wish, row.active, row.since, row.version, row.changed_at, row.person)
