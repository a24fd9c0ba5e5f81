"""Which recordings still lack a name: MixMonitorStart tells none, and where nothing else does it is asked for."""

from collections import OrderedDict

from ami.messages import Message, first, values

_KEPT = 2000


class SoundNames:
    """Watches for names of recordings; `hear` gives a MixMonitorStart whose name must be asked for."""

    VARIABLE = "MIXMONITOR_FILENAME"

    def __init__(self) -> None:
        self._named: OrderedDict[str, None] = OrderedDict()

    def hear(self, message: Message) -> Message | None:
        """Learn from one event; the event itself when a recording began and nobody said its name."""
        name = first(message, "Event")
        if name == "VarSet":
            if first(message, "Variable") == self.VARIABLE and first(message, "Value"):
                self._know(first(message, "Uniqueid"))
            return None
        if name != "MixMonitorStart":
            return None
        told = any(
            value.startswith(f"{self.VARIABLE}=") and value[-1] != "=" for value in values(message, "ChanVariable")
        )
        if told or first(message, "Uniqueid") in self._named or not first(message, "Channel"):
            return None
        return message

    def answer(self, begun: Message, file: str) -> Message | None:
        """The name as an event of the channel that is recorded, as the PBX would have told it."""
        if not file or first(begun, "Uniqueid") in self._named:
            return None
        headers = {key: value for key, value in begun.items() if key not in ("Event", "Privilege", "ActionID")}
        return {"Event": "VarSet", **headers, "Variable": self.VARIABLE, "Value": file}

    def _know(self, uniqueid: str) -> None:
        self._named[uniqueid] = None
        if len(self._named) > _KEPT:
            self._named.popitem(last=False)
