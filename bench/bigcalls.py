"""Made-up calls for the big data set: some weeks of them with legs, people, recordings and notes, and their like.

Python makes the calls of ten weeks; the database makes nine more such stretches of them, of other clients and with
ids of their own, some hundred thousand rows a second.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.bigpeople import Weighted, note
from bench.bigsounds import looked_through

PBX = "office"
QUEUES = ("sales", "support", "service", "delivery", "billing", "partners")
LINES = tuple(f"+7495000000{n}" for n in range(1, 10))
#: Whole weeks, so that a copy of a Monday is a Monday.
DAYS = 70
COPIES = 9
_HOURS = Weighted([0.1] * 7 + [1, 4, 9, 11, 10, 8, 9, 10, 9, 8, 6, 3, 2, 1, 0.5, 0.3, 0.2])
_WEEK = (1.2, 1.1, 1.0, 1.0, 0.9, 0.35, 0.2)
_DISPOSITIONS = ("Resolved", "Call again", "Order", "Complaint", "Wrong number", None, None)
_WHYS = ("absent", "busy", "offline", "rejected", "closed", "ivr")

Row = dict[str, Any]


@dataclass(slots=True)
class Made:
    """One call with everything that belongs to it; `looked`: a recording's figures of sound, and the call's."""

    call: Row
    legs: list[Row] = field(default_factory=list)
    operators: list[Row] = field(default_factory=list)
    recordings: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    looked: list[tuple[Row, Row]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Office:
    """Who may call and be called: users (id, extension), and each client's first number."""

    users: list[tuple[int, str]]
    numbers: list[str]


def moments(dice: Random, now: datetime, count: int) -> Iterator[datetime]:
    """So many moments of the oldest stretch, ascending: working days and hours are the busy ones."""
    first = (now - timedelta(days=DAYS * (COPIES + 1))).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [first + timedelta(days=n) for n in range(DAYS)]
    weights = [_WEEK[day.weekday()] for day in days]
    share, left = count / sum(weights), 0.0
    for day, weight in zip(days, weights, strict=True):
        left += share * weight
        seconds = sorted(_HOURS.choose(dice) * 3600 + dice.random() * 3600 for _ in range(int(left)))
        left -= int(left)
        yield from (day + timedelta(seconds=one) for one in seconds)


def calls(dice: Random, now: datetime, count: int, office: Office) -> Iterator[Made]:
    """So many calls of the oldest stretch, in their order; a fifth of the clients makes most of them."""
    many = len(office.numbers)
    for n, at in enumerate(moments(dice, now, count)):
        client = int(many * dice.random() ** 3) if dice.random() < 0.9 else dice.randrange(many)
        yield _call(dice, n, at, client, office)


def _call(dice: Random, n: int, at: datetime, client: int, office: Office) -> Made:
    kind = dice.random()
    if kind < 0.03:
        return _internal(dice, _base(dice, n, at, "internal"), office)
    outbound = kind < 0.25
    row = _base(dice, n, at, "outbound" if outbound else "inbound")
    row |= {"client_id": client + 1, "client_number": office.numbers[client], "client_raw": office.numbers[client][1:]}
    row["match"] = {
        "step": "exact",
        "number": office.numbers[client],
        "clients": [client + 1],
        "organisation": None,
        "remembered": False,
    }
    return _outbound(dice, row, office) if outbound else _inbound(dice, row, office)


def _base(dice: Random, n: int, at: datetime, direction: str) -> Row:
    began = at.replace(microsecond=0)
    unique = f"{int(began.timestamp())}.{n}"
    return {
        "began": began,
        "id": f"{dice.getrandbits(120):032x}",
        "pbx": PBX,
        "uniqueid": unique,
        "channel": f"PJSIP/trunk-{n:08x}",
        "direction": direction,
        "at": at,
        "state": "ended",
    }


def _inbound(dice: Random, row: Row, office: Office) -> Made:
    row["called"] = dice.choice(LINES)
    row["queue"] = dice.choice(QUEUES) if dice.random() < 0.8 else None
    rang = dice.sample(office.users, dice.choice((1, 1, 2, 3)))
    wait = round(dice.expovariate(1 / 14) + 2, 3)
    if dice.random() < 0.16:
        made = _end(dice, row, wait, 0.0)
        row |= {"missed": True, "outcome": "missed", "why": dice.choice(_WHYS), "ended_by": "client"}
        row["rang"] = [{"operator": phone, "ring_s": wait, "at": None} for _, phone in rang]
        return _with_parts(made, rang, None, wait, 0.0)
    talk = round(dice.expovariate(1 / 150) + 5, 3)
    user = rang[0]
    made = _end(dice, row, wait, talk)
    row |= {"outcome": "answered", "operator_id": user[0], "ended_by": dice.choice(("client", "operator"))}
    row["rang"] = [{"operator": phone, "ring_s": wait, "at": None} for _, phone in rang]
    row["talks"] = [{"operator": user[1], "talk_s": talk, "at": None}]
    row["disposition"] = dice.choice(_DISPOSITIONS)
    return _written(dice, _with_parts(made, rang, user, wait, talk), user)


