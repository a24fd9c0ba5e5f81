"""Columns of files with clients: what they may be called, and what of a card stands in each.

The administrator's own fields are columns by their labels (or keys); those of the organisation have
"organisation: " before it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.clients import definitions, sheets
from callcrm.clients.custom import Definition, as_typed
from callcrm.kernel.errors import Invalid

#: What a column may be called, in folded case; the first name is ours.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "full name", "client", "имя", "фио", "клиент", "контакт"),
    "organisation": ("organisation", "organization", "company", "организация", "компания"),
    "numbers": ("numbers", "number", "phone", "phones", "telephone", "mobile", "телефон", "телефоны", "номер"),
    "emails": ("emails", "email", "e-mail", "e-mails", "mail", "почта"),
    "job": ("job", "position", "title", "должность"),
    "language": ("language", "язык"),
    "time_zone": ("time_zone", "time zone", "часовой пояс"),
    "birthday": ("birthday", "date of birth", "birth date", "день рождения", "дата рождения"),
    "addresses": ("addresses", "address", "адрес", "адреса"),
    "tags": ("tags", "tag", "метки"),
    "note": ("note", "notes", "comment", "заметка", "комментарий"),
    "owner": ("owner", "responsible", "ответственный"),
    "do_not_call": ("do_not_call", "do not call", "не звонить"),
    "consents": ("consents", "consent", "согласия", "согласие"),
}
PLAIN = ("name", "job", "language", "time_zone", "birthday", "note")
_THEIRS = "organisation: "


@dataclass(frozen=True, slots=True)
class Own:
    """The administrator's fields, of persons and of organisations."""

    persons: tuple[Definition, ...] = ()
    organisations: tuple[Definition, ...] = ()

    def names(self) -> dict[str, str]:
        """What each of their columns may be called, in folded case, and how a row calls it."""
        found: dict[str, str] = {}
        for one in self.organisations:
            for name in (one.key, one.label):
                found[_THEIRS + name.casefold()] = f"organisation.{one.key}"
        for one in self.persons:
            found |= {one.key: f"custom.{one.key}", one.label.casefold(): f"custom.{one.key}"}
        return found

    def head(self) -> list[str]:
        """The columns of a file that is written."""
        return [one.label for one in self.persons] + [_THEIRS + one.label for one in self.organisations]

    def cells(self, person: Mapping[str, Any], organisation: Mapping[str, Any]) -> list[str]:
        """The values of one person and of his organisation, under `head`."""
        cells = [as_typed(person.get(one.key)) for one in self.persons]
        return cells + [as_typed(organisation.get(one.key)) for one in self.organisations]


async def own(db: AsyncConnection) -> Own:
    """The administrator's fields as they are now."""
    persons, organisations = await definitions.of(db, "client"), await definitions.of(db, "organisation")
    return Own(tuple(persons), tuple(organisations))


def rows(path: Path, fields: Own) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row as column → text, with its line in the file."""
    cells = sheets.read(path)
    head = next(cells, None)
    if head is None:
        raise Invalid(f"{path.name} is empty; its first row must name the columns: {', '.join(COLUMNS)}.")
    names = fields.names() | {other: ours for ours, others in COLUMNS.items() for other in others}
    columns = [names.get(cell.casefold().strip()) for cell in head]
    if "name" not in columns and "numbers" not in columns:
        raise Invalid(f"{path.name} has no column name or numbers; its first row must name them.")
    for line, row in enumerate(cells, start=2):
        found: dict[str, str] = {}
        for column, cell in zip(columns, row, strict=False):
            if column and cell:
                found[column] = f"{found[column]}, {cell}" if column in found else cell
        yield line, found


def under(row: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The row's values of own fields, by their keys: `prefix` is custom. or organisation."""
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}


def cells_of(
    card: Mapping[Any, Any], numbers: Sequence[str], emails: Sequence[str], fields: Own, more: Mapping[str, str]
) -> list[str]:
    """A card as a row of the file; `more` are cells of what is kept beside it."""
    found = {name: str(card[name] or "") for name in (*PLAIN, "organisation", "owner")}
    found["numbers"] = ", ".join(numbers)
    found["emails"] = ", ".join(emails)
    found["addresses"] = "\n".join(card["addresses"])
    found["tags"] = ", ".join(card["tags"])
    found["do_not_call"] = "yes" if card["do_not_call"] else ""
    found |= more
    return [found[name] for name in COLUMNS] + fields.cells(card["custom"] or {}, card["theirs"] or {})
