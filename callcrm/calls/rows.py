"""A call of the call model as rows of the call log. Pure: the same call gives the same rows."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from callcrm.calls.call import Call, Parked, Pickup, Stretch, Transfer
from callcrm.kernel.numbers import Number, parse
from callcrm.kernel.schema import storable

Row = dict[str, Any]

_EPOCH = re.compile(r"(?:^|-)(\d{9,11})\.\d+$")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_TEXT = 80


@dataclass(frozen=True, slots=True)
class Site:
    """What must be known of one PBX: the country of its trunks, and the numbers that are our own (E.164)."""

    country: str = ""
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Context:
    """What a call is read with: the PBXes by name, and who sits at which phone, by (pbx, extension)."""

    sites: Mapping[str, Site] = field(default_factory=dict)
    phones: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def number(self, pbx: str, raw: str | None) -> Number:
        """A number as this PBX's trunks write it."""
        return parse(raw, self.sites.get(pbx, Site()).country)

    def user(self, pbx: str, extension: str | None) -> int | None:
        """Who sits at this phone."""
        return self.phones.get((pbx, extension)) if extension is not None else None

    def stranger(self, call: Call) -> Number:
        """The number of the client's side, or one without key when that is nobody outside."""
        if call.direction == "internal" or call.client is None:
            return Number("", kind="none" if call.direction == "internal" else "anonymous")
        number = self.number(call.pbx, call.client)
        if number.key in self.sites.get(call.pbx, Site()).own:
            return Number(number.raw, kind="own")
        if (call.pbx, number.national) in self.phones or (call.pbx, number.raw) in self.phones:
            return Number(number.raw, national=number.national, kind="extension")
        return number


def site(country: str, own_numbers: tuple[str, ...] | list[str] = ()) -> Site:
    """A PBX as its settings describe it; own numbers in any form of writing."""
    keys = (parse(raw, country).key for raw in own_numbers)
    return Site(country, frozenset(key for key in keys if key))


def moment(seconds: float | None) -> datetime | None:
    """Seconds since the epoch as a moment; None for what no clock of ours can have shown."""
    if seconds is None or not math.isfinite(seconds) or not _EARLIEST <= seconds < _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def began(call: Call) -> datetime | None:
    """The whole second in the call's Uniqueid, which every source of the call agrees on; else of its beginning."""
    found = _EPOCH.search(call.uniqueid)
    told = moment(int(found.group(1))) if found else None
    told = told or moment(call.at)
    return told.replace(microsecond=0) if told else None


def call_row(call: Call, first: datetime, context: Context, number: Number) -> Row:
    """The call's own row, without what people chose and wrote. `first` is its `began`."""
    return {
        "began": first,
        "id": call.id,
        "pbx": call.pbx,
        "uniqueid": call.uniqueid,
        "channel": call.channel,
        "direction": call.direction,
        "at": moment(call.at) or first,
        "answered_at": moment(call.answered_at),
        "ended_at": _ended(call, first),
        "client_number": number.e164 or None,
        "client_raw": call.client,
        "called": _called(call, context),
        "caller": _short(call.caller),
        "operator": _short(call.operator),
        "operator_id": _operator_id(call, context),
        "queue": call.queue,
        "outcome": call.outcome,
        "why": call.why,
        "missed": call.missed,
        "ended_by": call.ended_by,
        "wait_s": call.wait_s,
        "talk_s": _sum(talk.talk_s for talk in call.talks),
        "hold_s": call.hold_s,
        "total_s": call.total_s,
        "click_to_call": call.click_to_call,
        "client_ring_s": call.client_ring_s,
        "voicemail": _short(call.voicemail),
        "serves": call.serves,
        "rang": [{"operator": r.operator, "ring_s": r.ring_s, "at": _said(r.at)} for r in call.rang],
        "talks": [{"operator": t.operator, "talk_s": t.talk_s, "at": _said(t.at)} for t in call.talks],
        "transfers": [_transfer(one) for one in call.transfers],
        "parked": _parked(call.parked),
        "pickup": _pickup(call.pickup),
        "state": call.state,
    }


