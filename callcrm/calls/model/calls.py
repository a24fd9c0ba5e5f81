"""The machine: one signal at a time, and what each changes in the calls."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from callcrm.calls.call import Call, Change
from callcrm.calls.model import lines, meeting
from callcrm.calls.model.telling import LINGER, Telling
from callcrm.telephony import signals as say

_SPACE = uuid.UUID("6f1c1b0a-6f7e-5d0e-9a55-6b0f2f1c9a11")
#: Seconds after its end for which a call is kept, for what comes late (a recording's name, a leg's end).
KEPT = 120.0
#: Seconds after which an operator's line that called nobody yet is told of.
QUIET = 1.5


def call_id(pbx: str, uniqueid: str) -> str:
    """A call's id: from the PBX's name and the Uniqueid of the call's first channel, wherever it is read."""
    return uuid.uuid5(_SPACE, f"{pbx}/{uniqueid}").hex


class Calls:
    """The calls of one PBX. `step` gives the changes that a signal, or several of one moment, bring."""

    def __init__(self, pbx: str) -> None:
        self._talks = Telling(pbx, lambda root: call_id(pbx, root))
        self._swept = float("-inf")
        self._turn: dict[type[say.Signal], Callable[[Telling, Any], None]] = {
            say.Began: lines.began,
            say.Numbered: lines.numbered,
            say.Rang: lines.rang,
            say.Up: lines.up,
            say.Tried: lines.tried,
            say.Together: meeting.together,
            say.Held: meeting.held,
            say.Resumed: meeting.resumed,
            say.Queued: meeting.queued,
            say.Unqueued: meeting.unqueued,
            say.Transferred: meeting.transferred,
            say.Parked: meeting.parked,
            say.Unparked: meeting.unparked,
            say.PickedUp: meeting.picked_up,
            say.Recorded: meeting.recorded,
            say.Mailed: meeting.mailed,
            say.HungUp: lines.hung_up,
            say.Dismissed: lines.dismissed,
            say.Ended: lines.ended,
            say.Replaced: lines.replaced,
            say.DialDone: lines.dial_done,
            say.Stopped: lines.stopped,
        }

    # -- outside
    @property
    def open_calls(self) -> list[Call]:
        """The calls that go on."""
        return [
            self._talks.view(talk, None) for talk in self._talks.open_talks() if talk.over is None and talk.announced
        ]

    def step(self, signal: say.Signal) -> list[Change]:
        """What one signal changes."""
        return self.steps([signal])

    def steps(self, signals: Iterable[say.Signal]) -> list[Change]:
        """What several signals change, told once for all of them."""
        at = 0.0
        for signal in signals:
            at = signal.at
            turn = self._turn.get(type(signal))
            if turn is not None:
                turn(self._talks, signal)
        return self._talks.told(at)

    def tick(self, at: float) -> list[Change]:
        """Let time pass: calls whose caller has left end, old ones are forgotten. About once a second."""
        if at - self._swept < 1.0:
            return []
        self._swept = at
        for talk in self._talks.open_talks():
            if talk.over is None:
                self._talks.over(talk, at)
                if not talk.announced and at - talk.began >= QUIET:
                    self._talks.announce(talk)
            elif at - talk.over >= KEPT:
                self._talks.forget(talk)
        return self._talks.told(at)

    def finish(self, at: float) -> list[Change]:
        """No more will come: a call whose caller has left is over."""
        for talk in self._talks.open_talks():
            self._talks.announce(talk)
            if talk.over is None:
                self._talks.over(talk, at + LINGER + 1.0)
        return self._talks.told(at)
