"""Lists of moments to learn from: made of calls or of comments pinned to them, given to operators.

Who scores calls makes lists: a list is changed by who made it, or by who sees everything. Its moments are of calls
that he sees; whoever it is given to hears these seconds, whosever calls they are (`coached` reads them).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update

from callcrm.accounts.policy import Actor, Right, require, scope, visible_calls
from callcrm.accounts.tables import User
from callcrm.calls import pins
from callcrm.calls.notes import clean
from callcrm.calls.pins import PinLine
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit
from callcrm.quality.sampling_tables import CoachingGiven, CoachingList, CoachingMoment

TITLE, NOTE, WORDS = 120, 2000, 500
MOST_MOMENTS = 60
SHORTEST_S, LONGEST_S = 1.0, 300.0
#: A comment on one moment becomes the stretch from so long before it to so long after.
BEFORE_S, AFTER_S = 3.0, 15.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds of a call's recording, counted from its beginning."""

    call_id: str
    n: int
    from_s: float
    to_s: float


async def make(unit: Unit, actor: Actor, title: str, note: str = "") -> int:
    """A new, empty list; gives its id."""
    require(actor, Right.SCORE)
    row = {"title": _title(title), "note": _note(note), "made_by": actor.user_id, "made_at": unit.now}
    list_id = (await unit.db.execute(insert(CoachingList).values(row).returning(CoachingList.id))).scalar_one()
    await audit.write(unit, actor, "add", "coaching list", list_id)
    return int(list_id)


async def change(unit: Unit, actor: Actor, list_id: int, title: str, note: str, *, version: int) -> int:
    """Another title or note; gives the new version. Raises Conflict when somebody changed it meanwhile."""
    held = await _list(unit, actor, list_id)
    if held.version != version:
        raise Conflict("Somebody else changed this list meanwhile; look again.", held.version)
    await _set(unit, list_id, title=_title(title), note=_note(note), version=version + 1)
    await audit.write(unit, actor, "change", "coaching list", list_id)
    _fact(unit, list_id)
    return version + 1


async def put_away(unit: Unit, actor: Actor, list_id: int) -> None:
    """Show a list to nobody any more; `bring_back` undoes it."""
    await _list(unit, actor, list_id)
    await _set(unit, list_id, put_away_at=unit.now)
    await audit.write(unit, actor, "put away", "coaching list", list_id)
    _fact(unit, list_id)


async def bring_back(unit: Unit, actor: Actor, list_id: int) -> None:
    """Show a list again."""
    await _list(unit, actor, list_id)
    await _set(unit, list_id, put_away_at=None)
    await audit.write(unit, actor, "bring back", "coaching list", list_id)
    _fact(unit, list_id)


async def add_moment(
    unit: Unit, actor: Actor, list_id: int, stretch: Stretch, words: str = "", *, pin_id: int | None = None
) -> int:
    """Put a stretch of a call at a list's end; gives the moment's id.

    Raises NotFound for a list that is not the actor's, or a recording that he may not hear; Invalid for seconds that
    are not there, and for a list that is full.
    """
    await _list(unit, actor, list_id)
    began, seconds = await _recording(unit, actor, stretch)
    from_s, to_s = _bounds(stretch, seconds)
    place, held = await _last(unit, list_id)
    if held >= MOST_MOMENTS:
        raise Invalid(f"A list has at most {MOST_MOMENTS} moments; begin another one.", {"list": "full"})
    row = {"list_id": list_id, "place": place + 1, "began": began, "call_id": stretch.call_id, "n": stretch.n}
    row |= {"from_s": from_s, "to_s": to_s, "words": _words(words), "pin_id": pin_id}
    row |= {"added_by": actor.user_id, "added_at": unit.now}
    made = await unit.db.execute(insert(CoachingMoment).values(row).returning(CoachingMoment.id))
    moment_id = int(made.scalar_one())
    await audit.write(unit, actor, "add", "coaching moment", moment_id, {"list": list_id, "call": stretch.call_id})
    _fact(unit, list_id)
    return moment_id


async def add_pins(unit: Unit, actor: Actor, list_id: int, pin_ids: Collection[int]) -> list[int]:
    """Put the moments of comments at a list's end, in the order of the sound; gives the moments' ids."""
    found = sorted((await pins.by_id(unit.db, actor, pin_ids)).values(), key=lambda pin: (pin.call_id, pin.n, pin.at_s))
    if len(found) != len(set(pin_ids)):
        raise NotFound("One of these comments is gone, or not yours to see.")
    return [await add_moment(unit, actor, list_id, around(pin), pin.text[:WORDS], pin_id=pin.id) for pin in found]


