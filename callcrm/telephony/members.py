"""Which interfaces an operator sits in queues by: what pausing needs to know, learned from the event stream."""

from ami.messages import Message, first

#: Events that name a queue's member.
WANTED = frozenset(
    {
        "QueueMember",
        "QueueMemberAdded",
        "QueueMemberRemoved",
        "QueueMemberPause",
        "QueueMemberStatus",
        "QueueParams",
        "QueueStatusComplete",
    }
)


class Members:
    """Members of one PBX's queues: (queue, interface) and whose phone it is."""

    def __init__(self) -> None:
        self._phones: dict[tuple[str, str], str] = {}

    def hear(self, message: Message) -> None:
        """Learn from one event."""
        name = first(message, "Event")
        if name not in WANTED:
            return
        queue = first(message, "Queue")
        interface = first(message, "Interface") or first(message, "Location")
        if not queue or not interface:
            return
        if name == "QueueMemberRemoved":
            self._phones.pop((queue, interface), None)
        else:
            self._phones[queue, interface] = first(message, "StateInterface") or interface

    def of(self, extension: str, queue: str = "") -> list[tuple[str, str]]:
        """(queue, interface) of an operator's memberships; in one queue, or in all."""
        return [
            (in_queue, interface)
            for (in_queue, interface), phone in self._phones.items()
            if (not queue or in_queue == queue) and extension in (peer(phone), peer(interface))
        ]


def peer(interface: str) -> str:
    """`104` of `PJSIP/104` and of `Local/104@from-queue/n`."""
    return interface.partition("/")[2].partition("/")[0].partition("@")[0]
