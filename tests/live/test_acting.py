"""Click to call and what is done with a running call, asked for by our API, on a real Asterisk with real phones."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from callcrm.accounts import sessions
from callcrm.calls.tables import CallRow
from tests.live.desk import Desk, opened_desk, until
from tests.pbx.instance import Instance
from tests.pbx.lab import Lab
from tests.pbx.leg import Leg
from tests.pbx.scenarios import over

CLIENT = "79161234567"
NUMBER = f"+{CLIENT}"


@dataclass
class Program:
    """What one operator asks of the API, with a token of his."""

    desk: Desk
    session: ClientSession

    async def ask(self, method: str, path: str, body: Any = None, status: int = 202) -> Any:
        url = f"http://127.0.0.1:{self.desk.running.web_port}/api/v1{path}"
        async with self.session.request(method, url, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json(content_type=None)

    async def dials(self, number: str = NUMBER) -> str:
        return str((await self.ask("POST", "/dial", {"number": number}))["id"])

    async def step(self, dial: str, wanted: str, **more: Any) -> dict[str, Any]:
        """The dial, as soon as it is at this step."""

        async def look() -> dict[str, Any] | None:
            found = await self.ask("GET", f"/dial/{dial}", status=200)
            fits = found["step"] == wanted and all(found[name] == value for name, value in more.items())
            return found if fits else None

        found: dict[str, Any] = await until(look)
        return found

    async def live(self, *allowed: str) -> str:
        """The id of the call that goes on with the client, as soon as these actions are allowed."""

        async def look() -> str | None:
            open_ = [
                row for row in await self.desk.open_calls() if row["direction"] != "internal" and not row["serves"]
            ]
            if not open_:
                return None
            acts = await self.ask("GET", f"/calls/{open_[0]['id']}/actions", status=200)
            may = {one["action"] for one in acts["actions"] if one["allowed"]}
            return open_[0]["id"] if may.issuperset(allowed) else None

        found: str = await until(look)
        return found

    async def act(self, call: str, action: str, to: str = "") -> dict[str, Any]:
        """Ask for it, and wait until the PBX has done it."""
        command = await self.ask("POST", f"/calls/{call}/actions", {"action": action, "to": to})

        async def look() -> dict[str, Any] | None:
            found = await self.ask("GET", f"/commands/{command['id']}", status=200)
            return found if found["state"] not in ("wanted", "sent") else None

        found: dict[str, Any] = await until(look)
        assert found["state"] == "done", found["message"]
        return found


@pytest.fixture
async def program(asterisk: Instance, tmp_path: Path) -> AsyncIterator[Program]:
    """Operator 101's program."""
    async with opened_desk(asterisk, tmp_path) as desk:
        user = desk.users["op101"]
        token = await desk.running.writer.do(lambda unit: sessions.add_token(unit, user), name="token")
        async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            yield Program(desk, session)


async def talking(lab: Lab, phone: Any) -> tuple[Leg, Leg]:
    """A client calls 101, who answers."""
    client = await lab.trunk.call("74950000101", caller=CLIENT)
    own = await phone.incoming()
    own.answer()
    await client.talking()
    return client, own


async def the_call(desk: Desk, count: int = 1) -> dict[str, Any]:
    """The row of the client's call, once everything is over."""
    rows = await desk.calls(count)
    return next(row for row in rows if row["direction"] != "internal" and not row["serves"])


