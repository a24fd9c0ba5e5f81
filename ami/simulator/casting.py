"""Who plays which part: operators that are free and sit in the right queue, and people who are not in a call."""

from collections import deque
from collections.abc import Sequence
from random import Random

from ami.simulator.state import PbxState
from ami.simulator.story import Person, Story
from ami.simulator.trace import Trace

#: How likely somebody whose call failed is the next who calls, or is called.
_CALLS_AGAIN = 0.35


class Casting:
    """Keeps who is busy: an operator never has two parts at once."""

    def __init__(self, story: Story, state: PbxState, dice: Random) -> None:
        self._story = story
        self._state = state
        self._dice = dice
        self.busy: set[str] = set()
        self.reserved: set[str] = set()
        self.calling: set[str] = set()
        self._again: deque[Person] = deque(maxlen=5)

    def operators(
        self, trace: Trace, asked: Sequence[str] = (), *, lead: str = "", without: frozenset[str] = frozenset()
    ) -> dict[str, str] | None:
        """Recorded extension → who plays it; None while too few are free.

        `asked` are extensions in the order of the trace's parts; `lead` gets the first part that he can play.
        """
        if asked:
            chosen = dict(zip(trace.operators, asked, strict=False))
            if any(one in self.busy for one in asked):
                return None
        else:
            chosen = {}
        parts = [part for part in trace.operators if part not in chosen]
        if lead:
            part = next((one for one in self._leading(parts) if self._can(trace, one, lead)), None)
            if part is None or lead in self.busy:
                return None
            chosen[part] = lead
        free = [one.extension for one in self._story.operators if self._free(one.extension, chosen, without)]
        self._dice.shuffle(free)
        for part in sorted(parts, key=lambda one: one not in trace.members):
            if part in chosen:
                continue
            player = next((one for one in free if self._can(trace, part, one)), None)
            if player is None:
                return None
            free.remove(player)
            chosen[part] = player
        return chosen

    def _leading(self, parts: list[str]) -> list[str]:
        """The part that a call is about, and now and then another first."""
        return parts if self._dice.random() < 0.8 else parts[1:] + parts[:1]

    def _free(self, extension: str, chosen: dict[str, str], without: frozenset[str]) -> bool:
        return extension not in self.busy | self.reserved | without and extension not in chosen.values()

    def _can(self, trace: Trace, part: str, extension: str) -> bool:
        name = trace.members.get(part)
        queue = self._state.queues.get(name) if name else None
        if queue is None:
            return True
        return any(one.extension == extension and not one.paused for one in queue.members.values())

    def people(self, trace: Trace, asked: Sequence[Person] = ()) -> dict[str, Person]:
        """Recorded number → who plays it."""
        chosen: dict[str, Person] = dict(zip(trace.clients, asked, strict=False))
        for number in trace.clients[len(chosen) :]:
            taken = frozenset(self.calling | {one.number for one in chosen.values()})
            chosen[number] = self._somebody(trace, number, taken)
        return chosen

    def _somebody(self, trace: Trace, number: str, taken: frozenset[str]) -> Person:
        if self._again and self._dice.random() < _CALLS_AGAIN:
            person = self._again.popleft()
            if person.number not in taken and (number in trace.callers or "+" not in person.number):
                return person
        named = trace.name == "direct_named_caller"
        for _ in range(20):
            person = self._story.somebody(self._dice, local=number not in trace.callers, not_these=taken)
            if person.said or not named:
                break
        return person

    def calls_again(self, people: Sequence[Person]) -> None:
        """These did not get through: one of the next calls may be theirs, or to them."""
        self._again.extend(people)
