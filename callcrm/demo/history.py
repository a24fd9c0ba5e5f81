"""The demo's past: some days of calls, made from the same recordings as the living ones, and their sound."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from ami.simulator import Recording, Story
from ami.simulator.casting import Casting
from ami.simulator.names import Counters
from ami.simulator.play import Play
from ami.simulator.stage import Stage
from ami.simulator.trace import load
from ami.tracker import Tracker
from callcrm.calls.call import Call, Change
from callcrm.calls.model import Calls
from callcrm.demo.sound import write_recording
from callcrm.telephony.asterisk import Adapter
from callcrm.telephony.sides import Sides

#: Calls of one day of the past, between the first and the last hour of work.
CALLS_A_DAY = 14
HOURS = (9, 18)


def moments(now: datetime, days: int, dice: Random) -> list[datetime]:
    """When the past calls began, in order: `days` whole days, and today until a quarter of an hour ago."""
    found = []
    for back in range(days, -1, -1):
        day = (now - timedelta(days=back)).replace(hour=0, minute=0, second=0, microsecond=0)
        hours = (dice.uniform(*HOURS) for _ in range(CALLS_A_DAY))
        found += [day + timedelta(hours=hour) for hour in sorted(hours)]
    recent = [now - timedelta(minutes=minutes) for minutes in (95, 72, 58, 41, 33, 24, 16)]
    return sorted([one for one in found if one < now - timedelta(hours=2)] + recent)


def past_calls(story: Story, pbx: str, began: Sequence[datetime], dice: Random, folder: Path | None) -> Iterator[Call]:
    """One finished call after the other, as the tracker and the call model make them of the played events.

    Their recordings are written below `folder` (none: nowhere). Blocks: use it in a thread.
    """
    past = _Past(replace(story, talk=(1.0, 4.0)), pbx, dice, began[0].timestamp() if began else 0.0)
    for at in began:
        yield from past.play(story.some_calls(dice)[0], at.timestamp())
        for recording in past.recordings:
            if folder is not None:
                write_recording(folder, recording)
        past.recordings.clear()


class _Past:
    """A stage whose clock is set by what is played on it."""

    def __init__(self, story: Story, pbx: str, dice: Random, start: float) -> None:
        self.recordings: list[Recording] = []
        self._story = story
        self._pbx = pbx
        self._dice = dice
        self._stage = Stage(story, start, on_recording=self.recordings.append)
        self._counters = Counters(Random(dice.random()))
        self._casting = Casting(story, self._stage.state, dice)

    def play(self, name: str, at: float) -> list[Call]:
        """The calls of one play, each as it ended."""
        trace = load(name)
        cast = self._casting.operators(trace)
        if cast is None:
            return []
        people = self._casting.people(trace)
        play = Play(trace, self._story, self._counters, cast, people, began=at, dice=self._dice)
        found = self._follow(play)
        self._counters.spaces.difference_update(play.names.spaces)
        return sorted((one for one in found.values() if one.state == "ended"), key=lambda call: call.at or 0.0)

    def _follow(self, play: Play) -> dict[str, Call]:
        tracker, adapter, calls = Tracker(), Adapter(Sides("PJSIP/trunk", r"PJSIP/1\d\d")), Calls(self._pbx)
        changes: list[Change] = []
        moment = play.began
        for _, moment, message in play.events():
            events = [event for one in self._stage.put(message, moment) for event in tracker.feed(one, moment)]
            changes += calls.steps([signal for event in events for signal in adapter.hear(event)])
        changes += calls.tick(moment + 120)
        found: dict[str, Call] = {}
        for change in changes:
            for gone in change.was:
                found.pop(gone, None)
            found[change.call.id] = change.call
        return found
