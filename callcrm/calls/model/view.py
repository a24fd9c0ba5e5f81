"""A conversation as a `Call`: what is known of it by now."""

from callcrm.calls import call as rows
from callcrm.calls.model import fate
from callcrm.calls.model.state import Conversation, Filed, Handing, Leg
from callcrm.calls.model.stretches import stretches
from callcrm.calls.model.talks import Conversed, client_leg, conversed, held_s, members, talks

Legs = dict[str, Leg]


def view(talk: Conversation, legs: Legs, pbx: str, now: float | None) -> rows.Call:
    """The call as it is known at `now`."""
    caller = legs.get(talk.caller or "")
    way = fate.direction(talk, legs)
    client = client_leg(talk, legs)
    everyone = talks(talk, legs)
    handed = [transfer(one, number, talk, client, legs) for number, one in enumerate(talk.handings)]
    mine = _counted(everyone, talk, client, way)
    ended = talk.over
    start = _known_start(talk, caller)
    first = mine[0] if mine else None
    answered_at = first.start if first is not None else None
    number = client.number if client is not None else ""
    return rows.Call(
        id=talk.id,
        pbx=pbx,
        uniqueid=talk.uniqueid,
        channel=caller.channel if caller is not None else "",
        direction=way,
        state=_state(talk, everyone, legs),
        at=start,
        client=_client(talk, way, client, caller),
        called=_called(talk, caller),
        name=_name(client, number) if way == "inbound" else None,
        caller=caller.who if way == "internal" and caller is not None else None,
        operator=_operator(talk, caller, legs) if way == "outbound" else None,
        queue=talk.queue or talk.asked_queue,
        rang=tuple(_rang(talk, caller, legs)),
        talks=tuple(rows.Talk(_who(one.leg), one.seconds, one.start) for one in mine),
        answered_by=tuple(_who(one.leg) for one in mine),
        answered_at=answered_at,
        ended_at=ended,
        wait_s=_wait(start, first, ended),
        total_s=None if ended is None or start is None else max(0.0, ended - start),
        missed=way == "inbound" and not mine and ended is not None,
        outcome=fate.outcome(talk, way, mine, legs) if ended is not None or mine else None,
        why=fate.why_missed(talk, legs) if way == "inbound" and not mine and ended is not None else None,
        ended_by=_ended_by(talk, caller, legs) if ended is not None else None,
        transfers=tuple(handed),
        parked=_parked(talk),
        pickup=rows.Pickup(*talk.pickup) if talk.pickup is not None else None,
        hold_s=held_s([one for one in mine if one.leg.operator], ended or now),
        click_to_call=talk.originated,
        client_ring_s=_ring_s(client) if talk.originated and client is not None and client is not caller else None,
        voicemail=talk.box,
        serves=talk.serves.id if talk.serves is not None else None,
        recordings=_sounds(talk, client) if everyone else (),
        legs=tuple(_leg(talk, leg, client, legs) for leg in members(talk, legs)),
        ringing=tuple(leg.who for leg in members(talk, legs) if leg.operator and leg.ringing),
        talking=tuple(one.leg.who for one in everyone if one.end is None and one.leg.operator),
    )


def _who(leg: Leg) -> str:
    return leg.who or leg.number or leg.channel


def _known_start(talk: Conversation, caller: Leg | None) -> float:
    return talk.began if talk.consult or caller is None else caller.began


def _counted(everyone: list[Conversed], talk: Conversation, client: Leg | None, way: str) -> list[Conversed]:
    """Those who talked for the company: operators, and outside lines unless a transfer sent the client there."""
    handed = min((one.at for one in talk.handings), default=None)
    found = []
    for one in everyone:
        outside = not one.leg.operator
        if outside and (way != "inbound" or (handed is not None and one.seen >= handed - 0.5)):
            continue
        if client is not None and one.leg is not client:
            found.append(one)
    return found


def _client(talk: Conversation, way: str, client: Leg | None, caller: Leg | None) -> str | None:
    if way == "inbound":
        return fate.shown_number(client.number) if client is not None else None
    if way != "outbound":
        return None
    if client is not None and client is not caller:
        return client.target or fate.shown_number(client.number) or talk.wanted or None
    return talk.wanted or (caller.dialled if caller is not None else "") or None


def _called(talk: Conversation, caller: Leg | None) -> str | None:
    if talk.originated and talk.wanted:
        return talk.wanted
    dialled = caller.dialled if caller is not None and not talk.consult else talk.wanted
    return None if dialled in ("", "s", "h", "i", "t") else dialled


def _name(client: Leg | None, number: str) -> str | None:
    if client is None or not client.name or client.name == number or fate.shown_number(number) is None:
        return None
    return client.name


def _operator(talk: Conversation, caller: Leg | None, legs: Legs) -> str | None:
    if caller is not None and caller.operator:
        return caller.who
    return next((leg.who for leg in members(talk, legs) if leg.operator), None)


def _ring_s(leg: Leg) -> float | None:
    ends = [at for at in (leg.ring_end, leg.up_at, leg.ended) if at is not None]
    return None if leg.rung_at is None or not ends else max(0.0, min(ends) - leg.rung_at)


def _rang(talk: Conversation, caller: Leg | None, legs: Legs) -> list[rows.Rang]:
    found = [
        leg
        for leg in members(talk, legs)
        if leg.operator
        and leg.rung
        and (leg is not caller or talk.originated)
        and leg.result not in ("unreachable", "congestion")
    ]
    found.sort(key=lambda leg: (leg.rung_at if leg.rung_at is not None else leg.began, talk.legs.index(leg.id)))
    return [rows.Rang(leg.who, _ring_s(leg), leg.rung_at) for leg in found]


