"""The two kinds of cards, persons and organisations, and what differs between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from callcrm.clients import fields
from callcrm.clients.tables import (
    Client,
    Merge,
    NotTheSame,
    Organisation,
    OrganisationMerge,
    OrganisationsApart,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between persons and organisations.

    `word` is what trails, audits and facts call a card; `column` by which other tables know one. `chosen`: fields of
    which a merge takes one card's value; `merges` and `apart`: where merges, and pairs that are no pair, are kept.
    """

    word: str
    column: str
    table: type[Client] | type[Organisation]
    rules: Mapping[str, fields.Check]
    search: Callable[[Mapping[str, Any]], str]
    chosen: tuple[str, ...]
    merges: type[Merge] | type[OrganisationMerge]
    apart: type[NotTheSame] | type[OrganisationsApart]

    @property
    def companies(self) -> bool:
        """Whether these are organisations."""
        return self.table is Organisation


PERSON = Kind(
    "client",
    "client_id",
    Client,
    fields.CLIENT,
    fields.client_search,
    ("name", "job", "organisation_id", "owner_id", "language", "time_zone", "birthday", "note", "do_not_call"),
    Merge,
    NotTheSame,
)
COMPANY = Kind(
    "organisation",
    "organisation_id",
    Organisation,
    fields.ORGANISATION,
    fields.organisation_search,
    ("name", "owner_id", "note"),
    OrganisationMerge,
    OrganisationsApart,
)
KINDS: Mapping[str, Kind] = {one.word: one for one in (PERSON, COMPANY)}
