"""A client that was away is told everything or told to refetch; it never misses silently."""

import json
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from callcrm.kernel import clock
from callcrm.kernel.tables import FactRow
from callcrm.kernel.writer import Unit
from callcrm.push import resume
from callcrm.tasks.tables import Task
from tests.push.stage import STREAM, Listener, Stage

STEPS = st.lists(st.sampled_from(["ring", "answer", "end", "change", "task", "other"]), min_size=2, max_size=10)
#: Whether changes of calls, which are gathered for a moment, are told before the cut and before the return.
REST = st.tuples(st.booleans(), st.booleans())

#: Who is told of everything since ever hears the ends of former plays, too: no two have the same name.
_ENDS = count(1)


class Script:
    """Plays steps on one call after another."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.call = ""

    async def play(self, step: str) -> None:
        if step == "ring" or not self.call:
            self.call = await self.stage.call(facts=[("call.ringing", "olga")], state="ringing")
        elif step == "answer":
            await self.stage.happen("call.answered", self.call, "olga", state="talking", operator="101")
        elif step == "end":
            await self.stage.happen("call.ended", self.call, state="ended", ended_at=clock.now(), outcome="answered")
            self.call = ""
        elif step == "change":
            await self.stage.happen("call.changed", self.call, state="held")
        elif step == "task":
            await self.stage.writer.do(self._task, name="task")
        else:
            await self.stage.call(direction="internal", facts=[("call.ringing", "ivan")])

    async def _task(self, unit: Unit) -> None:
        row = {"kind": "task", "title": "Call", "owner_id": self.stage.actors["olga"].user_id, "created_at": unit.now}
        key = (await unit.db.execute(insert(Task).returning(Task.id), row)).scalar_one()
        unit.fact("task.created", task=key, owner=row["owner_id"])

    async def rest(self) -> None:
        """Until everything was told to those who are there."""
        await self.stage.settle()
        while self.stage.feed.gathering:
            await self.stage.settle()

    async def finish(self) -> str:
        """A last message that everybody gets, behind all others; its queue's name."""
        await self.rest()
        name = f"end {next(_ENDS)}"

        async def tell(unit: Unit) -> None:
            unit.fact("queue.changed", stream=STREAM, pbx="office", queue=name)

        await self.stage.writer.do(tell, name="end")
        return name


async def read_to(listener: Listener, queue: str) -> None:
    while (await listener.next("queue.changed"))["data"]["queue"] != queue:
        pass


def knows(frames: list[dict[str, Any]]) -> dict[tuple[str, Any], Any]:
    """What a client holds of each thing after these frames."""
    held: dict[tuple[str, Any], Any] = {}
    for frame in frames:
        data = frame["data"]
        if frame["type"].startswith("pop."):
            held["pop", data["pop"]] = (frame["type"], data["state"], data["reason"], data["answered_at"])
        elif frame["type"] == "call.changed":
            held["call", data["call"]] = (data["state"], data["outcome"], data["operator"], data["rang"])
        elif frame["type"].startswith("task."):
            held["task", data["task"]] = (data["title"], data["state"])
    return held


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=STEPS, between=STEPS, after=STEPS, cut=st.integers(0, 10), rest=REST)
async def test_a_gap_at_any_point_is_told_in_full(
    stage: Stage, before: list[str], between: list[str], after: list[str], cut: int, rest: tuple[bool, bool]
) -> None:
    script = Script(stage)
    always, leaves = await stage.listen("olga"), await stage.listen("olga")
    for step in before:
        await script.play(step)
    if rest[0]:
        await script.rest()
    for _ in range(cut):
        if await leaves.quiet("none", 0.02) and len(leaves.seen) >= cut:
            break
    leaves.seen = leaves.seen[: max(1, len(leaves.seen) - cut % 3)]
    last = leaves.seen[-1]["id"]
    await leaves.socket.close()
    for step in between:
        await script.play(step)
    if rest[1]:
        await script.rest()
    back = await stage.listen("olga", after=last, hello=False)
    for step in after:
        await script.play(step)
    end = await script.finish()
    await read_to(always, end)
    await read_to(back, end)
    assert "refetch" not in {frame["type"] for frame in back.seen}
    # Who left before his hello has been told nothing for sure: he is told of older calls too, which is no fault.
    told, wanted = knows(leaves.seen + back.seen), knows(always.seen)
    assert {thing: told.get(thing) for thing in wanted} == wanted
    await always.socket.close()
    await back.socket.close()