def _outbound(dice: Random, row: Row, office: Office) -> Made:
    user = dice.choice(office.users)
    row |= {"operator": user[1], "operator_id": user[0], "called": row["client_number"]}
    answered = dice.random() < 0.7
    wait, talk = round(dice.expovariate(1 / 12) + 3, 3), round(dice.expovariate(1 / 120) + 4, 3) if answered else 0.0
    made = _end(dice, row, wait, talk)
    row["outcome"] = "answered" if answered else dice.choice(("no answer", "busy"))
    row["ended_by"] = dice.choice(("client", "operator"))
    if answered:
        row["talks"] = [{"operator": user[1], "talk_s": talk, "at": None}]
    made = _with_parts(made, [], user, wait, talk)
    return _written(dice, made, user) if answered else made


def _internal(dice: Random, row: Row, office: Office) -> Made:
    caller, called = dice.sample(office.users, 2)
    row |= {"caller": caller[1], "called": called[1], "operator_id": caller[0], "outcome": "answered"}
    return _with_parts(_end(dice, row, 4.0, 60.0), [called], caller, 4.0, 60.0)


def _end(dice: Random, row: Row, wait: float, talk: float) -> Made:
    total = round(wait + talk, 3)
    row |= {"wait_s": wait, "talk_s": talk or None, "total_s": total, "ended_at": row["at"] + timedelta(seconds=total)}
    row["answered_at"] = row["at"] + timedelta(seconds=wait) if talk else None
    row["hold_s"] = round(dice.random() * 90, 1) if talk and dice.random() < 0.1 else None
    return Made(row)


def _with_parts(
    made: Made, rang: list[tuple[int, str]], user: tuple[int, str] | None, wait: float, talk: float
) -> Made:
    row = made.call
    key = {"began": row["began"], "call_id": row["id"]}
    client = {
        "side": "trunk",
        "who": row.get("client_number"),
        "channel": row["channel"],
        "answered_at": row["answered_at"],
    }
    made.legs.append({**key, "n": 0, **client, "at": row["at"], "ring_s": None, "talk_s": talk or None, "cause": 16})
    for n, (who, phone) in enumerate(dict.fromkeys([*rang, *([user] if user else [])]), start=1):
        talked = user is not None and who == user[0]
        leg = {"n": n, "channel": f"PJSIP/{phone}-{n:08x}", "side": "operator", "who": phone, "at": row["at"]}
        leg |= {
            "ring_s": wait,
            "answered_at": row["answered_at"] if talked else None,
            "talk_s": talk if talked else None,
        }
        made.legs.append({**key, **leg, "cause": 16})
        part = {"extension": phone, "user_id": who, "rang": (who, phone) in rang, "answered": talked}
        made.operators.append({**key, **part, "ring_s": wait, "talk_s": talk if talked else None})
    return made


def _written(dice: Random, made: Made, user: tuple[int, str]) -> Made:
    row = made.call
    key = {"began": row["began"], "call_id": row["id"]}
    if dice.random() < 0.5:
        file = {"pbx": PBX, "file": f"{row['uniqueid']}.wav", "state": "missing", "cause": "", "seconds": row["talk_s"]}
        made.recordings.append({**key, "n": 0, **file, "channels": 2, "xrayed_at": row["ended_at"]})
        made.looked.append(looked_through(row))
    if dice.random() < 0.25:
        text = note(dice)
        row["note_line"] = text[:200]
        saved = {"user_id": user[0], "text": text, "disposition": row.get("disposition")}
        made.notes.append({**key, **saved, "version": 3, "changed_at": row["ended_at"]})
    return made


def copies(columns: dict[str, list[str]], clients: int) -> Iterator[tuple[str, dict[str, int | str]]]:
    """Statements that make the later stretches, with their values, from the columns of each table."""
    for copy in range(1, COPIES + 1):
        values: dict[str, int | str] = {"days": f"+{DAYS * copy} days", "copy": copy}
        values |= {"clients": clients, "step": copy * (clients // (3 * COPIES) or 1)}
        for table, names in columns.items():
            forms = [_COPIED.get(name, _MOVED if name in _MOMENTS else "c.{0}") for name in names]
            source = ", ".join(form.format(name) for form, name in zip(forms, names, strict=True))
            who = f"LEFT JOIN first_numbers f ON f.client_id = {_CLIENT}" if table == "calls" else ""
            chosen = f"FROM {table} c {who} WHERE c.began < :end ORDER BY c.began"
            yield f"INSERT INTO {table} SELECT {source} {chosen}", values


_MOMENTS = ("began", "at", "answered_at", "ended_at", "changed_at", "made_at", "xrayed_at")
_MOVED = "strftime('%Y-%m-%d %H:%M:%f000', c.{0}, :days)"
#: Another client: shifted by a step, so that those who call often stay few.
_CLIENT = "(c.client_id - 1 + :step) % :clients + 1"
_ID = "printf('%02x', :copy) || substr(c.{0}, 3)"
_COPIED = {
    "id": _ID,
    "call_id": _ID,
    "uniqueid": "CASE WHEN c.uniqueid = '' THEN '' ELSE strftime('%s', c.began, :days) || '.' || :copy || c.rowid END",
    "client_id": _CLIENT,
    "client_number": "f.e164",
    "client_raw": "substr(f.e164, 2)",
    "match": "CASE WHEN c.client_id IS NOT NULL THEN json_object('step', 'exact', 'number', f.e164, "
    f"'clients', json_array({_CLIENT}), 'organisation', NULL, 'remembered', json('false')) END",
}
