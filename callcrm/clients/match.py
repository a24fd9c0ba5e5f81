"""Whose number is this: a ladder from certain to maybe, with the reason kept. Pure.

exact     the same E.164;
national  the same national digits, where one of the two was written without its country;
maybe     one number ends as the other and is shorter, or they differ in the country only: never taken
          for granted, offered to choose from.

Each step is taken only where the one above found nobody. A number may be of several people
(directly, or as a number of their organisation): all are told, and what somebody chose
earlier for this number is remembered.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from callcrm.kernel.numbers import TAIL, Number

#: So many people of one number are offered to choose from.
MOST = 20
#: Steps of numbers by which nobody is to be known.
NOBODY = ("own", "extension", "anonymous", "none")
_SHORTEST = 6


@dataclass(frozen=True, slots=True)
class Known:
    """A number in the book, and whose it is: a person's or an organisation's."""

    e164: str
    national: str
    client_id: int | None = None
    organisation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """Who a call's number belongs to, and why we think so.

    `step`: exact, national, maybe (see above); chosen (a person said so); new (a card was opened);
    own, extension, anonymous, none (nobody is to be known by it). `clients`: all whose it may be.
    """

    step: str
    number: str = ""
    client_id: int | None = None
    clients: tuple[int, ...] = ()
    organisation_id: int | None = None
    remembered: bool = False
    chosen_by: int | None = None

    @property
    def chosen(self) -> bool:
        """Whether a person said who it is for this very call: no machine may change that."""
        return self.step == "chosen"

    def data(self) -> dict[str, Any]:
        """What is stored beside the call; `read` takes it back."""
        return {
            "step": self.step,
            "number": self.number,
            "clients": list(self.clients),
            "organisation": self.organisation_id,
            "remembered": self.remembered,
            "chosen": self.chosen,
            "chosen_by": self.chosen_by,
        }


def read(data: Mapping[str, Any] | None, client_id: int | None) -> Match | None:
    """The match that was stored as `data`, with the client that the call is linked to."""
    if not data:
        return None
    return Match(
        step=data.get("step", "none"),
        number=data.get("number", ""),
        client_id=client_id,
        clients=tuple(data.get("clients", ())),
        organisation_id=data.get("organisation"),
        remembered=bool(data.get("remembered")),
        chosen_by=data.get("chosen_by"),
    )


def ladder(
    number: Number,
    known: Iterable[Known],
    people: Mapping[int, Sequence[int]] | None = None,
    remembered: int | None = None,
) -> Match:
    """Climb down the ladder with the numbers in the book.

    `people`: the persons of each organisation; `remembered`: who this number was last said to be.
    """
    if not number.key:
        return Match(number.kind if number.kind in NOBODY else "none")
    book = list(known)
    for step, fits in _STEPS:
        hits = [entry for entry in book if fits(number, entry)]
        if hits:
            return _among(step, number, hits, people or {}, remembered)
    return Match("none", number.key, remembered, (), None, remembered is not None)


def _among(
    step: str, number: Number, hits: Sequence[Known], people: Mapping[int, Sequence[int]], remembered: int | None
) -> Match:
    persons = _once(hit.client_id for hit in hits)
    organisations = _once(hit.organisation_id for hit in hits)
    everybody = _once([*persons, *(person for one in organisations for person in people.get(one, ()))])
    found = Match(step, number.key, None, everybody[:MOST], organisations[0] if organisations else None)
    certain = step != "maybe"
    if certain and len(everybody) == 1 and remembered in (None, *everybody):
        return replace(found, client_id=everybody[0])
    if remembered is not None and (len(persons) != 1 or remembered in everybody or not certain):
        return replace(found, client_id=remembered, remembered=True)
    return replace(found, client_id=everybody[0]) if certain and len(everybody) == 1 else found


def _once(ids: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(one for one in ids if one is not None))


def _exact(number: Number, entry: Known) -> bool:
    return bool(number.e164) and number.e164 == entry.e164


def _national(number: Number, entry: Known) -> bool:
    same = number.national == entry.national and len(number.national) >= _SHORTEST
    return same and not (number.e164 and entry.e164)


def _ends_alike(number: Number, entry: Known) -> bool:
    short, long = sorted((number.national, entry.national), key=len)
    return len(short) >= TAIL and long.endswith(short)


_STEPS: tuple[tuple[str, Callable[[Number, Known], bool]], ...] = (
    ("exact", _exact),
    ("national", _national),
    ("maybe", _ends_alike),
)