def around(pin: PinLine) -> Stretch:
    """The stretch that a comment is heard in: its own, or some seconds around its moment."""
    end = pin.until_s if pin.until_s is not None and pin.until_s > pin.at_s else pin.at_s + AFTER_S
    return Stretch(pin.call_id, pin.n, max(0.0, pin.at_s - BEFORE_S), end)


async def change_moment(unit: Unit, actor: Actor, moment_id: int, span: tuple[float, float], words: str) -> None:
    """Other seconds (from, to) of the same recording, or other words."""
    row = await _moment(unit, actor, moment_id)
    stretch = Stretch(row.call_id, row.n, *span)
    _began, seconds = await _recording(unit, actor, stretch)
    begin, end = _bounds(stretch, seconds)
    its = update(CoachingMoment).where(CoachingMoment.id == moment_id)
    await unit.db.execute(its.values(from_s=begin, to_s=end, words=_words(words)))
    await audit.write(unit, actor, "change", "coaching moment", moment_id)
    _fact(unit, row.list_id)


async def move(unit: Unit, actor: Actor, moment_id: int, *, up: bool) -> None:
    """Change places with the moment before (`up`) or after; at the end of the list nothing happens."""
    row = await _moment(unit, actor, moment_id)
    beside = CoachingMoment.place < row.place if up else CoachingMoment.place > row.place
    order = CoachingMoment.place.desc() if up else CoachingMoment.place
    its = (CoachingMoment.list_id == row.list_id, CoachingMoment.removed_at.is_(None), beside)
    other = (
        await unit.db.execute(select(CoachingMoment.id, CoachingMoment.place).where(*its).order_by(order).limit(1))
    ).first()
    if other is not None:
        for key, place in ((moment_id, other.place), (other.id, row.place)):
            await unit.db.execute(update(CoachingMoment).where(CoachingMoment.id == key).values(place=place))
        _fact(unit, row.list_id)


async def remove(unit: Unit, actor: Actor, moment_id: int) -> None:
    """Take a moment out of its list; `restore` puts it back at its place."""
    row = await _moment(unit, actor, moment_id)
    await _turn(unit, actor, moment_id, "remove", unit.now)
    _fact(unit, row.list_id)


async def restore(unit: Unit, actor: Actor, moment_id: int) -> None:
    """Put a moment back that was taken out."""
    row = await _moment(unit, actor, moment_id)
    await _turn(unit, actor, moment_id, "restore", None)
    _fact(unit, row.list_id)


async def give(unit: Unit, actor: Actor, list_id: int, user_ids: Collection[int]) -> int:
    """Let people listen to a list; gives how many have it anew.

    Raises Invalid for who is not there, or not of the supervisor's team, and for an empty list.
    """
    await _list(unit, actor, list_id)
    _place, held = await _last(unit, list_id)
    if not held:
        raise Invalid("There is nothing to hear in this list yet; add a moment first.", {"people": "an empty list"})
    people = select(User.id).where(User.id.in_(list(user_ids)), User.active)
    if scope(actor) == "team":
        people = people.where(User.team == actor.team)
    known = set((await unit.db.execute(people)).scalars())
    if not user_ids or known != set(user_ids):
        raise Invalid("Choose people from the list.", {"people": "choose people from the list"})
    has = select(CoachingGiven.user_id).where(CoachingGiven.list_id == list_id)
    new = sorted(known - set((await unit.db.execute(has)).scalars()))
    given = {"list_id": list_id, "given_by": actor.user_id, "given_at": unit.now}
    await upsert(unit.db, CoachingGiven, [{**given, "user_id": user_id} for user_id in new])
    await audit.write(unit, actor, "give", "coaching list", list_id, {"to": new})
    for user_id in new:
        _fact(unit, list_id, "given", user_id)
    return len(new)


async def take_back(unit: Unit, actor: Actor, list_id: int, user_id: int) -> None:
    """Somebody is not to listen to it any more; what he heard stays noted."""
    await _list(unit, actor, list_id)
    its = (CoachingGiven.list_id == list_id, CoachingGiven.user_id == user_id)
    await unit.db.execute(delete(CoachingGiven).where(*its))
    await audit.write(unit, actor, "take back", "coaching list", list_id, {"from": user_id})
    _fact(unit, list_id, "taken_back", user_id)


