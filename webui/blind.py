"""A call without the names of its operators, for who scores it blind: letters stand for them, notes are left out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from callcrm.calls.log import CallLine, LegLine, WholeCall
from webui.i18n import _


def letter(n: int) -> str:
    """Operator A, B, …"""
    return _("Operator %(letter)s") % {"letter": chr(ord("A") + n % 26)}


def blinded(whole: WholeCall) -> WholeCall:
    """The same call; phones and names of operators become letters, in the order in which they came."""
    names = {part.extension: letter(n) for n, part in enumerate(whole.call.parts)}
    for leg in (*whole.legs, *whole.aside):
        if leg.side == "operator" and leg.who:
            names.setdefault(leg.who, letter(len(names)))
    people = {part.person: names[part.extension] for part in whole.call.parts if part.person}
    return replace(
        whole,
        call=_line(whole.call, names, people),
        legs=tuple(_leg(leg, names, people) for leg in whole.legs),
        aside=tuple(_leg(leg, names, people) for leg in whole.aside),
        notes=(),
    )


def _line(call: CallLine, names: Mapping[str, str], people: Mapping[str, str]) -> CallLine:
    hidden: dict[str, Any] = {
        name: _deep(getattr(call, name), names) for name in ("rang", "talks", "transfers", "parked", "pickup")
    }
    return replace(
        call,
        operator=names.get(call.operator or "", call.operator),
        operator_id=None,
        operator_name=people.get(call.operator_name, ""),
        parts=tuple(
            replace(part, extension=names[part.extension], person=names[part.extension], user_id=None)
            for part in call.parts
        ),
        channel="",
        note_line="",
        **hidden,
    )


def _leg(leg: LegLine, names: Mapping[str, str], people: Mapping[str, str]) -> LegLine:
    stretches = tuple(
        replace(one, who=names.get(one.who or "", one.who), person=people.get(one.person, one.person))
        for one in leg.stretches
    )
    if leg.side != "operator":
        return replace(leg, stretches=stretches)
    name = names.get(leg.who or "", "")
    return replace(leg, who=name, person=name, channel="", stretches=stretches)


def _deep(value: Any, names: Mapping[str, str]) -> Any:
    """Extensions in the lists that the tracker tells, wherever they stand."""
    if isinstance(value, list):
        return [_deep(one, names) for one in value]
    if isinstance(value, dict):
        return {key: _deep(one, names) for key, one in value.items()}
    return names.get(value, value) if isinstance(value, str) else value