# ---- click to call ---------------------------------------------------------------------------------
async def test_a_click_rings_the_own_phone_then_the_client_and_both_talk(program: Program, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    dial = await program.dials()
    own = await phone.incoming()
    assert (await program.step(dial, "phone"))["says"] == "Lift your phone 101: it rings now."
    own.answer()
    client = await lab.trunk.incoming()
    await program.step(dial, "client")
    client.answer()
    talk = await program.step(dial, "talking", pending=False)
    await asyncio.sleep(0.3)
    client.hang_up()
    await over(own, client)
    assert (await program.step(dial, "over"))["outcome"] == "answered"
    row = await the_call(program.desk)
    assert (row["id"], row["click_to_call"], row["direction"]) == (talk["call"], True, "outbound")
    assert (row["client_number"], row["outcome"], row["operator"]) == (NUMBER, "answered", "101")
    assert [one["operator"] for one in row["talks"]] == ["101"]


@pytest.mark.parametrize(
    ("status", "reason", "outcome", "says"),
    [
        (486, "Busy Here", "busy", "The client’s line is busy."),
        (404, "Not Found", "no such number", "There is no such number."),
    ],
)
async def test_what_the_clients_side_said_is_the_outcome(
    program: Program, lab: Lab, status: int, reason: str, outcome: str, says: str
) -> None:
    (phone,) = await lab.operators("101")
    dial = await program.dials()
    (await phone.incoming()).answer()
    (await lab.trunk.incoming()).reject(status, reason)
    found = await program.step(dial, "over")
    assert (found["outcome"], found["says"]) == (outcome, says)
    assert (await the_call(program.desk))["outcome"] == outcome


async def test_a_busy_phone_of_ones_own_is_told_and_the_client_is_not_called(program: Program, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    dial = await program.dials()
    (await phone.incoming()).reject(486)
    found = await program.step(dial, "over", state="refused")
    assert found["says"] == "Your own phone 101 is busy; the client was not called."
    assert (await the_call(program.desk))["outcome"] == "operator did not pick up"


async def test_an_own_phone_that_nobody_lifts_is_told(program: Program, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    dial = await program.dials()
    own = await phone.incoming()
    own.reject(603, "Decline")
    found = await program.step(dial, "over", state="refused")
    assert "101" in found["says"]
    assert "not called" in found["says"]


async def test_it_is_cancelled_while_the_own_phone_rings(program: Program, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    dial = await program.dials()
    own = await phone.incoming()
    await program.ask("DELETE", f"/dial/{dial}")
    await own.over(5)
    found = await program.step(dial, "over", state="cancelled")
    assert (found["cancelled"], found["says"]) == (True, "You cancelled the call.")
    assert (await the_call(program.desk))["outcome"] == "operator did not pick up"


async def test_it_is_cancelled_while_the_clients_phone_rings(program: Program, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    dial = await program.dials()
    own = await phone.incoming()
    own.answer()
    client = await lab.trunk.incoming()
    await program.step(dial, "client")
    await program.ask("DELETE", f"/dial/{dial}")
    await over(own, client)
    assert client.ended_by == "pbx"
    assert (await program.step(dial, "over"))["says"] == "You cancelled the call."
    row = await the_call(program.desk)
    assert (row["outcome"], row["talks"]) == ("no answer", [])


async def test_cancelled_at_once_the_client_is_never_called(program: Program, lab: Lab) -> None:
    await lab.operators("101")
    dial = await program.dials()
    await program.ask("DELETE", f"/dial/{dial}")
    assert (await program.step(dial, "over"))["says"] == "You cancelled the call."
    with pytest.raises(TimeoutError):
        await lab.trunk.incoming(1.5)
    assert await program.desk.open_calls() == []


async def test_asked_twice_the_phone_rings_once(program: Program, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    first, second = await asyncio.gather(program.dials(), program.dials("8 916 123-45-67"))
    assert first == second
    own = await phone.incoming()
    with pytest.raises(TimeoutError):
        await phone.incoming(1.0)
    await program.ask("DELETE", f"/dial/{first}")
    await own.over(5)


# ---- a call that goes on ---------------------------------------------------------------------------
async def test_a_client_is_handed_on_at_once(program: Program, lab: Lab) -> None:
    first, second = await lab.operators("101", "102")
    client, own = await talking(lab, first)
    call = await program.live("blind")
    await program.act(call, "blind", "102")
    other = await second.incoming()
    await own.over(5)
    other.answer()
    await asyncio.sleep(0.5)
    client.hang_up()
    await over(other)
    row = await the_call(program.desk)
    assert row["id"] == call
    assert [(one["kind"], one["from"], one["to"], one["answered"]) for one in row["transfers"]] == [
        ("blind", "101", "102", True)
    ]
    assert [one["operator"] for one in row["talks"]] == ["101", "102"]


async def test_a_colleague_is_asked_first_and_takes_the_client(program: Program, lab: Lab) -> None:
    first, second = await lab.operators("101", "102")
    client, own = await talking(lab, first)
    call = await program.live("attended")
    await program.act(call, "attended", "102")
    other = await second.incoming()
    other.answer()
    await program.live("swap")
    await program.act(call, "swap")
    acts = await swapped(program, call)
    assert [one["action"] for one in acts if one["allowed"]] == ["swap"]
    await program.act(call, "swap")
    await program.live("complete")
    await program.act(call, "complete")
    await own.over(5)
    assert (client.ended, other.ended) == (None, None)
    await asyncio.sleep(0.5)
    client.hang_up()
    await over(other)
    row = await the_call(program.desk)
    assert [(one["kind"], one["from"], one["to"]) for one in row["transfers"]] == [("attended", "101", "102")]
    assert [one["operator"] for one in row["talks"]] == ["101", "102"]
    assert row["client_number"] == NUMBER


async def swapped(program: Program, call: str) -> list[dict[str, Any]]:
    """What may be done once the operator talks with the client again while the colleague waits."""

    async def look() -> list[dict[str, Any]] | None:
        acts = await program.ask("GET", f"/calls/{call}/actions", status=200)
        return acts["actions"] if any(one["allowed"] for one in acts["actions"]) else None

    found: list[dict[str, Any]] = await until(look)
    return found


@pytest.mark.parametrize("answers", [False, True])
async def test_a_consultation_is_cancelled_and_the_client_is_back(program: Program, lab: Lab, answers: bool) -> None:
    first, second = await lab.operators("101", "102")
    client, own = await talking(lab, first)
    call = await program.live("attended")
    await program.act(call, "attended", "102")
    other = await second.incoming()
    if answers:
        other.answer()
        await program.live("swap")
    await program.live("cancel")
    await program.act(call, "cancel")
    await other.over(5)
    assert (client.ended, own.ended) == (None, None)
    assert await program.live("attended") == call
    client.hang_up()
    await over(own)
    row = await the_call(program.desk, 2)
    assert row["transfers"] == []
    assert [one["operator"] for one in row["talks"]] == ["101"]


@pytest.mark.parametrize("how", ["hold", "park"])
async def test_a_client_waits_with_music_and_is_fetched_back(program: Program, lab: Lab, how: str) -> None:
    (phone,) = await lab.operators("101")
    client, own = await talking(lab, phone)
    call = await program.live(how)
    await program.act(call, how)
    await own.over(5)
    assert client.ended is None
    assert await program.live("fetch") == call
    fetching = asyncio.create_task(program.act(call, "fetch"))
    again = await phone.incoming()
    again.answer()
    await fetching
    assert await program.live("hold", "hang_up") == call
    await program.act(call, "hang_up")
    await over(again, client)
    row = await the_call(program.desk)
    assert (row["parked"]["by"], row["parked"]["retrieved_by"]) == ("101", "101")
    assert row["parked"]["space"]
    assert {one["operator"] for one in row["talks"]} == {"101"}
    assert (row["client_number"], row["outcome"]) == (NUMBER, "answered")


async def test_a_client_whom_we_called_is_held_and_fetched_back(program: Program, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    dial = await program.dials()
    own = await phone.incoming()
    own.answer()
    client = await lab.trunk.incoming()
    client.answer()
    await program.step(dial, "talking")
    call = await program.live("hold")
    await program.act(call, "hold")
    await own.over(5)
    assert client.ended is None
    assert await program.live("fetch") == call
    fetching = asyncio.create_task(program.act(call, "fetch"))
    again = await phone.incoming()
    again.answer()
    await fetching
    await program.live("hang_up")
    client.hang_up()
    await over(again)
    row = await the_call(program.desk)
    assert (row["parked"]["by"], row["parked"]["retrieved_by"]) == ("101", "101")


async def test_hanging_up_ends_the_call_on_both_sides(program: Program, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    client, own = await talking(lab, phone)
    call = await program.live("hang_up")
    await program.act(call, "hang_up")
    await over(client, own)
    row = await the_call(program.desk)
    assert (row["id"], row["outcome"]) == (call, "answered")
    problem = await program.ask("POST", f"/calls/{call}/actions", {"action": "hang_up"}, 409)
    assert problem["detail"] == "The call is over."


async def test_what_is_offered_is_what_the_manager_user_may(program: Program, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    client, own = await talking(lab, phone)
    call = await program.live("hold", "park", "blind", "attended", "hang_up")
    (row,) = await program.desk.rows(select(CallRow.state).where(CallRow.id == call))
    assert row["state"] == "talking"
    client.hang_up()
    await over(own)
