"""What people may type into a card, and how each field is checked. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callcrm.kernel.errors import Invalid
from callcrm.kernel.fulltext import folded

TAGS = 20
TAG_LENGTH = 40
MAILS = 20
ADDRESSES = 10
ADDRESS_LENGTH = 300
NOTE_LENGTH = 20_000

_MAIL = re.compile(r"^[^@\s<>\"]{1,64}@[^@\s<>\"]+\.[^@\s<>\".]{2,}$")
_LANGUAGE = re.compile(r"^[a-z]{2,3}([-_][A-Za-z]{2,4})?$")

Check = Callable[[Any], Any]


def line(limit: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError("write text here")
        kept = " ".join("".join(c if c.isprintable() else " " for c in value).split())
        if len(kept) > limit:
            raise ValueError(f"at most {limit} characters; these are {len(kept)}")
        return kept

    return check


def _note(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("write text here")
    kept = "".join(c for c in value.replace("\r\n", "\n") if c.isprintable() or c in "\n\t").strip()
    if len(kept) > NOTE_LENGTH:
        raise ValueError(f"at most {NOTE_LENGTH} characters; these are {len(kept)}")
    return kept


def _mail(value: Any) -> str:
    kept: str = line(200)(value)
    if kept and not _MAIL.match(kept):
        raise ValueError("a mail address looks like ann@example.com")
    return kept


def _language(value: Any) -> str:
    kept: str = line(10)(value)
    if kept and not _LANGUAGE.match(kept):
        raise ValueError("a language is two letters, such as uk or en")
    return kept


def _time_zone(value: Any) -> str:
    kept: str = line(64)(value)
    try:
        return ZoneInfo(kept).key if kept else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone looks like Europe/Kyiv") from None


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise TypeError("tags are a list of words")
    kept = list(dict.fromkeys(word for tag in value if (word := line(TAG_LENGTH)(tag))))
    if len(kept) > TAGS:
        raise ValueError(f"at most {TAGS} tags")
    return kept


def _mails(value: Any) -> list[str]:
    kept: dict[str, str] = {}
    for one in _several(value, "mail addresses"):
        if address := _mail(one):
            kept.setdefault(address.casefold(), address)
    if len(kept) > MAILS:
        raise ValueError(f"at most {MAILS} mail addresses")
    return list(kept.values())


def _addresses(value: Any) -> list[str]:
    check = line(ADDRESS_LENGTH)
    kept = list(dict.fromkeys(text for one in _several(value, "addresses") if (text := check(one))))
    if len(kept) > ADDRESSES:
        raise ValueError(f"at most {ADDRESSES} addresses")
    return kept


def _several(value: Any, words: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError(f"{words} are a list of texts")
    return value


def _birthday(value: Any) -> str:
    kept: str = line(10)(value)
    if not kept:
        return ""
    day = a_date(kept)
    if not date(1850, 1, 1) <= day <= date.today():  # noqa: DTZ011 - a day of the calendar, of no zone
        raise ValueError("a birthday lies in the past, after 1850")
    return day.isoformat()


def a_date(typed: str) -> date:
    """A day as people type it: 1990-05-12, 12.05.1990 or 12/05/1990. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", typed)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(typed)
    except ValueError:
        raise ValueError("a date looks like 1990-05-12") from None


def _custom(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("custom fields are values by their keys")
    return value


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("yes or no")
    return value


def _id(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31):
        raise TypeError("choose one from the list")
    return value


CLIENT: Mapping[str, Check] = {
    "name": line(200),
    "organisation_id": _id,
    "job": line(100),
    "email": _mail,
    "emails": _mails,
    "addresses": _addresses,
    "owner_id": _id,
    "language": _language,
    "time_zone": _time_zone,
    "birthday": _birthday,
    "tags": _tags,
    "note": _note,
    "do_not_call": _yes_or_no,
    "custom": _custom,
}
ORGANISATION: Mapping[str, Check] = {
    "name": line(200),
    "email": _mail,
    "emails": _mails,
    "addresses": _addresses,
    "owner_id": _id,
    "tags": _tags,
    "note": _note,
    "custom": _custom,
}


def checked(typed: Mapping[str, Any], rules: Mapping[str, Check]) -> dict[str, Any]:
    """What was typed, cleaned; raises Invalid that names every field that cannot be taken, and why."""
    kept: dict[str, Any] = {}
    wrong: dict[str, str] = {name: "there is no such field" for name in typed if name not in rules}
    for name, rule in rules.items():
        if name in typed:
            try:
                kept[name] = rule(typed[name])
            except (TypeError, ValueError) as error:
                wrong[name] = str(error)
    if wrong:
        raise Invalid("; ".join(f"{name}: {why}" for name, why in wrong.items()) + ".", wrong)
    return kept


def client_search(row: Mapping[str, Any]) -> str:
    """What a person is found by, in folded case."""
    return _folded([row.get("name"), row.get("said_name"), row.get("job"), *_written(row)])


def organisation_search(row: Mapping[str, Any]) -> str:
    """What an organisation is found by, in folded case."""
    return _folded([row.get("name"), *_written(row)])


def _written(row: Mapping[str, Any]) -> list[Any]:
    custom = [value for value in (row.get("custom") or {}).values() if not isinstance(value, bool)]
    return [*(row.get("emails") or ()), *(row.get("addresses") or ()), *custom]


def _folded(texts: list[Any]) -> str:
    return folded(" ".join(str(text) for text in texts if text not in (None, "")))