def _wait(start: float | None, first: Conversed | None, ended: float | None) -> float | None:
    until = first.start if first is not None else ended
    return None if until is None or start is None else max(0.0, until - start)


def _ended_by(talk: Conversation, caller: Leg | None, legs: Legs) -> str:
    if talk.stopped or caller is None or any(one.by == caller.id for one in talk.handings):
        return "other side"
    if caller.hung_up is not None or _left_first(talk, caller, legs):
        return "caller"
    return "other side"


def _left_first(talk: Conversation, caller: Leg, legs: Legs) -> bool:
    """That the caller hung up was lost, but he left, or his call was cancelled, with nobody else having ended it."""
    met = [(span, legs[other]) for other, span in caller.spans.items() if other in legs]
    if not met:
        rang = [leg for leg in members(talk, legs) if leg.rung and leg is not caller]
        return bool(rang) and rang[-1].result == "cancelled" and not _dismissed(caller, rang[-1].ring_end)
    span, other = max(met, key=lambda one: one[0].seen)
    return (
        span.end is not None
        and span.went == caller.id
        and other.hung_up is None
        and caller.ended is not None
        and caller.ended - span.end < 1.0
        and not _dismissed(caller, span.end)
        and not _dismissed(other, span.end)
    )


def _dismissed(leg: Leg, before: float | None) -> bool:
    """It was told to end by then."""
    return leg.dismissed is not None and before is not None and leg.dismissed <= before


def _parked(talk: Conversation) -> rows.Parked | None:
    parking = talk.parking
    if parking is None:
        return None
    return rows.Parked(
        by=parking.by,
        space=parking.space or None,
        retrieved_by=parking.taken_by if parking.over == "retrieved" else None,
        timed_out=parking.over == "timed_out",
        given_up=parking.over == "given_up",
    )


def transfer(one: Handing, number: int, talk: Conversation, client: Leg | None, legs: Legs) -> rows.Transfer:
    """One transfer with what came of it: who talked after it, until the next one."""
    until = talk.handings[number + 1].at if number + 1 < len(talk.handings) else None
    by, target = legs.get(one.by), legs.get(one.target or "")
    after = [] if client is None else _after(one, until, client, legs)
    got = next((found for found in after if target is None or found.leg is target), after[0] if after else None)
    outside = got is not None and not got.leg.operator
    to = (_who(target) if target is not None and one.kind == "attended" else "") or one.exten
    return rows.Transfer(
        kind=one.kind,
        from_=by.who if by is not None else None,
        to=to or (_who(got.leg) if got is not None else None),
        answered=got is not None,
        consult_s=_consulted(one, legs) if one.kind == "attended" else None,
        talk_s=got.seconds if got is not None and outside else None,
        at=one.at,
    )


def _after(one: Handing, until: float | None, client: Leg, legs: Legs) -> list[Conversed]:
    found = []
    for other, span in client.spans.items():
        if other not in legs or other in (one.by, one.second) or span.seen < one.at - 0.5:
            continue
        talk = conversed(legs[other], client, legs)
        if talk is not None and (until is None or talk.seen < until):
            found.append(talk)
    return sorted(found, key=lambda talk: talk.seen)


def _consulted(one: Handing, legs: Legs) -> float | None:
    asking = [legs[leg] for leg in (one.second, one.by) if leg and leg in legs]
    for leg in asking:
        span = leg.spans.get(one.target or "")
        if span is not None and span.start is not None:
            return max(0.0, (span.end if span.end is not None else one.at) - span.start)
    return None


def _state(talk: Conversation, everyone: list[Conversed], legs: Legs) -> str:
    if talk.over is not None:
        return "ended"
    live = [one for one in everyone if one.end is None]
    if talk.parking is not None and talk.parking.over is None:
        return "parked"
    if any(one.leg.hold_since is None and one.leg.spans and _hearing(one, legs) for one in live):
        return "talking"
    if live:
        return "held"
    return "ringing" if any(leg.ringing for leg in members(talk, legs)) else "waiting"


def _hearing(one: Conversed, legs: Legs) -> bool:
    return any(span.end is None for other, span in one.leg.spans.items() if other in legs)


def _sounds(talk: Conversation, client: Leg | None) -> tuple[rows.Sound, ...]:
    return tuple(rows.Sound(one.file, one.at, _first_lane(one, client)) for one in talk.files)


def _first_lane(one: Filed, client: Leg | None) -> str:
    """Whose voice comes first: what the recorded channel says, then what it hears."""
    says = client is None or one.leg == client.id
    return "client" if says != one.hears else "operator"


def _leg(talk: Conversation, leg: Leg, client: Leg | None, legs: Legs) -> rows.CallLeg:
    met = None
    if client is not None and leg is not client:
        met = conversed(leg, client, legs)
    elif client is not None:
        found = [one for other in leg.spans if other in legs and (one := conversed(legs[other], leg, legs)) is not None]
        met = min(found, key=lambda one: one.seen) if found else None
    return rows.CallLeg(
        channel=leg.channel,
        uniqueid=leg.id,
        side=leg.side,
        who=leg.who or None,
        at=leg.began,
        ring_s=_ring_s(leg) if leg.rung else None,
        answered_at=met.start if met is not None else None,
        talk_s=_leg_talk(leg, client, legs, met),
        cause=leg.cause,
        up_at=leg.up_at,
        stretches=tuple(stretches(talk, leg, client, met, legs)),
    )


def _leg_talk(leg: Leg, client: Leg | None, legs: Legs, met: Conversed | None) -> float | None:
    if leg is not client or met is None:
        return met.seconds if met is not None else None
    total = 0.0
    for other in leg.spans:
        one = conversed(legs[other], leg, legs) if other in legs else None
        if one is not None:
            if one.seconds is None:
                return None
            total += one.seconds
    return total
