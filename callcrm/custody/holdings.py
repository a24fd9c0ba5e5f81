"""Where data of a person lie: every table, how its rows of one person are found, and what erasing him does to them.

A table that is not named here fails a test, so that nothing new is forgotten by person files and erasures.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Table, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.tables import CallRow
from callcrm.clients.tables import Client, ClientNumber
from callcrm.kernel.errors import NotFound
from callcrm.kernel.schema import Base
from callcrm.tasks.tables import Task

By = Literal["client", "call", "task", "number", "evaluation"]
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """A person: his cards (merged ones too), the numbers that are his alone, his calls and tasks, and the scores
    that operators were given for these calls."""

    client_id: int
    clients: tuple[int, ...]
    numbers: tuple[str, ...]
    calls: tuple[str, ...]
    tasks: tuple[int, ...]
    evaluations: tuple[int, ...] = ()

    def keys(self, by: By) -> Sequence[Any]:
        """What rows are found by."""
        known = {"client": self.clients, "call": self.calls, "task": self.tasks, "number": self.numbers}
        return {**known, "evaluation": self.evaluations}[by]


@dataclass(frozen=True, slots=True)
class Holding:
    """A table with data of persons: `found` are columns and what they hold.

    `erase`: delete the rows, blank some columns, or keep them, and `why`. `given`: whether the person gets them, and
    which columns he does not (`hidden`). Of the rows `only` those with these values, and all `but` those with these.
    `inside`: JSON columns of things by key, and what is emptied in each of them.
    """

    found: Mapping[str, By]
    erase: Literal["delete", "blank", "keep"] = "delete"
    blank: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    given: bool = True
    only: Mapping[str, str] = field(default_factory=dict)
    but: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    inside: Mapping[str, str] = field(default_factory=dict)


_CALL: dict[str, By] = {"call_id": "call"}
_CLIENT: dict[str, By] = {"client_id": "client"}
_TASK: dict[str, By] = {"task_id": "task"}
_CARD: dict[str, Any] = {
    "name": "",
    "said_name": "",
    "job": "",
    "language": "",
    "time_zone": "",
    "birthday": "",
    "tags": [],
}
_CARD |= {"addresses": [], "custom": {}, "note": "", "search": "", "organisation_id": None}
_SPOKEN: dict[str, Any] = {
    "client_number": None,
    "client_raw": None,
    "client_id": None,
    "match": None,
    "name": None,
    "note_line": "",
}
_OWED: dict[str, Any] = {
    "title": "Erased",
    "note": "",
    "number": None,
    "client_id": None,
    "snooze_reason": None,
    "closed_reason": None,
}
#: Scores and answers judge the work of an employee and are kept; what people wrote with them may name the client.
_WORK = "it judges the work of an employee; what was written with it is emptied, the score stays"
_EVALUATION: dict[str, By] = {"evaluation_id": "evaluation"}
_PROOF = "it proves who did what, and holds ids only"
_FIGURES = "figures of the sound, without what was said"

HOLDINGS: dict[str, Holding] = {
    "clients": Holding({"id": "client"}, "blank", _CARD, hidden=("search",)),
    "client_numbers": Holding(_CLIENT, hidden=("tail", "backwards")),
    "client_mails": Holding(_CLIENT, hidden=("folded",)),
    "consents": Holding(_CLIENT),
    "card_notes": Holding(_CLIENT),
    "card_changes": Holding({"which": "client"}, only={"what": "client"}),
    "number_choices": Holding(_CLIENT),
    "not_the_same": Holding({"low_id": "client", "high_id": "client"}),
    "merges": Holding({"kept_id": "client", "gone_id": "client"}, "blank", {"before": {}, "after": {}, "moved": {}}),
    "calls": Holding({"id": "call"}, "blank", _SPOKEN),
    "legs": Holding(_CALL, "blank", {"who": None}, but={"side": "operator"}),
    "call_operators": Holding(_CALL, "keep", why="it says which of our phones rang"),
    "call_notes": Holding(_CALL, "blank", {"text": ""}),
    "recordings": Holding(_CALL, "blank", {"file": "erased", "peaks": None}, hidden=("peaks", "check_at")),
    "recording_xrays": Holding(_CALL, "keep", why=_FIGURES, hidden=("talk",)),
    "xrays": Holding(_CALL, "keep", why=_FIGURES),
    "recording_gaps": Holding(_CALL, "keep", why="it says when nothing was recorded"),
    "pins": Holding(_CALL, "blank", {"text": ""}),
    "pops": Holding(_CALL, "keep", why=_PROOF, given=False),
    "dials": Holding(
        {"client_id": "client", "call_id": "call"}, "blank", {"number": "", "name": "", "client_id": None}
    ),
    "commands": Holding(_CALL, "blank", {"args": {}}, given=False),
    "stray_sounds": Holding(_CALL, "delete", given=False),
    "tasks": Holding({"id": "task"}, "blank", _OWED),
    "task_attempts": Holding(_TASK, "keep", why="it says when we tried, and holds ids only"),
    "task_items": Holding(_TASK),
    "task_reminders": Holding(_TASK, given=False),
    "listenings": Holding(_CALL, "keep", why="it proves who heard the recordings"),
    "deletions": Holding(_CALL, "blank", {"file": ""}),
    "coaching_moments": Holding(_CALL, "blank", {"words": ""}, given=False),
    "evaluations": Holding(_CALL, "blank", {"comment": ""}, why=_WORK, given=False, inside={"answers": "comment"}),
    "evaluation_events": Holding(_EVALUATION, "blank", {"said": ""}, why=_WORK, given=False),
    "disputes": Holding(_EVALUATION, "blank", {"said": "", "answer": ""}, why=_WORK, given=False),
    "calibrations": Holding(_CALL, "blank", {"note": ""}, why=_WORK, given=False),
    "sampled_calls": Holding(_CALL, "blank", {"reason": ""}, why=_WORK, given=False),
    "person_files": Holding(_CLIENT, "keep", why="it proves that a request was answered"),
    "erasures": Holding(_CLIENT, "keep", why="it is the proof of this erasure"),
    "legal_holds": Holding({"which": "client"}, "keep", why=_PROOF, only={"what": "client"}),
    "audit": Holding({"which": "client"}, "keep", why=_PROOF, only={"what": "client"}),
}

#: Tables that hold nothing of the people who call, with the reason where it is not plain.
NOTHING: dict[str, str] = {
    "calendar_feeds": "",
    "calibration_graders": "",
    "coaching_given": "",
    "coaching_lists": "",
    "coaching_seen": "",
    "custom_fields": "",
    "facts": "ids only, for some days (journal.facts_days)",
    "kept_sounds": "goes with its sound",
    "links": "",
    "operator_states": "",
    "organisation_merges": "two firms, not a person",
    "organisations": "a firm, not a person",
    "organisations_apart": "two firms, not a person",
    "phones": "",
    "quality_form_versions": "",
    "quality_forms": "",
    "queue_members": "",
    "queues": "",
    "raw_events": "the PBX's own events, which end after some days (journal.days)",
    "reader_positions": "",
    "retention_rules": "",
    "sampling_draws": "",
    "sampling_plans": "",
    "sessions": "",
    "sign_ins": "",
    "standings": "",
    "streams": "",
    "task_acts": "for undoing, until the next one",
    "tokens": "",
    "users": "",
}


async def subject(db: AsyncConnection, client_id: int) -> Subject:
    """Everything by which a person's data are found. Raises NotFound for no such card."""
    cards = [client_id]
    if (await db.execute(select(Client.id).where(Client.id == client_id))).first() is None:
        raise NotFound("There is no such card.")
    for card in cards:  # grows: a card into which others were merged, into which others were
        gone = await db.execute(select(Client.id).where(Client.merged_into == card))
        cards += [other for other in gone.scalars() if other not in cards]
    shared = select(ClientNumber.e164).where(ClientNumber.client_id.not_in(cards) | ClientNumber.client_id.is_(None))
    own = and_(ClientNumber.client_id.in_(cards), ClientNumber.e164 != "", ClientNumber.e164.not_in(shared))
    numbers = list((await db.execute(select(ClientNumber.e164).where(own).distinct())).scalars())
    his = or_(CallRow.client_id.in_(cards), and_(CallRow.client_id.is_(None), CallRow.client_number.in_(numbers)))
    calls = list((await db.execute(select(CallRow.id).where(his).order_by(CallRow.began))).scalars())
    owed = or_(Task.client_id.in_(cards), and_(Task.client_id.is_(None), Task.number.in_(numbers)))
    tasks = list((await db.execute(select(Task.id).where(owed).order_by(Task.id))).scalars())
    scores = await _scores(db, calls)
    return Subject(client_id, tuple(cards), tuple(numbers), tuple(calls), tuple(tasks), tuple(scores))


