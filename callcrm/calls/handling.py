"""What may be done with a call that goes on: hold, park, fetch, hand on, hang up; and why something may not.

The channels are read from the call's legs in the unit that writes the wish, so that a wish is always about the lines
that there are. One wish of a call is under way at a time; each has an expiry, and an id of the page that asked, so
that a second Enter is the same wish.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, scope, visible_calls
from callcrm.calls.tables import CallRow, LegRow
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.tables import Command, LinkState
from callcrm.kernel.writer import Unit
from callcrm.telephony import port

#: What people may ask for, the command that does it, and the PBX's actions that it takes.
ACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "hold": ("hold", ("Park", "Originate")),
    "fetch": ("fetch", ("Originate",)),
    "park": ("park", ("Park",)),
    "blind": ("blind_transfer", ("BlindTransfer",)),
    "attended": ("attended_transfer", ("Atxfer",)),
    "complete": ("complete_transfer", ("Hangup",)),
    "cancel": ("cancel_transfer", ("CancelAtxfer",)),
    "swap": ("swap_transfer", ("PlayDTMF",)),
    "hang_up": ("hang_up", ("Hangup",)),
}
#: Acts that need somebody whom the call goes to.
TARGETED = frozenset({"blind", "attended"})
#: A wish that was not sent so soon is not sent any more: the person has done something else since.
EXPIRES_S = 5.0
#: The log shows what a command did so soon; until then the same is not asked again.
SETTLES = timedelta(seconds=2)
#: Asterisk obeys a feature code so soon; nothing tells that it did.
SWAPS = timedelta(seconds=1)
#: So long a failure is said.
SAID = timedelta(seconds=20)
_FAILED = ("refused", "expired")
_UNDER_WAY = ("wanted", "sent")
_TALKS = ("talking", "held")


@dataclass(frozen=True, slots=True)
class Consultation:
    """Whom the operator has called while the client waits; `answered`: they talk, or have talked."""

    call: str
    who: str
    answered: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """What may be done. `refused`: for each act that may not, why, as a code (see `webui.words.refusal`).

    `lacking`: the PBX's actions that our manager user may not send. `doing`: the act that is under way.
    """

    call: str
    pbx: str
    state: str
    extension: str
    refused: Mapping[str, str]
    channel: str = ""
    client_channel: str = ""
    number: str = ""
    space: str = ""
    consultation: Consultation | None = None
    swapped: bool = False
    doing: str = ""
    said: str = ""
    lacking: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


async def panel(db: AsyncConnection, actor: Actor, call: str, now: datetime) -> Panel:
    """The panel of a call that this person sees; NotFound otherwise."""
    row = (await db.execute(visible_calls(actor, select(CallRow)).where(CallRow.id == call))).mappings().one_or_none()
    if row is None:
        raise NotFound("There is no such call, or it is not yours to see.")
    legs = (await db.execute(_LEGS.where(LegRow.call_id == call))).mappings().all()
    link = (await db.execute(select(LinkState).where(LinkState.pbx == row["pbx"]))).mappings().one_or_none()
    asked = (await db.execute(_ASKED.where(Command.call_id == call))).mappings().all()
    consultation = await _consultation(db, call)
    return _Reading(actor, row, legs, link, asked, consultation, now).panel()


async def act(unit: Unit, actor: Actor, call: str, name: str, *, to: str = "", once: str = "", shown: str = "") -> str:
    """Ask for an act; the command's id. Conflict when it may not be done now, Invalid when it needs a target.

    `once`: an id of the page's making (32 hex digits): asked for again, it is the same command.
    """
    if name not in ACTS:
        raise Invalid(f"Nothing called {name[:20]!r} can be done with a call.", {"action": "is not known"})
    if once:
        mine = select(Command.id).where(Command.id == once, Command.wanted_by == actor.user_id)
        if (await unit.db.execute(mine)).scalar_one_or_none() is not None:
            return once
    await unit.db.execute(select(CallRow.id).where(CallRow.id == call).with_for_update())
    found = await panel(unit.db, actor, call, unit.now)
    if name in found.refused:
        raise Conflict(f"This cannot be done now: {found.refused[name].replace('_', ' ')}.", found.refused[name])
    if name in TARGETED and not to:
        raise Invalid("Say to whom the call goes.", {"to": "is missing"})
    kind, args = ACTS[name][0], _args(found, name, to, shown)
    return await port.want(
        unit,
        found.pbx,
        kind,
        args,
        wanted_by=actor.user_id,
        expires_s=EXPIRES_S,
        call_id=call,
        command=once,
    )


def _args(found: Panel, name: str, to: str, shown: str) -> dict[str, Any]:
    if name == "fetch":
        return {"extension": found.extension, "space": found.space, "number": found.number, "name": shown}
    if name in ("hold", "park"):
        return {"channel": found.client_channel, "extension": found.extension}
    return {"channel": found.channel, **({"to": to} if name in TARGETED else {})}


_LEGS = select(
    LegRow.channel, LegRow.uniqueid, LegRow.side, LegRow.who, LegRow.answered_at, LegRow.cause, LegRow.n
).order_by(LegRow.n)
_ASKED = (
    select(Command.kind, Command.state, Command.result, Command.changed_at)
    .where(Command.kind.in_([kind for kind, _ in ACTS.values()]))
    .order_by(Command.changed_at)
)


async def _consultation(db: AsyncConnection, call: str) -> Consultation | None:
    serving = and_(CallRow.serves == call, CallRow.ended_at.is_(None))
    columns = (CallRow.id, CallRow.answered_at, CallRow.direction, CallRow.client_raw, CallRow.client_number)
    row = (await db.execute(select(*columns).where(serving).order_by(CallRow.at.desc()).limit(1))).first()
    if row is None:
        return None
    legs = (await db.execute(_LEGS.where(LegRow.call_id == row.id))).mappings().all()
    who = next((leg["who"] for leg in legs if leg["cause"] is None and leg["who"]), "")
    return Consultation(row.id, row.client_number or who or row.client_raw or "", row.answered_at is not None)


class _Reading:
    """One call as it stands, and what that allows."""

    def __init__(  # noqa: PLR0917 - what was read
        self,
        actor: Actor,
        call: RowMapping,
        legs: Sequence[RowMapping],
        link: RowMapping | None,
        asked: Sequence[RowMapping],
        consultation: Consultation | None,
        now: datetime,
    ) -> None:
        self._actor, self._call, self._link, self._now = actor, call, link, now
        self._asked, self._consultation = asked, consultation
        alive = [leg for leg in legs if leg["cause"] is None and call["ended_at"] is None]
        self._own = next((leg for leg in reversed(alive) if self._is_own(leg)), None)
        self._other = next((leg for leg in alive if leg is not self._own and self._is_client(leg)), None)
        self._parked = call["parked"] or {}
        self._phones = tuple(line.extension for line in actor.extensions if line.pbx == call["pbx"])

    def _is_own(self, leg: RowMapping) -> bool:
        if leg["side"] != "operator" or (leg["answered_at"] is None and self._call["direction"] != "outbound"):
            return False
        mine = {line.extension for line in self._actor.extensions if line.pbx == self._call["pbx"]}
        return leg["who"] in mine or scope(self._actor) != "own"

    def _is_client(self, leg: RowMapping) -> bool:
        if self._call["direction"] == "internal":
            return leg["answered_at"] is not None
        return bool(leg["side"] != "operator")

    def panel(self) -> Panel:
        """Everything about it."""
        lacking = self._lacking()
        doing = next((one["kind"] for one in self._asked if one["state"] in _UNDER_WAY), "") or self._settling()
        refused = {name: why for name in ACTS if (why := self._why_not(name, doing, lacking))}
        return Panel(
            call=self._call["id"],
            pbx=self._call["pbx"],
            state=self._call["state"],
            extension=(self._own["who"] if self._own else "") or self._parker() or next(iter(self._phones), ""),
            refused=refused,
            channel=self._own["channel"] if self._own else "",
            client_channel=self._other["channel"] if self._other else "",
            number=self._call["client_number"] or "",
            space=str(self._parked.get("space") or "") if self._call["state"] == "parked" else "",
            consultation=self._consultation,
            swapped=self._swapped(),
            doing=doing,
            said=self._said(),
            lacking=tuple(sorted(lacking)),
            allowed=tuple(name for name in ACTS if name not in refused),
        )

    def _said(self) -> str:
        """Why the last thing that was asked did not come about, for a little while."""
        last = self._asked[-1] if self._asked else None
        if last is None or last["state"] not in _FAILED or self._now - last["changed_at"] > SAID:
            return ""
        return str((last["result"] or {}).get("message", ""))

    def _parker(self) -> str:
        by = str(self._parked.get("by") or "")
        return by if by in self._phones or scope(self._actor) != "own" else ""

    def _lacking(self) -> set[str]:
        """Actions that the PBX would refuse us, as far as is known."""
        allowed = (self._link["detail"] or {}).get("allowed") if self._link is not None else None
        needed = {action for _, actions in ACTS.values() for action in actions}
        return needed - set(allowed) if isinstance(allowed, list) else set()

    def _why_not(self, name: str, doing: str, lacking: Collection[str]) -> str:
        """Why this act may not be done now; empty when it may."""
        actions = ACTS[name][1]
        if self._call["ended_at"] is not None:
            return "over"
        if self._link is None or self._link["state"] != "connected":
            return "no_link"
        if lacking and any(action in lacking for action in actions):
            return "no_right"
        if doing:
            return "doing"
        return self._unfit(name)

    def _settling(self) -> str:
        """What was done a moment ago and cannot be seen yet: until then the lines are not what they seem."""
        last = self._asked[-1] if self._asked else None
        if last is None or last["state"] != "done" or self._now - last["changed_at"] > SETTLES:
            return ""
        return "" if self._seen(last["kind"], self._now - last["changed_at"]) else str(last["kind"])

    def _seen(self, kind: str, ago: timedelta) -> bool:
        if kind == "attended_transfer":
            return self._consultation is not None
        if kind == "cancel_transfer":
            return self._consultation is None
        if kind == "swap_transfer":
            return ago > SWAPS
        if kind == "fetch":
            return bool(self._call["state"] != "parked")
        return self._own is None

    def _unfit(self, name: str) -> str:
        state, consulting = self._call["state"], self._consultation is not None
        if name == "fetch":
            return "" if state == "parked" and self._parker() else "not_parked"
        if state == "parked":
            return "parked"
        if self._own is None:
            return "not_yours"
        if name in ("complete", "cancel", "swap"):
            return self._unfit_consultation(name)
        if consulting:
            return "consulting"  # hanging up would hand the client over, which has a name of its own
        if name == "hang_up":
            return ""
        talks = state in _TALKS and self._other is not None and self._call["answered_at"] is not None
        return "" if talks else "not_talking"

    def _unfit_consultation(self, name: str) -> str:
        if self._consultation is None:
            return "not_consulting"
        if not self._consultation.answered:
            return "not_answered" if name == "swap" else ""
        # An Asterisk whose operator hangs up now sometimes drops both others with him.
        return "swapped" if name != "swap" and self._swapped() else ""

    def _swapped(self) -> bool:
        """The operator talks with the client while the colleague waits: after an odd count of swaps."""
        done = [one["kind"] for one in self._asked if one["state"] == "done"]
        begun = max((n for n, kind in enumerate(done) if kind == "attended_transfer"), default=0)
        return self._consultation is not None and done[begun:].count("swap_transfer") % 2 == 1