def may_change(actor: Actor, made_by: int) -> bool:
    """Whether a list of this maker is the actor's to change."""
    return made_by == actor.user_id or scope(actor) == "all"


async def _list(unit: Unit, actor: Actor, list_id: int) -> Row[*tuple[Any, ...]]:
    require(actor, Right.SCORE)
    columns = (CoachingList.id, CoachingList.made_by, CoachingList.version)
    its: Select[*tuple[Any, ...]] = select(*columns).where(CoachingList.id == list_id).with_for_update()
    row = (await unit.db.execute(its)).first()
    if row is None:
        raise NotFound("There is no such coaching list.")
    if not may_change(actor, row.made_by):
        raise NotAllowed("This list is somebody else's; make one of your own.")
    return row


async def _moment(unit: Unit, actor: Actor, moment_id: int) -> Row[*tuple[Any, ...]]:
    require(actor, Right.SCORE)
    columns = (CoachingMoment.list_id, CoachingMoment.place, CoachingMoment.call_id, CoachingMoment.n)
    its: Select[*tuple[Any, ...]] = select(*columns).where(CoachingMoment.id == moment_id)
    row = (await unit.db.execute(its)).first()
    if row is None:
        raise NotFound("There is no such moment.")
    await _list(unit, actor, row.list_id)
    return row


async def _recording(unit: Unit, actor: Actor, stretch: Stretch) -> tuple[datetime, float | None]:
    require(actor, Right.LISTEN)
    part = (CallRow.began == CallRecording.began) & (CallRow.id == CallRecording.call_id)
    statement: Select[*tuple[Any, ...]] = select(CallRow.began, CallRecording.seconds).join(CallRow, part)
    this = statement.where(CallRecording.call_id == stretch.call_id, CallRecording.n == stretch.n)
    row = (await unit.db.execute(visible_calls(actor, this))).first()
    if row is None:
        raise NotFound("There is no such recording, or it is not yours to hear.")
    return row.began, row.seconds


def _bounds(stretch: Stretch, seconds: float | None) -> tuple[float, float]:
    begin = max(0.0, stretch.from_s)
    end = stretch.to_s if seconds is None else min(stretch.to_s, seconds)
    if seconds is not None and begin >= seconds:
        raise Invalid("The recording ends before this second.", {"from": "after the recording's end"})
    if end - begin < SHORTEST_S and (seconds is None or seconds - begin >= SHORTEST_S or end <= begin):
        raise Invalid("A moment ends after it begins, a second later at least.", {"to": "later than its beginning"})
    if end - begin > LONGEST_S:
        raise Invalid(
            f"A moment lasts at most {LONGEST_S / 60:g} minutes; make two of it.",
            {"to": f"at most {LONGEST_S / 60:g} minutes later"},
        )
    return round(begin, 2), round(end, 2)


async def _last(unit: Unit, list_id: int) -> tuple[int, int]:
    """The last place of a list, and how many moments it has."""
    its = select(func.coalesce(func.max(CoachingMoment.place), 0)).where(CoachingMoment.list_id == list_id)
    held = select(func.count()).where(CoachingMoment.list_id == list_id, CoachingMoment.removed_at.is_(None))
    return int((await unit.db.execute(its)).scalar_one()), int((await unit.db.execute(held)).scalar_one())


async def _turn(unit: Unit, actor: Actor, moment_id: int, act: str, removed_at: datetime | None) -> None:
    its = update(CoachingMoment).where(CoachingMoment.id == moment_id)
    await unit.db.execute(its.values(removed_at=removed_at))
    await audit.write(unit, actor, act, "coaching moment", moment_id)


def _fact(unit: Unit, list_id: int, act: str = "changed", user: int | None = None) -> None:
    unit.fact("coaching.changed", list=list_id, user=user, act=act)


async def _set(unit: Unit, list_id: int, **values: Any) -> None:
    await unit.db.execute(update(CoachingList).where(CoachingList.id == list_id).values(values))


def _title(text: str) -> str:
    said = clean(text).strip()
    if not said or len(said) > TITLE:
        raise Invalid("Give the list a name.", {"title": f"some words, at most {TITLE} characters"})
    return said


def _note(text: str) -> str:
    said = clean(text).strip()
    if len(said) > NOTE:
        raise Invalid(f"At most {NOTE} characters.", {"note": f"at most {NOTE} characters"})
    return said


def _words(text: str) -> str:
    said = clean(text).strip()
    if len(said) > WORDS:
        raise Invalid(f"At most {WORDS} characters.", {"words": f"at most {WORDS} characters"})
    return said
