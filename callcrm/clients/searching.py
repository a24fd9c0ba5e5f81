"""Finding people and organisations by any part of their names and by their numbers in any spelling.

Numbers are found whole, by their beginning (with or without country code and the 8 or 0 that is dialled before it),
by the beginning of their last seven digits and by their end: each is a range of an index. A masked account finds
whole numbers only: digit by digit it would learn what it may not see.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, false, literal, or_, select, union, union_all

from callcrm.clients.tables import Client, ClientNumber, Organisation
from callcrm.kernel import fulltext
from callcrm.kernel.numbers import Number, parse

_DIGITS = re.compile(r"^\+?[\d\s().\u2010-\u2015\u2212/-]{2,}$")
_FEWEST = 3
_FEWEST_OF_TAIL = 4
#: Numbers that one spelling may mean at most, in a list.
_CROWD = 5000
#: Cards that are looked at closely, to put the best of them first.
CANDIDATES = 200
EXACT, BEGINS, LOCAL, ENDS = range(4)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A card that fits: `rank` orders kinds of fitting, the best lowest."""

    id: int
    rank: int
    text: str = ""


def is_number(typed: str) -> bool:
    """Whether something typed is meant as (part of) a number."""
    return bool(_DIGITS.match(typed.strip())) and any(c.isdigit() for c in typed)


def ways(typed: str, country: str, *, masked: bool = False) -> list[tuple[int, ColumnElement[bool]]]:
    """How numbers may fit what was typed: the rank of each way, the best first, and its condition on the table."""
    number = parse(typed, country)
    found: list[tuple[int, ColumnElement[bool]]] = []
    if number.key:
        found.append((EXACT, _whole(number)))
    digits = re.sub(r"\D", "", typed)
    if masked or len(digits) < _FEWEST:
        return found
    if typed.strip().startswith("+") or digits.startswith("00"):
        found.append((BEGINS, _begins(ClientNumber.e164, "+" + digits.removeprefix("00"))))
        return found
    found.append((BEGINS, _begins(ClientNumber.national, digits)))
    found.append((BEGINS, _begins(ClientNumber.e164, "+" + digits)))
    if digits[0] in "08" and len(digits) > _FEWEST:
        found.append((BEGINS, _begins(ClientNumber.national, digits[1:])))
    if len(digits) >= _FEWEST_OF_TAIL:
        found.append((LOCAL, _begins(ClientNumber.tail, digits)))
    found.append((ENDS, _begins(ClientNumber.backwards, digits[::-1])))
    return found


def _whole(number: Number) -> ColumnElement[bool]:
    if number.e164:
        # One that was typed without its country is kept by its national digits alone.
        local = and_(ClientNumber.e164 == "", ClientNumber.national == number.national)
        return or_(ClientNumber.e164 == number.e164, local)
    return ClientNumber.national == number.national


def _begins(column: Any, digits: str) -> ColumnElement[bool]:
    """A range of the column's index, in whatever order a locale has signs: it is told by digits alone."""
    last = digits.rstrip("9")
    above = last[:-1] + str(int(last[-1]) + 1) if last[-1:].isdigit() else "a"
    return and_(column >= digits, column < above)


def holders(typed: str, country: str, *, masked: bool, limit: int) -> CompoundSelect[Any] | None:
    """Whose number fits: `client_id` or `organisation_id`, `rank`, `e164`; at most `limit` for each way."""
    parts = []
    for rank, condition in ways(typed, country, masked=masked):
        columns = (ClientNumber.client_id, ClientNumber.organisation_id, literal(rank).label("rank"), ClientNumber.e164)
        part = select(*columns).where(condition)
        parts.append(select(part.limit(limit).subquery()))
    return union_all(*parts) if parts else None


def by_number(typed: str, country: str, *, masked: bool) -> ColumnElement[bool]:
    """The condition on clients that their number, or their organisation's, fits what was typed."""
    found = holders(typed, country, masked=masked, limit=_CROWD)
    if found is None:
        return false()
    whose = found.cte("whose")
    people = select(whose.c.client_id).where(whose.c.client_id.is_not(None))
    companies = select(whose.c.organisation_id).where(whose.c.organisation_id.is_not(None))
    theirs = select(Client.id).where(Client.organisation_id.in_(companies))
    return Client.id.in_(union(people, theirs))


def listed(
    statement: Select[*tuple[Any, ...]], q: str, country: str, dialect: str, *, masked: bool
) -> Select[*tuple[Any, ...]]:
    """A select of clients narrowed to those whom `q` means: every word of it, or the number that it is."""
    if is_number(q):
        return statement.where(by_number(q, country, masked=masked))
    if not q.strip():
        return statement
    words = fulltext.words_of(q)
    numbers = [word for word in words if is_number(word)]
    names = fulltext.named(fulltext.CLIENTS, [word for word in words if word not in numbers], dialect)
    if names is None:
        return statement.where(by_number(numbers[0], country, masked=masked) if numbers else false())
    statement = statement.join(fulltext.CLIENTS, fulltext.CLIENTS.c.rowid == Client.id).where(*names)
    for word in numbers:
        said = fulltext.CLIENTS.c.text.contains(f" {word}", autoescape=True)
        statement = statement.where(or_(by_number(word, country, masked=masked), said))
    return statement


def organisations(q: str, dialect: str) -> ColumnElement[bool]:
    """The condition on organisations that every word of `q` is in the name."""
    words = fulltext.words_of(q)
    names = fulltext.named(fulltext.ORGANISATIONS, words, dialect)
    if names is None:
        return Organisation.search == fulltext.folded(q)
    return Organisation.id.in_(select(fulltext.ORGANISATIONS.c.rowid).where(*names))