async def _scores(db: AsyncConnection, calls: Sequence[str]) -> list[int]:
    """The evaluations of these calls: of a slice above this one, so it is met by its name."""
    scored, found = table("evaluations"), list[int]()
    if scored is not None:
        for begin in range(0, len(calls), _CHUNK):
            mine = scored.c.call_id.in_(calls[begin : begin + _CHUNK])
            found += (await db.execute(select(scored.c.id).where(mine).order_by(scored.c.id))).scalars()
    return found


def table(name: str) -> Table | None:
    """A table by its name, where this installation has it."""
    return Base.metadata.tables.get(name)


def conditions(where: Table, holding: Holding, of: Subject) -> Iterator[ColumnElement[bool]]:
    """Conditions under which a table's rows are this person's, in pieces that any database takes."""
    only = [where.c[column] == value for column, value in holding.only.items()]
    only += [where.c[column] != value for column, value in holding.but.items()]
    for column, by in holding.found.items():
        keys = list(of.keys(by))
        if column == "which":
            keys = [_which(where, key) for key in keys]
        for begin in range(0, len(keys), _CHUNK):
            yield and_(where.c[column].in_(keys[begin : begin + _CHUNK]), *only)


def _which(where: Table, key: Any) -> Any:
    """Ids stand in `which` as numbers in the trail of cards, elsewhere as texts."""
    return key if where.name == "card_changes" else str(key)
