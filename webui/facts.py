"""The facts of a card that are changed in place: what each is now, how it is typed, and what was typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from babel.dates import format_date

from callcrm.clients.custom import Definition, as_typed
from callcrm.clients.trail import CUSTOM
from webui import i18n
from webui.cards import AnyCard, CardView
from webui.i18n import _

Options = tuple[tuple[str, str], ...]
People = Sequence[tuple[int, str]]
#: Languages that are offered first.
LANGUAGES = ["ar", "az", "be", "de", "en", "es", "fr", "he", "hy", "it", "ka", "kk", "ky", "pl", "ro", "ru", "tg"]
LANGUAGES += ["tr", "uk", "uz", "zh"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: `value` as it is typed, `shown` as it is read; `kind`: text, lines, date, number, choice.

    `was`: the value that the person saw when he began to type; `hints`: offered, but others may be typed.
    """

    name: str
    label: str
    value: str
    shown: str
    kind: str = "text"
    options: Options = ()
    hints: Options = ()
    help: str = ""
    required: bool = False
    editing: bool = False
    bad: str = ""
    was: str = ""


def of(card: AnyCard, people: People) -> list[Fact]:
    """What stands on the right of a card, in this order."""
    found = _of_client(card, people) if isinstance(card, CardView) else _of_company(card, people)
    found += [_own(one, card.custom.get(one.key)) for one in card.fields]
    return [replace(one, was=one.value) for one in found]


def labels(card: AnyCard) -> dict[str, str]:
    """What each field of a card is called."""
    return {one.name: one.label for one in of(card, ())}


def _of_client(card: CardView, people: People) -> list[Fact]:
    return [
        Fact("name", _("Name"), card.name, card.name),
        Fact("job", _("Role"), card.job, card.job),
        Fact("organisation", _("Organisation"), card.organisation, card.organisation),
        _owner(card, people),
        _lines("emails", _("E-mail"), card.emails),
        _lines("addresses", _("Address"), card.addresses),
        Fact("language", _("Language"), card.language, language(card.language), hints=_languages()),
        Fact("time_zone", _("Time zone"), card.time_zone, card.time_zone, hints=_zones()),
        Fact("birthday", _("Birthday"), card.birthday, a_day(card.birthday), "date"),
        _tags(card),
        _flag("do_not_call", _("Do not call"), value=card.do_not_call),
        _note(card),
    ]


def _of_company(card: AnyCard, people: People) -> list[Fact]:
    return [
        Fact("name", _("Name"), card.name, card.name, required=True),
        _owner(card, people),
        _lines("emails", _("E-mail"), card.emails),
        _lines("addresses", _("Address"), card.addresses),
        _tags(card),
        _note(card),
    ]


def _owner(card: AnyCard, people: People) -> Fact:
    owners = (("", _("nobody")), *((str(key), name) for key, name in people))
    return Fact("owner", _("Owner"), str(card.owner_id or ""), card.owner_name, "choice", owners)


def _tags(card: AnyCard) -> Fact:
    return Fact("tags", _("Tags"), ", ".join(card.tags), ", ".join(card.tags), help=_("Separated by commas."))


def _note(card: AnyCard) -> Fact:
    return Fact("note", _("Note"), card.note, card.note, "lines")


def _lines(name: str, label: str, values: Sequence[str]) -> Fact:
    return Fact(name, label, "\n".join(values), "\n".join(values), "lines", help=_("One a line."))


def _flag(name: str, label: str, *, value: bool) -> Fact:
    options = (("", _("no")), ("yes", _("yes")))
    return Fact(name, label, "yes" if value else "", yes_no(value), "choice", options)


def _own(one: Definition, value: Any) -> Fact:
    """A field of the administrator's."""
    options: Options = ()
    if one.kind in ("choice", "flag"):
        words = [("yes", _("yes")), ("no", _("no"))] if one.kind == "flag" else [(word, word) for word in one.choices]
        known = {code for code, _word in words}
        typed = as_typed(value)
        # A choice that was taken off the list stays on the cards that have it.
        words += [(typed, typed)] if typed and typed not in known else []
        options = (("", "—"), *words)
    kind = "choice" if options else one.kind
    shown = own_value(one.kind, value)
    return Fact(CUSTOM + one.key, one.label, as_typed(value), shown, kind, options, (), one.help, one.required)


def own_value(kind: str, value: Any) -> str:
    """A value of a custom field as it is read."""
    if isinstance(value, bool):
        return yes_no(value)
    return a_day(str(value)) if kind == "date" and value else "" if value is None else str(value)


def typed_of(name: str, value: str) -> dict[str, Any]:
    """What was typed for a fact, as the service takes it; the organisation is found by its name elsewhere."""
    if name.startswith(CUSTOM):
        return {"custom": {name.removeprefix(CUSTOM): value}}
    if name == "owner":
        return {"owner_id": int(value) if value.isascii() and value.isdigit() else (value or None)}
    if name == "tags":
        return {"tags": [tag.strip() for tag in value.split(",") if tag.strip()]}
    if name in ("emails", "addresses"):
        return {name: [line for line in value.replace("\r\n", "\n").split("\n") if line.strip()]}
    return {name: value == "yes" if name == "do_not_call" else value}


def a_day(value: str) -> str:
    """A day of the calendar in the reader's language."""
    try:
        return format_date(date.fromisoformat(value), "d MMM yyyy", locale=i18n.locale()) if value else ""
    except ValueError:
        return value


def language(code: str) -> str:
    """A language by its name in the reader's."""
    return str(i18n.locale().languages.get(code, code))


def yes_no(value: object) -> str:
    """A flag in a word."""
    return _("yes") if value else _("no")


def _languages() -> Options:
    return tuple((code, language(code)) for code in LANGUAGES)


@lru_cache(maxsize=1)
def _zones() -> Options:
    """Zones of cities; those that are only offsets are nobody's home."""
    regions = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    found = sorted(zone for zone in available_timezones() if zone.startswith(regions))
    return tuple((zone, "") for zone in found)


def asked(own: Sequence[Definition], typed: Mapping[str, str], bad: Mapping[str, str]) -> list[Fact]:
    """The administrator's fields in a form, with what was typed into each and what is wrong with it."""
    found = [_own(one, None) for one in own]
    return [replace(one, value=typed.get(one.name, ""), bad=bad.get(one.name, "")) for one in found]
