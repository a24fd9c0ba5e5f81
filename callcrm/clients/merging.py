"""Two cards of one person, or of one organisation, become one, and can become two again.

The kept card gets what was chosen of each field, and everything that the other had: numbers, mails, calls,
tasks, notes, consents; of an organisation its people. The other is closed and says where it went. What was
handed over is written down by its keys, so that `undo` gives back exactly that, as long as nobody has handed
it on since; what was changed on the kept card since the merge stays as it is.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require
from callcrm.clients import closing, editing, fields, handing, mails, trail
from callcrm.clients.kinds import COMPANY, PERSON, Kind
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.schema import Base
from callcrm.kernel.writer import Unit

#: A merge can be undone so long.
UNDO_DAYS = 30
#: So many of the newest calls are looked at for those that go on.
_LIVE = 400
#: Both cards' values are kept.
UNITED = ("tags", "addresses")
Side = str


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of two cards: `kept` and `gone` are their values, `side` whose is proposed."""

    field: str
    kept: Any
    gone: Any
    side: Side


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do: fields that differ, and how much is handed over, by table."""

    differences: tuple[Difference, ...]
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that can still be undone until `until`."""

    at: datetime
    id: str
    kept_id: int
    gone_id: int
    until: datetime


async def preview(db: AsyncConnection, actor: Actor, kept_id: int, gone_id: int, kind: Kind = PERSON) -> Preview:
    """What merging `gone_id` into `kept_id` would do. Raises NotFound."""
    require(actor, Right.DELETE_CLIENTS)
    kept, gone = await _card(db, kept_id, kind), await _card(db, gone_id, kind)
    return Preview(differences(kept, gone, kind), await handing.counts(db, kept_id, gone_id, kind))


def differences(kept: Mapping[str, Any], gone: Mapping[str, Any], kind: Kind = PERSON) -> tuple[Difference, ...]:
    """The fields of two cards that say different things, and whose value is proposed: the kept card's if it has one.

    Do not call stays said when either says it. Pure.
    """
    found = []
    for name in kind.chosen:
        if kept[name] != gone[name]:
            side = "gone" if not kept[name] and gone[name] else "kept"
            found.append(Difference(name, kept[name], gone[name], side))
    mine, theirs = kept["custom"] or {}, gone["custom"] or {}
    for key in {**mine, **theirs}:
        if mine.get(key) != theirs.get(key):
            side = "gone" if mine.get(key) is None else "kept"
            found.append(Difference(trail.CUSTOM + key, mine.get(key), theirs.get(key), side))
    return tuple(found)


async def merge(
    unit: Unit,
    actor: Actor,
    kept_id: int,
    gone_id: int,
    *,
    versions: tuple[int, int],
    sides: Mapping[str, Side] | None = None,
    kind: Kind = PERSON,
) -> str:
    """Merge the card `gone_id` into `kept_id`; gives the merge's id, by which it is undone.

    `versions`: those of the kept and of the other card that were compared; Conflict when one is older.
    `sides`: for each field that differs whose value it takes, kept or gone (for the note also both).
    """
    require(actor, Right.DELETE_CLIENTS)
    if kept_id == gone_id:
        raise Invalid("A card cannot be merged with itself.")
    kept, gone = await _card(unit.db, kept_id, kind, lock=True), await _card(unit.db, gone_id, kind, lock=True)
    if (kept["version"], gone["version"]) != versions:
        raise Conflict("One of the two cards was changed meanwhile; compare them again.")
    after = _united(kept, gone, sides or {}, kind)
    before = {name: kept[name] for name in after}
    moved = await handing.hand_over(unit, kept_id, gone_id, kind)
    await _change(unit, kind, kept, after)
    closed = {"deleted_at": unit.now, "merged_into": kept_id, "version": gone["version"] + 1}
    await unit.db.execute(update(kind.table).where(kind.table.id == gone_id).values(closed))
    merge_id = secrets.token_hex(16)
    row = {"at": unit.now, "id": merge_id, "kept_id": kept_id, "gone_id": gone_id, "user_id": actor.user_id}
    await unit.db.execute(insert(kind.merges), row | {"moved": moved, "before": before, "after": after})
    changes = trail.differences(kept, after) | {"merge": (None, {kind.word: gone_id, "id": merge_id})}
    await trail.write(unit, actor, kind.word, kept_id, changes)
    await trail.write(unit, actor, kind.word, gone_id, {"card": (None, {"merged_into": kept_id})})
    await _tell(unit, actor, "merge", kept_id, gone_id, moved, kind)
    return merge_id


