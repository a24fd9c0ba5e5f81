"""What people may type into a card, and how each field is checked. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callcrm.kernel.errors import Invalid

TAGS = 20
TAG_LENGTH = 40
NOTE_LENGTH = 20_000

_MAIL = re.compile(r"^[^@\s<>\"]{1,64}@[^@\s<>\"]+\.[^@\s<>\".]{2,}$")
_LANGUAGE = re.compile(r"^[a-z]{2,3}([-_][A-Za-z]{2,4})?$")

Check = Callable[[Any], Any]


def _line(limit: int) -> Check:
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
    kept: str = _line(200)(value)
    if kept and not _MAIL.match(kept):
        raise ValueError("a mail address looks like ann@example.com")
    return kept


def _language(value: Any) -> str:
    kept: str = _line(10)(value)
    if kept and not _LANGUAGE.match(kept):
        raise ValueError("a language is two letters, such as uk or en")
    return kept


def _time_zone(value: Any) -> str:
    kept: str = _line(64)(value)
    try:
        return ZoneInfo(kept).key if kept else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a time zone looks like Europe/Kyiv") from None


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise TypeError("tags are a list of words")
    kept = list(dict.fromkeys(word for tag in value if (word := _line(TAG_LENGTH)(tag))))
    if len(kept) > TAGS:
        raise ValueError(f"at most {TAGS} tags")
    return kept


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("yes or no")
    return value


def _id(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31):
        raise TypeError("choose one from the list")
    return value


CLIENT: Mapping[str, Check] = {
    "name": _line(200),
    "organisation_id": _id,
    "job": _line(100),
    "email": _mail,
    "owner_id": _id,
    "language": _language,
    "time_zone": _time_zone,
    "tags": _tags,
    "note": _note,
    "do_not_call": _yes_or_no,
}
ORGANISATION: Mapping[str, Check] = {"name": _line(200), "owner_id": _id, "tags": _tags, "note": _note}


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
    return _folded(row, ("name", "said_name", "job", "email"))


def organisation_search(row: Mapping[str, Any]) -> str:
    """What an organisation is found by, in folded case."""
    return _folded(row, ("name",))


def _folded(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return " ".join(str(row[name]) for name in names if row.get(name)).casefold()
