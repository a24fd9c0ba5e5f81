"""The retention rules as the administrator keeps them: listed, written, put in order, switched on and off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require
from callcrm.custody.law_tables import RetentionRule
from callcrm.custody.terms import Terms
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit

DIRECTIONS = ("", "inbound", "outbound", "internal")
MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its version, which a change must name."""

    terms: Terms
    version: int


async def listed(db: AsyncConnection) -> list[Rule]:
    """The rules in their order."""
    query = select(RetentionRule.__table__).where(RetentionRule.deleted_at.is_(None))
    rows = await db.execute(query.order_by(RetentionRule.place, RetentionRule.id))
    return [Rule(terms_of(row), row["version"]) for row in rows.mappings()]


async def one(db: AsyncConnection, rule_id: int) -> Rule:
    """A rule. Raises NotFound."""
    found = next((rule for rule in await listed(db) if rule.terms.id == rule_id), None)
    if found is None:
        raise NotFound("There is no such rule; it may have been deleted.")
    return found


def terms_of(row: RowMapping) -> Terms:
    """A row's terms."""
    names = ("id", "name", "line", "queue", "trunk", "direction", "tag", "days", "active")
    return Terms(**{name: row[name] for name in names})


def checked(typed: Mapping[str, str], rule_id: int = 0, *, active: bool = False) -> Terms:
    """What was typed, as terms. Invalid names the fields that are wrong."""
    wrong, name = {}, typed.get("name", "").strip()
    if not name or len(name) > 100:
        wrong["name"] = "Give the rule a name, such as “Sales, 90 days”."
    direction = typed.get("direction", "")
    if direction not in DIRECTIONS:
        wrong["direction"] = "A call is inbound, outbound or internal."
    if typed.get("line", "").strip() and direction in ("outbound", "internal"):
        wrong["line"] = "Only a call that came in has a line: leave it out, or choose a trunk."
    days, for_ever = typed.get("days", "").strip(), typed.get("keep") == "ever"
    if not for_ever and not (days.isascii() and days.isdigit() and 0 < int(days[:9]) <= MOST_DAYS):
        wrong["days"] = "Write a whole number of days, at least 1."
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)
    limits = {"line": 80, "queue": 100, "trunk": 80, "tag": 60}
    values = {field: typed.get(field, "").strip()[:most] for field, most in limits.items()}
    return Terms(rule_id, name, direction=direction, days=None if for_ever else int(days), active=active, **values)


async def add(unit: Unit, actor: Actor, typed: Mapping[str, str]) -> int:
    """A new rule, after the others and switched off; its id."""
    require(actor, Right.RETENTION)
    terms = checked(typed)
    place = (await unit.db.execute(select(func.coalesce(func.max(RetentionRule.place), 0)))).scalar_one() + 1
    values = _values(terms) | {"place": place, "active": False, "created_at": unit.now, "changed_at": unit.now}
    made = await unit.db.execute(
        insert(RetentionRule).values(**values, created_by=actor.user_id).returning(RetentionRule.id)
    )
    rule_id: int = made.scalar_one()
    await audit.write(unit, actor, "add", "retention rule", rule_id, {"words": terms.words})
    return rule_id


async def change(unit: Unit, actor: Actor, rule_id: int, typed: Mapping[str, str], version: int) -> None:
    """Other terms; the rule is switched off by it, so that its new preview is looked at first."""
    require(actor, Right.RETENTION)
    terms = checked(typed, rule_id)
    await _write(unit, actor, rule_id, version, _values(terms) | {"active": False})
    await audit.write(unit, actor, "change", "retention rule", rule_id, {"words": terms.words})


async def switch(unit: Unit, actor: Actor, rule_id: int, version: int, *, on: bool) -> None:
    """Let a rule delete, or no longer."""
    require(actor, Right.RETENTION)
    await _write(unit, actor, rule_id, version, {"active": on})
    await audit.write(unit, actor, "switch on" if on else "switch off", "retention rule", rule_id)


async def remove(unit: Unit, actor: Actor, rule_id: int, version: int) -> None:
    """Take a rule away; what it deleted stays in the log under its name."""
    require(actor, Right.RETENTION)
    await _write(unit, actor, rule_id, version, {"active": False, "deleted_at": unit.now})
    await audit.write(unit, actor, "delete", "retention rule", rule_id)


async def move(unit: Unit, actor: Actor, rule_id: int, *, up: bool) -> None:
    """One place up or down: the order decides which rule speaks first."""
    require(actor, Right.RETENTION)
    order = [rule.terms.id for rule in await listed(unit.db)]
    if rule_id not in order:
        raise NotFound("There is no such rule; it may have been deleted.")
    at = order.index(rule_id)
    to = at - 1 if up else at + 1
    if 0 <= to < len(order):
        order[at], order[to] = order[to], order[at]
    for place, each in enumerate(order, 1):
        await unit.db.execute(update(RetentionRule).where(RetentionRule.id == each).values(place=place))
    await audit.write(unit, actor, "move", "retention rule", rule_id)


def _values(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in ("name", "line", "queue", "trunk", "direction", "tag", "days")}


async def _write(unit: Unit, actor: Actor, rule_id: int, version: int, values: dict[str, Any]) -> None:
    stamp = {"version": version + 1, "changed_at": unit.now, "changed_by": actor.user_id}
    here = (RetentionRule.id == rule_id, RetentionRule.version == version, RetentionRule.deleted_at.is_(None))
    changed = await unit.db.execute(
        update(RetentionRule).where(*here).values(**values, **stamp).returning(RetentionRule.id)
    )
    if changed.first() is None:
        await one(unit.db, rule_id)
        raise Conflict("Somebody changed this rule meanwhile; look at it again.")
