"""Transfers and parking: events that speak of several channels at once."""

from ami import legs
from ami.messages import Message, first
from ami.tracker.channel import Channel, known
from ami.tracker.seeing import see
from ami.tracker.world import World


def blind_transfer(world: World, message: Message, at: float) -> None:
    """BlindTransfer: the transferer sends the transferee to an extension."""
    transferer = see(world, message, at, "Transferer")
    moved = see(world, message, at, "Transferee")
    if first(message, "Result", "Success") != "Success":
        return
    uid = transferer.uid if transferer is not None else known(first(message, "TransfererUniqueid"))
    if uid:
        exten = first(message, "Extension")
        party = moved.uid if moved is not None else None
        world.tell(legs.LegTransferred(at, uid, kind="blind", second=None, moved=party, target=None, exten=exten))


def attended_transfer(world: World, message: Message, at: float) -> None:
    """AttendedTransfer: the transferer joins the party of his one line with the party of the other."""
    orig = see(world, message, at, "OrigTransferer")
    second = see(world, message, at, "SecondTransferer")
    moved = see(world, message, at, "Transferee")
    target = see(world, message, at, "TransferTarget")
    if first(message, "Result", "Success") != "Success":
        return
    uid = orig.uid if orig is not None else known(first(message, "OrigTransfererUniqueid"))
    other = second.uid if second is not None else known(first(message, "SecondTransfererUniqueid"))
    if not uid:
        return
    exten = known(first(message, "SecondTransfererExten"))
    who = _behind(world, target, moved)
    party = moved.uid if moved is not None else None
    world.tell(
        legs.LegTransferred(at, uid, kind="attended", second=other or None, moved=party, target=who, exten=exten)
    )


def _behind(world: World, target: Channel | None, moved: Channel | None) -> str | None:
    """The leg that the target stands for: itself, or whoever is behind its Local pair."""
    if target is None or target.party:
        return target.uid if target is not None else None
    others = world.listeners(target.uid) - {moved.uid if moved is not None else ""}
    return min(others) if others else None


def parked_call(world: World, message: Message, at: float) -> None:
    """ParkedCall: the parkee waits at a space. In a list (with an ActionID) it tells what is so already."""
    parkee = see(world, message, at, "Parkee")
    if parkee is not None and parkee.told:
        parkee.parked = True
        world.tell(legs.LegParked(at, parkee.uid, first(message, "ParkerDialString"), first(message, "ParkingSpace")))


def _unpark(world: World, message: Message, at: float, how: str) -> None:
    parkee = see(world, message, at, "Parkee")
    retriever = see(world, message, at, "Retriever") if how == "retrieved" else None
    if parkee is None or not parkee.parked:
        return
    parkee.parked = False
    if retriever is not None:
        retriever.mate = parkee.uid
    world.tell(legs.LegUnparked(at, parkee.uid, how, retriever.uid if retriever is not None else None))


def unparked_call(world: World, message: Message, at: float) -> None:
    """UnParkedCall: somebody took the parked call."""
    _unpark(world, message, at, "retrieved")


def parked_timeout(world: World, message: Message, at: float) -> None:
    """ParkedCallTimeOut: nobody took it; it goes back to who parked it."""
    _unpark(world, message, at, "timed_out")


def parked_given_up(world: World, message: Message, at: float) -> None:
    """ParkedCallGiveUp: the parked party hung up."""
    _unpark(world, message, at, "given_up")