def _ended(call: Call, first: datetime) -> datetime | None:
    """An ended call has an end, even where nobody saw it: lists of live calls must let go of it."""
    if call.state != "ended":
        return None
    return moment(call.ended_at) or moment((call.at or 0) + (call.total_s or 0)) or first


def _called(call: Call, context: Context) -> str | None:
    if call.called is None or call.direction == "internal":
        return _short(call.called)
    return context.number(call.pbx, call.called).e164 or _short(call.called)


def _operator_id(call: Call, context: Context) -> int | None:
    """Whose call it was: who talked last with the client, else who called out."""
    last = call.answered_by[-1] if call.answered_by else None
    own = call.operator if call.direction == "outbound" else call.caller if call.direction == "internal" else None
    user = context.user(call.pbx, last)
    return user if user is not None else context.user(call.pbx, own)


def leg_rows(call: Call, first: datetime) -> list[Row]:
    """One row a leg, numbered in order of beginning."""
    return [
        {
            "began": first,
            "call_id": call.id,
            "n": n,
            "channel": leg.channel,
            "uniqueid": leg.uniqueid,
            "side": leg.side,
            "who": _short(leg.who),
            "at": moment(leg.at),
            "ring_s": leg.ring_s,
            "answered_at": moment(leg.answered_at),
            "talk_s": leg.talk_s,
            "cause": leg.cause,
            "up_at": moment(leg.up_at),
            "stretches": [_stretch(one) for one in leg.stretches] or None,
        }
        for n, leg in enumerate(call.legs)
    ]


def _stretch(one: Stretch) -> Row:
    return {"kind": one.kind, "who": _short(one.who), "at": _said(one.at), "until": _said(one.until)}


def operator_rows(call: Call, first: datetime, context: Context) -> list[Row]:
    """One row an operator's phone that had part in the call, by extension."""
    rang = {one.operator for one in call.rang} | set(call.ringing)
    talked = {one.operator for one in call.talks} | set(call.answered_by) | set(call.talking)
    own = {name for name in (call.operator, call.caller if call.direction == "internal" else None) if name}
    rows: dict[str, Row] = {}
    for extension in sorted(rang | talked | own):
        name = storable(extension)[:_TEXT]
        rows[name] = {
            "began": first,
            "call_id": call.id,
            "extension": name,
            "user_id": context.user(call.pbx, extension),
            "rang": extension in rang,
            "answered": extension in talked,
            "ring_s": _sum(one.ring_s for one in call.rang if one.operator == extension),
            "talk_s": _sum(one.talk_s for one in call.talks if one.operator == extension),
        }
    return list(rows.values())


def _sum(seconds: Any) -> float | None:
    known = [value for value in seconds if value is not None]
    return round(sum(known), 3) if known else None


def _short(text: str | None) -> str | None:
    return text[:_TEXT] if text is not None else None


def _said(seconds: float | None) -> str | None:
    """A moment within a JSON column: RFC 3339, UTC, milliseconds."""
    at = moment(seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _transfer(one: Transfer) -> Row:
    return {
        "kind": one.kind,
        "from": one.from_,
        "to": one.to,
        "answered": one.answered,
        "consult_s": one.consult_s,
        "talk_s": one.talk_s,
        "at": _said(one.at),
    }


def _parked(parked: Parked | None) -> Row | None:
    if parked is None:
        return None
    return {
        "by": parked.by,
        "space": parked.space,
        "retrieved_by": parked.retrieved_by,
        "timed_out": parked.timed_out,
        "given_up": parked.given_up,
    }


def _pickup(pickup: Pickup | None) -> Row | None:
    return {"from": pickup.from_, "by": pickup.by} if pickup else None
