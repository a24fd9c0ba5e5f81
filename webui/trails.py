"""Changes of cards in words: what each field was and what it became."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from callcrm.accounts import queries as accounts
from callcrm.clients import definitions, queries
from callcrm.clients.trail import CUSTOM, ChangeLine
from callcrm.kernel.numbers import shown
from webui import facts
from webui.i18n import _
from webui.parts import Parts

#: What can be put back as it was: fields that hold a value of their own.
PLAIN = frozenset(
    {"name", "job", "emails", "addresses", "language", "time_zone", "birthday", "tags", "do_not_call", "note"}
    | {"owner_id", "organisation_id", "number"}
)


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change: `word` the field, `more` what became of it, `href` where it leads.

    `back`: it can be put back as it was; `merge`: the merge that it tells of, to be undone by.
    """

    at: datetime
    id: str
    field: str
    word: str
    more: str
    person: str
    icon: str
    href: str = ""
    back: bool = False
    merge: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What ids in changes are called."""

    people: Mapping[int, str] = field(default_factory=dict)
    clients: Mapping[int, str] = field(default_factory=dict)
    organisations: Mapping[int, str] = field(default_factory=dict)
    fields: Mapping[str, tuple[str, str]] = field(default_factory=dict)


async def views(parts: Parts, lines: Sequence[ChangeLine]) -> list[ChangeView]:
    """Changes in words, in their order."""
    if not lines:
        return []
    names = await _names(parts, lines)
    return [_view(line, names) for line in lines]


async def _names(parts: Parts, lines: Sequence[ChangeLine]) -> Names:
    clients = {one for line in lines for one in _clients(line)}
    houses = {one for line in lines for one in _houses(line)}
    async with parts.database.read() as db:
        everybody = await accounts.people(db, active_only=False)
        persons, companies = await queries.names(db, sorted(clients), sorted(houses))
        own = await definitions.of(db, lines[0].what, deleted=True)
    return Names(
        {person.id: person.shown for person in everybody},
        persons,
        companies,
        {one.key: (one.label, one.kind) for one in own},
    )


def _clients(line: ChangeLine) -> list[int]:
    found = []
    for value in (line.old, line.new):
        if line.field == "person" and isinstance(value, int):
            found.append(value)
        if isinstance(value, dict) and line.what == "client":
            found += [one for one in (value.get("client"), value.get("merged_into")) if isinstance(one, int)]
    return found


def _houses(line: ChangeLine) -> list[int]:
    found = []
    for value in (line.old, line.new):
        if line.field == "organisation_id" and isinstance(value, int):
            found.append(value)
        if isinstance(value, dict) and line.what == "organisation":
            found += [one for one in (value.get("organisation"), value.get("merged_into")) if isinstance(one, int)]
    return found


def _view(line: ChangeLine, names: Names) -> ChangeView:
    special = {"number": _number, "consent": _consent, "person": _person, "merge": _merge, "card": _card}
    if line.field in special:
        return special[line.field](line, names)
    old, new = value_of(line.field, line.old, names), value_of(line.field, line.new, names)
    if old and new:
        more = _("changed from %(old)s to %(new)s") % {"old": _short(old), "new": _short(new)}
    else:
        more = _("now %(new)s") % {"new": _short(new)} if new else _("taken away, was %(old)s") % {"old": _short(old)}
    back = line.field in PLAIN or line.field.startswith(CUSTOM)
    return _made(line, label_of(line.field, names), more, back=back)


def label_of(name: str, names: Names) -> str:
    """What a field of a card is called."""
    if name.startswith(CUSTOM):
        return names.fields.get(name.removeprefix(CUSTOM), (name.removeprefix(CUSTOM), ""))[0]
    return {
        "name": _("Name"), "said_name": _("Name on the line"), "job": _("Role"), "organisation_id": _("Organisation"),
        "owner_id": _("Owner"), "emails": _("E-mail"), "addresses": _("Address"), "language": _("Language"),
        "time_zone": _("Time zone"), "birthday": _("Birthday"), "tags": _("Tags"), "do_not_call": _("Do not call"),
        "note": _("Note"), "number": _("Number"), "consent": _("Consent"), "person": _("Person"), "merge": _("Merge"),
        "card": _("Card"),
    }.get(name, name)  # fmt: skip


def value_of(name: str, value: Any, names: Names) -> str:
    """A field's value as it is read."""
    if value in (None, "", []):
        return ""
    if name.startswith(CUSTOM):
        return facts.own_value(names.fields.get(name.removeprefix(CUSTOM), ("", ""))[1], value)
    if name == "owner_id":
        return names.people.get(value, str(value))
    if name == "organisation_id":
        return names.organisations.get(value, str(value))
    if name == "language":
        return facts.language(str(value))
    if name == "birthday":
        return facts.a_day(str(value))
    if isinstance(value, bool):
        return facts.yes_no(value)
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _number(line: ChangeLine, names: Names) -> ChangeView:
    number = shown(str(line.new or line.old))
    more = _("added: %(what)s") if line.new else _("taken off: %(what)s")
    return _made(line, label_of("number", names), more % {"what": number}, icon="phone", back=True)


def _consent(line: ChangeLine, names: Names) -> ChangeView:
    more = _("given: %(what)s") if line.new else _("taken back: %(what)s")
    return _made(line, label_of("consent", names), more % {"what": line.new or line.old}, icon="badge-check")


def _person(line: ChangeLine, names: Names) -> ChangeView:
    key = line.new or line.old
    more = _("joined: %(who)s") if line.new else _("left: %(who)s")
    who = names.clients.get(key, "") or _("Unknown caller")
    return _made(line, label_of("person", names), more % {"who": who}, icon="user-round", href=f"/clients/{key}")


def _merge(line: ChangeLine, names: Names) -> ChangeView:
    said = line.new or line.old or {}
    key = said.get(line.what, 0)
    if line.what == "organisation":
        who, href = names.organisations.get(key, ""), f"/organisations/{key}"
        more = _("%(who)s was merged into this organisation") if line.new else _("%(who)s stands alone again")
    else:
        who, href = names.clients.get(key, "") or _("Unknown caller"), f"/clients/{key}"
        more = _("%(who)s’s card was merged into this one") if line.new else _("%(who)s’s card stands alone again")
    found = _made(line, label_of("merge", names), more % {"who": who}, icon="merge", href=href)
    return found if line.new is None else replace(found, merge=str(said.get("id", "")))


def _card(line: ChangeLine, names: Names) -> ChangeView:
    said = line.new or line.old
    if isinstance(said, dict):
        into = _into(line, said, names)
        more = _("merged into %(who)s") if line.new else _("stands alone again, apart from %(who)s")
        if line.what == "client":
            more = _("merged into %(who)s’s") if line.new else _("stands alone again, apart from %(who)s’s")
        return _made(line, label_of("card", names), more % {"who": into}, icon="merge")
    return _made(line, label_of("card", names), _("deleted") if line.new else _("restored"), icon="trash")


def _into(line: ChangeLine, said: Mapping[str, Any], names: Names) -> str:
    known = names.organisations if line.what == "organisation" else names.clients
    return known.get(said.get("merged_into", 0), "") or _("Unknown caller")


def _made(
    line: ChangeLine, word: str, more: str, *, icon: str = "rotate-ccw-clock", href: str = "", back: bool = False
) -> ChangeView:
    return ChangeView(line.at, line.id, line.field, word, more, line.person, icon, href, back)


def _short(text: str) -> str:
    """A value in a sentence; a long note is cut."""
    plain = " ".join(text.split())
    return f"“{plain}”" if len(plain) <= 120 else f"“{plain[:119]}…”"
