"""Calls as a call centre has them: each makes real calls in a lab and tells what happened from the phones' side."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.pbx.lab import Lab
from tests.pbx.leg import Leg

SALES, SUPPORT, MENU, CLOSED = "74950000001", "74950000002", "74950000003", "74950000004"
ANNA, BORIS, CLARA = "79161234567", "79262345678", "79033456789"

Scenario = Callable[[Lab], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}
sleep = asyncio.sleep


def scenario(play: Scenario) -> Scenario:
    """Enters a scenario into the list under its function's name."""
    SCENARIOS[getattr(play, "__name__", "")] = play
    return play


def line_of(operator: str) -> str:
    """An operator's own number."""
    return f"749500001{operator[1:]}"


async def over(*legs: Leg) -> None:
    for leg in legs:
        await leg.over()


async def talk(
    lab: Lab, number: str, operator: str, seconds: float, caller: str = ANNA, ring: float = 1
) -> tuple[Leg, Leg]:
    """A client calls a number, one operator answers; the client's leg and the operator's."""
    client = await lab.trunk.call(number, caller=caller)
    leg = await lab.phones[operator].incoming()
    await sleep(ring)
    leg.answer()
    await sleep(seconds)
    return client, leg


# ---- queues -----------------------------------------------------------------------------
@scenario
async def ring_all(lab: Lab) -> None:
    """A client calls sales; three phones ring, 102 answers; the client hangs up."""
    phones = await lab.operators("101", "102", "103")
    client = await lab.trunk.call(SALES, caller=ANNA)
    legs = [await phone.incoming() for phone in phones]
    await sleep(1.5)
    legs[1].answer()
    await sleep(3)
    client.hang_up()
    await over(*legs)
    lab.tell("inbound", ANNA, SALES, client, list(zip(("101", "102", "103"), legs, strict=True)), queue="sales")


@scenario
async def queue_operator_ends(lab: Lab) -> None:
    """A client calls sales; 101 answers and ends the call."""
    await lab.operators("101")
    client, leg = await talk(lab, SALES, "101", 2.5)
    leg.hang_up()
    await over(client)
    lab.tell("inbound", ANNA, SALES, client, [("101", leg)], queue="sales", ended_by="other side")


@scenario
async def abandoned(lab: Lab) -> None:
    """A client waits in sales while two phones ring, and gives up."""
    phones = await lab.operators("101", "102")
    client = await lab.trunk.call(SALES, caller=ANNA)
    legs = [await phone.incoming() for phone in phones]
    await sleep(3)
    client.hang_up()
    await over(*legs)
    lab.tell("inbound", ANNA, SALES, client, list(zip(("101", "102"), legs, strict=True)), queue="sales", missed=True)


@scenario
async def nobody_there(lab: Lab) -> None:
    """Nobody's phone is registered: the client is not let into the queue."""
    client = await lab.trunk.call(SALES, caller=ANNA)
    await over(client)
    lab.tell("inbound", ANNA, SALES, client, [], missed=True)


@scenario
async def one_after_the_other(lab: Lab) -> None:
    """Support: the first phone does not answer in 4 s, the second does (Local members)."""
    await lab.operators("104", "105")
    client = await lab.trunk.call(SUPPORT, caller=ANNA)
    rings = {asyncio.create_task(lab.phones[user].incoming()): user for user in ("104", "105")}
    done, rest = await asyncio.wait(rings, return_when=asyncio.FIRST_COMPLETED)
    first, second = done.pop(), rest.pop()
    await over(first.result())
    leg = await second
    await sleep(1)
    leg.answer()
    await sleep(3)
    client.hang_up()
    await over(leg)
    parts = [(rings[first], first.result()), (rings[second], leg)]
    lab.tell("inbound", ANNA, SUPPORT, client, parts, queue="support")


@scenario
async def two_at_once(lab: Lab) -> None:
    """Two clients call sales at once; two operators take them."""
    phones = await lab.operators("101", "102")
    one = await lab.trunk.call(SALES, caller=ANNA)
    legs = [await phone.incoming() for phone in phones]
    await sleep(0.5)
    legs[0].answer()
    await over(legs[1])
    two = await lab.trunk.call(SALES, caller=BORIS)
    second = await phones[1].incoming()
    await sleep(1)
    second.answer()
    await sleep(2)
    one.hang_up()
    await sleep(1)
    two.hang_up()
    await over(legs[0], second)
    lab.tell("inbound", ANNA, SALES, one, [("101", legs[0]), ("102", legs[1])], queue="sales")
    lab.tell("inbound", BORIS, SALES, two, [("102", second)], queue="sales")