async def test_a_break_in_the_middle_of_the_telling_loses_nothing(stage: Stage) -> None:
    script = Script(stage)
    first = await stage.listen("olga")
    last = first.seen[-1]["id"]
    await first.socket.close()
    for step in ("ring", "answer", "end", "ring", "task", "task"):
        await script.play(step)
    end = await script.finish()
    whole = await stage.listen("olga", after=last, hello=False)
    await read_to(whole, end)
    told = [frame for frame in whole.seen if frame["type"] != "hello"]
    for cut in range(1, len(told)):
        again = await stage.listen("olga", after=told[cut - 1]["id"], hello=False)
        await again.next("hello")
        assert knows(told[:cut] + again.seen) == knows(told)
        await again.socket.close()


async def test_hello_ends_the_telling_and_what_follows_resumes_from_it(stage: Stage) -> None:
    await stage.call(facts=[("call.ringing", "olga")])
    script = Script(stage)
    await script.finish()
    await stage.settle()
    olga = await stage.listen("olga")
    again = await stage.listen("olga", after=olga.seen[-1]["id"])
    assert [frame["type"] for frame in again.seen if not frame["type"].startswith("pop.")] == ["hello"]


async def test_an_id_of_another_server_is_answered_with_refetch(stage: Stage) -> None:
    for after in ("nonsense", "1.desk:999999", "1.desk:0,pbx%3Aelsewhere:5"):
        olga = await stage.listen("olga", after=after)
        assert "refetch" in {frame["type"] for frame in olga.seen}, after


async def test_too_wide_a_gap_is_answered_with_refetch(stage: Stage, monkeypatch: Any) -> None:
    monkeypatch.setattr(resume, "MOST", 5)
    olga = await stage.listen("olga")
    last = olga.seen[-1]["id"]
    for _ in range(4):
        await stage.call(facts=[("call.ringing", "ivan")])
    await stage.settle()
    again = await stage.listen("olga", after=last)
    refetch = next(frame for frame in again.seen if frame["type"] == "refetch")
    assert refetch["data"]["why"]


async def test_facts_that_are_no_longer_kept_are_answered_with_refetch(stage: Stage) -> None:
    olga = await stage.listen("olga")
    last = olga.seen[-1]["id"]
    await stage.call(facts=[("call.ringing", "ivan")])
    await stage.call(facts=[("call.ringing", "ivan")])
    await stage.settle()

    async def prune(unit: Unit) -> None:
        await unit.db.execute(delete(FactRow).where(FactRow.stream == STREAM, FactRow.position <= 2))

    await stage.writer.do(prune, name="prune")
    again = await stage.listen("olga", after=last)
    assert "refetch" in {frame["type"] for frame in again.seen}


async def test_what_happens_while_one_catches_up_comes_after_it(stage: Stage) -> None:
    olga = await stage.listen("olga")
    last = olga.seen[-1]["id"]
    call = await stage.call(facts=[("call.ringing", "olga")])
    await stage.settle()
    again = await stage.listen("olga", after=last, hello=False)
    await stage.happen("call.answered", call, "olga", state="talking")
    await again.next("pop.answered")
    types = [frame["type"] for frame in again.seen if frame["type"].startswith("pop.")]
    assert types[-1] == "pop.answered"
    assert json.dumps(types) in ('["pop.offered", "pop.answered"]', '["pop.answered"]')
