"""Whose turn it is: nothing is lost, nothing of one call or client is overtaken, and a pop waits for nobody."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from callcrm.telephony.turns import BEHIND_S, PATIENT, QUIET_S, Turns

KINDS = [
    "call.began",
    "call.changed",
    "call.left",
    "call.ended",
    "call.stopped_ringing",
    "call.ringing",
    "call.answered",
]
HURRIED = {"call.ringing", "call.answered"}


@dataclass(frozen=True)
class OfCall:
    """A call, as far as turns look at it."""

    id: str
    client: str | None = None


@dataclass(frozen=True)
class Changed:
    """A change, numbered in the order of coming."""

    n: int
    kind: str
    call: OfCall = field(default_factory=lambda: OfCall("a"))
    was: tuple[str, ...] = ()


def changed(n: int, kind: str, call: str = "a", client: str | None = None) -> Changed:
    return Changed(n, kind, OfCall(call, client))


def test_a_phone_that_rings_overtakes_what_waits_of_other_calls() -> None:
    turns = Turns(200)
    turns.add([changed(0, "call.changed", "a")], 0.0)
    turns.add([changed(1, "call.ringing", "b")], 0.01)
    turn = turns.take(0.01)
    assert ([one.n for one in turn.changes], turn.urgent) == ([1], True)
    assert turns.due == PATIENT["call.changed"]


def test_a_change_goes_with_the_ringing_of_its_own_call() -> None:
    turns = Turns(200)
    turns.add([changed(0, "call.began"), changed(1, "call.ended", "b"), changed(2, "call.ringing")], 0.0)
    assert [one.n for one in turns.take(0.0).changes] == [0, 2]


def test_calls_of_one_client_stay_in_order() -> None:
    turns = Turns(200)
    turns.add([changed(0, "call.ended", "a", "+79161234567")], 0.0)
    turns.add([changed(1, "call.ringing", "b", "+79161234567")], 0.0)
    assert [one.n for one in turns.take(0.0).changes] == [0, 1]


def test_after_a_pop_the_others_leave_it_the_processor() -> None:
    turns = Turns(200)
    turns.add([changed(0, "call.ended", "a")], 0.0)
    turns.add([changed(1, "call.ringing", "b")], PATIENT["call.ended"])
    assert turns.take(PATIENT["call.ended"]).urgent
    assert turns.take(PATIENT["call.ended"] + 0.001).changes == []
    assert turns.due == PATIENT["call.ended"] + QUIET_S


def test_behind_a_slow_database_everything_goes_strictly_in_order() -> None:
    turns = Turns(3)
    turns.add([changed(n, "call.changed", str(n)) for n in range(5)], 0.0)
    turns.add([changed(5, "call.ringing", "5")], BEHIND_S)
    taken = [turns.take(2 * BEHIND_S) for _ in range(2)]
    assert [[one.n for one in turn.changes] for turn in taken] == [[0, 1, 2], [3, 4, 5]]


@st.composite
def days(draw: st.DrawFn) -> list[tuple[float, Changed]]:
    """Changes of some calls of some clients, some folded into others, with pauses between."""
    steps, at = [], 0.0
    for n in range(draw(st.integers(1, 40))):
        at += draw(st.sampled_from([0.0, 0.001, 0.02, 0.2]))
        call = draw(st.sampled_from("abcde"))
        client = draw(st.sampled_from([None, "1", "2"]))
        was = (draw(st.sampled_from("fgab")),) if draw(st.integers(0, 9)) == 0 else ()
        steps.append((at, Changed(n, draw(st.sampled_from(KINDS)), OfCall(call, client), was)))
    return steps


@given(days(), st.integers(1, 50))
def test_nothing_is_lost_doubled_or_overtaken(day: list[tuple[float, Changed]], most: int) -> None:
    turns, written = Turns(most), list[Changed]()
    for line, (at, change) in enumerate(day, 1):
        while turns.due is not None and turns.due <= at:
            written += turns.take(turns.due).changes
        turns.add([change], at, line)
        turn = turns.take(at)
        assert not turn.urgent or any(one.kind in HURRIED for one in turn.changes)
        assert change.kind not in HURRIED or change in turn.changes or len(turns) + len(turn.changes) > most
        written += turn.changes
    while len(turns):
        written += turns.take(day[-1][0] + 1, everything=True).changes
    assert sorted(one.n for one in written) == list(range(len(day)))
    for kin in ([one.n for one in written if _belongs(one, key)] for key in ("a", "b", "c", "d", "e", "1", "2")):
        assert kin == sorted(kin)


def _belongs(change: Changed, key: str) -> bool:
    return key in {change.call.id, change.call.client, *change.was}