# ---- an operator's own number ---------------------------------------------------------------
@scenario
async def direct(lab: Lab) -> None:
    """A client calls 101's own number; 101 answers, the client hangs up."""
    await lab.operators("101")
    client, leg = await talk(lab, line_of("101"), "101", 3)
    client.hang_up()
    await over(leg)
    lab.tell("inbound", ANNA, line_of("101"), client, [("101", leg)])


@scenario
async def no_answer(lab: Lab) -> None:
    """101's phone rings until the PBX ends the call."""
    await lab.operators("101")
    client = await lab.trunk.call(line_of("101"), caller=BORIS)
    leg = await lab.phones["101"].incoming()
    await over(client, leg)
    lab.tell("inbound", BORIS, line_of("101"), client, [("101", leg)], missed=True)


@scenario
async def busy(lab: Lab) -> None:
    """101's phone says busy."""
    await lab.operators("101")
    client = await lab.trunk.call(line_of("101"), caller=ANNA)
    leg = await lab.phones["101"].incoming()
    leg.reject(486)
    await over(client)
    lab.tell("inbound", ANNA, line_of("101"), client, [("101", leg)], missed=True, why="busy")


@scenario
async def anonymous_missed(lab: Lab) -> None:
    """The client hides his number and gives up."""
    await lab.operators("101")
    client = await lab.trunk.call(line_of("101"), caller="anonymous", name="Anonymous", headers={"Privacy": "id"})
    leg = await lab.phones["101"].incoming()
    await sleep(2)
    client.hang_up()
    await over(leg)
    lab.tell("inbound", None, line_of("101"), client, [("101", leg)], missed=True)


@scenario
async def hold(lab: Lab) -> None:
    """101 puts the client on hold for 2 s and comes back."""
    await lab.operators("101")
    client, leg = await talk(lab, line_of("101"), "101", 1.5)
    await leg.hold()
    await sleep(2)
    await leg.unhold()
    await sleep(1.5)
    client.hang_up()
    await over(leg)
    lab.tell("inbound", ANNA, line_of("101"), client, [("101", leg)], hold_s=2)


@scenario
async def menu_left(lab: Lab) -> None:
    """The client hangs up within the menu."""
    client = await lab.trunk.call(MENU, caller=ANNA)
    await sleep(3)
    client.hang_up()
    lab.tell("inbound", ANNA, MENU, client, [], missed=True, why="ivr")


@scenario
async def voicemail(lab: Lab) -> None:
    """101 does not answer in 4 s; the client speaks to the machine."""
    await lab.operators("101")
    client = await lab.trunk.call("74950000201", caller=ANNA)
    leg = await lab.phones["101"].incoming()
    await over(leg)
    await client.talking()
    await sleep(8)
    client.hang_up()
    lab.tell("inbound", ANNA, "74950000201", client, [("101", leg)], missed=True, voicemail="101")


# ---- out, and within the house ------------------------------------------------------------------
@scenario
async def call_out(lab: Lab) -> None:
    """101 calls a client, who answers; 101 hangs up."""
    await lab.operators("101")
    leg = await lab.phones["101"].call(ANNA)
    client = await lab.trunk.incoming()
    await sleep(1.5)
    client.answer()
    await sleep(3)
    leg.hang_up()
    await over(client)
    wait_s = (client.answered or 0) - leg.began
    lab.tell(
        "outbound",
        ANNA,
        ANNA,
        leg,
        [],
        rang=[],
        answered_by=["101"],
        wait_s=wait_s,
        talk_s=client.talk_s,
        operator="101",
    )


@scenario
async def call_out_no_answer(lab: Lab) -> None:
    """101 calls a client, who does not answer; 101 gives up."""
    await lab.operators("101")
    leg = await lab.phones["101"].call(BORIS)
    client = await lab.trunk.incoming()
    await sleep(3)
    leg.hang_up()
    await over(client)
    lab.tell("outbound", BORIS, BORIS, leg, [], rang=[], answered_by=[], operator="101", outcome="no answer")


