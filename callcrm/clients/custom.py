"""Fields that an administrator defined, and how a value of each is checked. Pure.

Values are JSON: text and choice are text, a number is a number, a date is YYYY-MM-DD, a flag is true or
false. What is empty is not kept at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from callcrm.clients import fields

Kind = Literal["text", "number", "date", "choice", "flag"]
What = Literal["client", "organisation"]
KINDS: tuple[Kind, ...] = ("text", "number", "date", "choice", "flag")
WHATS: tuple[What, ...] = ("client", "organisation")
TEXT_LENGTH = 500
#: So many digits a number keeps exactly on its way through JSON.
DIGITS = 15

_YES = frozenset({"yes", "true", "1", "x", "+", "да", "on"})
_NO = frozenset({"no", "false", "0", "-", "нет", "off"})


@dataclass(frozen=True, slots=True)
class Definition:
    """One field: for whom (`what`), what its values are (`kind`, `choices`), and how it is asked for."""

    id: int
    what: str
    key: str
    label: str
    kind: str
    choices: tuple[str, ...] = ()
    required: bool = False
    help: str = ""
    place: int = 0
    version: int = 1
    deleted: bool = False


def value_of(definition: Definition, typed: Any) -> Any:
    """What was typed, as it is kept; None for nothing. Raises TypeError or ValueError that says what is wrong."""
    if typed is None or (isinstance(typed, str) and not typed.strip()):
        return None
    kept = _READ[definition.kind](definition, typed)
    return None if kept == "" else kept  # of marks alone that nobody sees, nothing is left


def checked(
    definitions: Sequence[Definition], typed: Mapping[str, Any], *, held: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """The values by key as they are to be kept (None takes one away), and what is wrong, by `custom.KEY`.

    `held`: what the card has; without it the card is new and needs every required field.
    """
    known = {one.key: one for one in definitions if not one.deleted}
    kept: dict[str, Any] = {}
    wrong = {f"custom.{key}": "there is no such field" for key in typed if key not in known}
    for key, definition in known.items():
        try:
            if key in typed:
                kept[key] = value_of(definition, typed[key])
        except (TypeError, ValueError) as error:
            wrong[f"custom.{key}"] = str(error)
            continue
        asked = key in typed or held is None
        if definition.required and asked and kept.get(key) is None:
            wrong[f"custom.{key}"] = f"{definition.label} is needed"
    return kept, wrong


def as_typed(value: Any) -> str:
    """A kept value as a person would type it again; `value_of` reads it back as it was."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _text(_definition: Definition, typed: Any) -> str:
    if isinstance(typed, bool) or not isinstance(typed, (str, int, float)):
        raise TypeError("write text here")
    kept: str = fields.line(TEXT_LENGTH)(str(typed))
    return kept


def _number(_definition: Definition, typed: Any) -> int | float:
    if isinstance(typed, bool) or not isinstance(typed, (str, int, float)):
        raise TypeError("write a number here")
    plain = "".join(str(typed).split()).replace(",", ".")
    try:
        found = Decimal(plain)
    except InvalidOperation:
        raise ValueError("a number looks like 1250 or 12.5") from None
    if not found.is_finite() or len(found.normalize().as_tuple().digits) > DIGITS or abs(found.adjusted()) > DIGITS:
        raise ValueError(f"a number has at most {DIGITS} digits")
    return int(found) if found == found.to_integral_value() else float(found)


def _date(_definition: Definition, typed: Any) -> str:
    if not isinstance(typed, str):
        raise TypeError("a date looks like 1990-05-12")
    return fields.a_date(typed.strip()).isoformat()


def _choice(definition: Definition, typed: Any) -> str:
    if not isinstance(typed, str):
        raise TypeError("choose one from the list")
    wish = " ".join(typed.split())
    for choice in definition.choices:
        if wish.casefold() == choice.casefold():
            return choice
    raise ValueError(f"choose one of: {', '.join(definition.choices)}")


def _flag(_definition: Definition, typed: Any) -> bool:
    if isinstance(typed, bool):
        return typed
    word = str(typed).strip().casefold()
    if word not in _YES | _NO:
        raise ValueError("write yes or no")
    return word in _YES


_READ = {"text": _text, "number": _number, "date": _date, "choice": _choice, "flag": _flag}