async def undo(unit: Unit, actor: Actor, merge_id: str, kind: Kind = PERSON) -> tuple[int, int]:
    """Make two cards of one again; gives their ids, the kept one first.

    Raises NotFound for a merge that is undone already or too old, Conflict where the kept card is gone.
    """
    require(actor, Right.DELETE_CLIENTS)
    merges = kind.merges
    row = (await unit.db.execute(select(merges.__table__).where(merges.id == merge_id))).mappings().first()
    if row is None or row["undone_at"] is not None:
        raise NotFound("This merge was undone already.")
    if row["at"] < unit.now - timedelta(days=UNDO_DAYS):
        raise NotFound(f"A merge can be undone for {UNDO_DAYS} days; this one is older.")
    kept_id, gone_id = row["kept_id"], row["gone_id"]
    kept = await _still_there(unit, kept_id, kind)
    back = {name: row["before"][name] for name, value in row["after"].items() if kept[name] == value}
    await handing.give_back(unit, row["moved"], kept_id, gone_id, kind)
    await _change(unit, kind, kept, back, changed_at=_changed_at(kept, row))
    table = kind.table
    opened = {"deleted_at": None, "merged_into": None, "version": table.version + 1}
    await unit.db.execute(update(table).where(table.id == gone_id, table.merged_into == kept_id).values(opened))
    undone = {"undone_at": unit.now, "undone_by": actor.user_id}
    await unit.db.execute(update(merges).where(merges.id == merge_id).values(undone))
    changes = trail.differences(kept, back) | {"merge": ({kind.word: gone_id, "id": merge_id}, None)}
    await trail.write(unit, actor, kind.word, kept_id, changes)
    await trail.write(unit, actor, kind.word, gone_id, {"card": ({"merged_into": kept_id}, None)})
    await _tell(unit, actor, "undo merge", kept_id, gone_id, row["moved"], kind)
    return kept_id, gone_id


async def last(db: AsyncConnection, actor: Actor, card_id: int, now: datetime, kind: Kind = PERSON) -> Merged | None:
    """The newest merge of this card (kept or gone) that can still be undone."""
    require(actor, Right.CLIENTS)
    merges = kind.merges
    statement = select(merges.at, merges.id, merges.kept_id, merges.gone_id).where(
        or_(merges.kept_id == card_id, merges.gone_id == card_id),
        merges.undone_at.is_(None),
        merges.at >= now - timedelta(days=UNDO_DAYS),
    )
    row = (await db.execute(statement.order_by(merges.at.desc(), merges.id).limit(1))).first()
    return Merged(*row, until=row.at + timedelta(days=UNDO_DAYS)) if row is not None else None