@scenario
async def internal(lab: Lab) -> None:
    """101 calls 102, who answers."""
    await lab.operators("101", "102")
    leg = await lab.phones["101"].call("102")
    other = await lab.phones["102"].incoming()
    await sleep(1)
    other.answer()
    await sleep(2)
    leg.hang_up()
    await over(other)
    lab.tell("internal", None, "102", leg, [("102", other)], caller="101")


@scenario
async def click_to_call(lab: Lab) -> None:
    """Click to call: 101 picks up, then the client is called and answers."""
    await lab.operators("101")
    wish = {"Channel": "PJSIP/101", "Context": "office", "Exten": ANNA, "Priority": "1"}
    asked = asyncio.create_task(
        lab.ami.action("Originate", CallerID=f'"Click to call" <{ANNA}>', Timeout="6000", Async="true", **wish)
    )
    leg = await lab.phones["101"].incoming()
    await asked
    await sleep(1)
    leg.answer()
    client = await lab.trunk.incoming()
    await sleep(1.5)
    client.answer()
    await sleep(3)
    client.hang_up()
    await over(leg)
    wait_s = (client.answered or 0) - leg.began
    happened = {"operator": "101", "click_to_call": True}
    lab.tell("outbound", ANNA, ANNA, leg, [("101", leg)], wait_s=wait_s, talk_s=client.talk_s, **happened)


# ---- transfers, parking, pickup ---------------------------------------------------------------------
@scenario
async def blind_transfer(lab: Lab) -> None:
    """101 talks with the client and sends him to 102, who answers."""
    await lab.operators("101", "102")
    client, one = await talk(lab, line_of("101"), "101", 2)
    sent = asyncio.create_task(one.transfer("102"))
    two = await lab.phones["102"].incoming()
    await sent
    one.hang_up()
    await sleep(1.5)
    two.answer()
    await sleep(2.5)
    client.hang_up()
    await over(two)
    lab.tell("inbound", ANNA, line_of("101"), client, [("101", one), ("102", two)], transfers=[("blind", "101", "102")])


@scenario
async def attended_transfer(lab: Lab) -> None:
    """101 asks 102 on a second line, then joins the client with 102."""
    await lab.operators("101", "102")
    client, one = await talk(lab, line_of("101"), "101", 2)
    await one.hold()
    asking = await lab.phones["101"].call("102")
    two = await lab.phones["102"].incoming()
    await sleep(1)
    two.answer()
    await sleep(2)
    await one.join(asking)
    two.joined = asyncio.get_running_loop().time()
    one.hang_up()
    await sleep(3)
    client.hang_up()
    await over(two, asking)
    lab.tell(
        "inbound", ANNA, line_of("101"), client, [("101", one), ("102", two)], transfers=[("attended", "101", "102")]
    )


@scenario
async def pickup(lab: Lab) -> None:
    """101's phone rings for sales; 104, no member of it, takes the call by **101."""
    await lab.operators("101", "104")
    client = await lab.trunk.call(SALES, caller=ANNA)
    one = await lab.phones["101"].incoming()
    await sleep(1.5)
    two = await lab.phones["104"].call("**101")
    await two.talking()
    await sleep(2.5)
    client.hang_up()
    await over(one, two)
    lab.tell(
        "inbound", ANNA, SALES, client, [("101", one), ("104", two)], rang=["101"], queue="sales", pickup=("101", "104")
    )


@scenario
async def park(lab: Lab) -> None:
    """101 parks the client by a transfer to 700; 102 takes him back."""
    await lab.operators("101", "102")
    client, one = await talk(lab, line_of("101"), "101", 2)
    parked = asyncio.create_task(lab.ami.event(Event="ParkedCall"))
    sent = asyncio.create_task(one.transfer("700"))
    space = (await parked)["ParkingSpace"]
    one.left = asyncio.get_running_loop().time()
    await sent
    one.hang_up()
    await sleep(1.5)
    two = await lab.phones["102"].call(space)
    await two.talking()
    await sleep(2.5)
    client.hang_up()
    await over(one, two)
    lab.tell(
        "inbound",
        ANNA,
        line_of("101"),
        client,
        [("101", one), ("102", two)],
        rang=["101"],
        parked=("101", space, "102"),
    )