def _united(kept: Mapping[str, Any], gone: Mapping[str, Any], sides: Mapping[str, Side], kind: Kind) -> dict[str, Any]:
    """The kept card's fields that become others by the merge."""
    after: dict[str, Any] = {}
    custom = dict(kept["custom"] or {})
    for one in differences(kept, gone, kind):
        side = sides.get(one.field, one.side)
        if side not in ("kept", "gone", "both") or (side == "both" and one.field != "note"):
            raise Invalid("Choose one of the two values.", {one.field: "choose one of the two values"})
        value = {"kept": one.kept, "gone": one.gone}.get(side)
        if side == "both":
            value = "\n\n".join(text for text in (one.kept, one.gone) if text)[: fields.NOTE_LENGTH]
        if one.field.startswith(trail.CUSTOM):
            custom[one.field.removeprefix(trail.CUSTOM)] = value
        else:
            after[one.field] = value
    after["custom"] = {key: value for key, value in custom.items() if value is not None}
    for name in UNITED:
        after[name] = list(dict.fromkeys([*kept[name], *gone[name]]))
    if gone.get("said_name") and not kept["said_name"]:
        after["said_name"] = gone["said_name"]
    return {name: value for name, value in after.items() if value != kept[name]}


async def _card(db: AsyncConnection, card_id: int, kind: Kind, *, lock: bool = False) -> dict[str, Any]:
    table = kind.table
    statement = select(*table.__table__.columns).where(table.id == card_id, table.deleted_at.is_(None))
    row = (await db.execute(statement.with_for_update() if lock else statement)).mappings().first()
    if row is None:
        raise NotFound(f"There is no such {kind.word}; it may have been deleted or merged meanwhile.")
    return dict(row)


async def _still_there(unit: Unit, kept_id: int, kind: Kind) -> dict[str, Any]:
    try:
        return await _card(unit.db, kept_id, kind, lock=True)
    except NotFound:
        raise Conflict("The card that was kept is gone by now; bring that one back first.") from None


async def _change(unit: Unit, kind: Kind, card: Mapping[str, Any], values: Mapping[str, Any], **more: Any) -> None:
    """Write fields of the kept card; its mails are where they belong already."""
    emails = (await mails.of(unit.db, [card["id"]], organisations=kind.companies)).get(card["id"], [])
    search = kind.search({**card, **values, "emails": emails})
    row = {**values, "search": search, "version": card["version"] + 1, "changed_at": unit.now, **more}
    await unit.db.execute(update(kind.table).where(kind.table.id == card["id"]).values(row))


def _changed_at(kept: Mapping[str, Any], row: Mapping[Any, Any]) -> datetime:
    """When the card was changed last: what the merge said, unless somebody changed it since."""
    before = row["moved"].get("changed_at")
    untouched = kept["changed_at"] == row["at"] and before
    return datetime.fromisoformat(before) if untouched else kept["changed_at"]


async def _tell(  # noqa: PLR0917
    unit: Unit, actor: Actor, act: str, kept_id: int, gone_id: int, moved: Mapping[str, Any], kind: Kind
) -> None:
    for card in (kept_id, gone_id):
        editing.tell(unit, kind, card)
    await _tell_people(unit, actor, act, kept_id, gone_id, moved, kind)
    await _tell_live_calls(unit, moved)
    counts = {name: len(keys) for name, keys in moved.items() if isinstance(keys, list)}
    await audit.write(unit, actor, act, kind.word, kept_id, {"other": gone_id, "rows": counts})


async def _tell_people(  # noqa: PLR0917
    unit: Unit, actor: Actor, act: str, kept_id: int, gone_id: int, moved: Mapping[str, Any], kind: Kind
) -> None:
    """Who went over to another organisation has it on his trail."""
    if kind is not COMPANY:
        return
    was, now = (gone_id, kept_id) if act == "merge" else (kept_id, gone_id)
    await closing.note_moved(unit, actor, [key[0] for key in moved.get("clients", ())], was, now)


async def _tell_live_calls(unit: Unit, moved: Mapping[str, Any]) -> None:
    """Calls that go on belong to another card now: whoever talks sees it."""
    calls = Base.metadata.tables.get("calls")
    ids = [key[-1] for key in moved.get("calls", ())][-_LIVE:]
    if calls is None or not ids:
        return
    live = select(calls.c.id, calls.c.client_id).where(calls.c.id.in_(ids), calls.c.ended_at.is_(None))
    for row in await unit.db.execute(live):
        unit.fact("call.linked", call=row.id, client=row.client_id)
