"""panoramisk's protocol, mended: whole characters, a filter by event name before decoding, and nothing raises.

What panoramisk 1.4 does otherwise, and what is done about it here:

* it decodes each TCP segment alone, so that a letter cut in two vanishes → bytes are framed first, decoded whole;
* an exception in a callback closes the link and loses the rest of the segment → caught, logged, counted;
* a last header with an empty value is dropped → `ami.messages` keeps it;
* `completed` and `multi` raise on some answers → answers are collected by `Asked`, which knows when a list ends;
* what was not answered when the link broke is sent again later → it fails at once with `PbxGone`.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import structlog
from panoramisk import Message as PanoramiskMessage
from panoramisk.actions import Action as PanoramiskAction
from panoramisk.ami_protocol import AMIProtocol

from ami.actions import Action
from ami.errors import PbxGone
from ami.messages import Decoder, Message, banner_version, first, is_banner

#: Names of events to keep; a mapping says too which text (one of) the event must hold, for floods such as VarSet.
Wanted = Collection[str] | Mapping[str, Collection[str]]
Sink = Callable[[float, Message], None]

#: What panoramisk's own actions (the log-in) are answered with when the link broke before their answer.
LINK_LOST = "link lost"
_ALWAYS = frozenset({"FullyBooted", "Shutdown", "OriginateResponse"})
_log = structlog.get_logger(__name__)


class Asked(PanoramiskAction):  # type: ignore[misc]
    """An action on its way: its answer, or the list of events that is the answer.

    `shown`: whether the answer's messages go into the stream of events too, in their order, as a snapshot's must.
    """

    def __init__(self, action: Action, *, shown: bool = False) -> None:
        headers: dict[str, Any] = {"Action": action.name}
        for key, value in action.headers:
            known = headers.get(key)
            headers[key] = value if known is None else [*known, value] if isinstance(known, list) else [known, value]
        super().__init__(headers, as_list=action.lists)
        self.asked, self.shown = action, shown

    def add_message(self, message: Message) -> bool:
        """Take one more message of the answer; True when it is whole."""
        self.responses.append(message)
        if not self.asked.lists or self._ends(message):
            if not self.future.done():
                self.future.set_result(self.responses)
            return True
        return False

    def _ends(self, message: Message) -> bool:
        if len(self.responses) == 1 and "Event" not in message:
            # "Success" opens the list; with any other word there will be none.
            return first(message, "Response").lower() != "success"
        complete = first(message, "EventList").lower() in ("complete", "cancelled")
        return complete or first(message, "Event").endswith("Complete")


class AmiProtocol(AMIProtocol):  # type: ignore[misc]
    """One connection's bytes to messages; handed to panoramisk's Manager as `protocol_factory`.

    `sink(at, message)` gets every event kept, in order; `at` is when its bytes came (seconds since the epoch).
    """

    def __init__(self, sink: Sink, wanted: Wanted | None = None) -> None:
        self._sink = sink
        self._wanted = _needles(wanted)
        self._decoder = Decoder()
        self.dropped = self.kept = self.failures = 0
        self.heard_at = time.monotonic()
        self.head = b""
        self.booted = False
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self.version: str | None = None
        self.responses: dict[str, PanoramiskAction] = {}
        self.closed = False

    @property
    def unreadable(self) -> Mapping[str, int]:
        """What could not be parsed, by kind."""
        return self._decoder.counts

    def data_received(self, data: bytes) -> None:
        """Bytes came, cut anywhere."""
        self.heard_at, at = time.monotonic(), time.time()
        if self.version is None and len(self.head) < 200:
            self.head += data[:200]
        if not self.booted and b"Event: FullyBooted" in data:
            self.booted = True
        parse, handle = self._decoder.parse, self.handle_message
        for block in self._decoder.blocks(data):
            if self._wanted is not None and self._unwanted(block):
                self.dropped += 1
                continue
            if is_banner(block):
                self.version = banner_version(block)
                continue
            message = parse(block)
            if message is not None:
                handle(message, at)

    def handle_message(self, message: Message, at: float | None = None) -> None:
        """Hand one message to whom it answers, or to the sink; whatever they raise stays here."""
        try:
            if self.responses and "ActionID" in message and not self._answer(message):
                return
            if "Event" in message or "ActionID" in message:
                self.kept += 1
                self._sink(time.time() if at is None else at, message)
        except Exception:
            self.failures += 1
            if self.failures <= 10:
                _log.exception("ami.message_failed", event_name=first(message, "Event"))

    def eof_received(self) -> bool:
        """The PBX said good-bye."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The link is gone: everything unanswered fails now, and nothing is sent again."""
        self.close()
        if not self.lost.done():
            self.lost.set_result(exc)
        if self.factory is not None:
            self.factory.connection_lost(exc)

    def close(self) -> None:
        """End the link at once; what was not yet written is not written any more."""
        if self.closed:
            return
        self.closed = True
        for asked in list({id(action): action for action in self.responses.values()}.values()):
            _fail(asked)
        self.responses.clear()
        self._decoder.end()
        if self.transport is not None:
            self.transport.abort()

    def forget(self, asked: PanoramiskAction) -> None:
        """Nobody waits for this answer any more."""
        self.responses.pop(asked.id, None)

    def _answer(self, message: Message) -> bool:
        """Give the message to the action that it answers; False when it is for nobody else."""
        asked = self.responses.get(first(message, "ActionID"))
        if asked is None:
            return True
        if not isinstance(asked, Asked):
            if asked.add_message(PanoramiskMessage(message)):
                self.responses.pop(asked.id, None)
            return False
        if asked.add_message(message):
            self.responses.pop(asked.id, None)
        return asked.shown

    def _unwanted(self, block: bytes) -> bool:
        """Whether nobody reads this event: told by its name, before anything is decoded."""
        begin = block.find(b"Event: ", 0, 9)
        if begin < 0:
            return False
        end = block.find(b"\r\n", begin)
        name = block[begin + 7 :] if end < 0 else block[begin + 7 : end]
        needles = self._wanted.get(name)  # type: ignore[union-attr]
        if needles is not None and (not needles or any(needle in block for needle in needles)):
            return False
        return not (self.responses and self._answers(block))

    def _answers(self, block: bytes) -> bool:
        begin = block.find(b"\r\nActionID: ")
        number = block[begin + 12 :].split(b"\r\n", 1)[0]
        return begin >= 0 and number.decode("utf-8", "replace") in self.responses


def _needles(wanted: Wanted | None) -> dict[bytes, tuple[bytes, ...]] | None:
    if wanted is None:
        return None
    named = wanted if isinstance(wanted, Mapping) else dict.fromkeys(wanted, ())
    kept = {name.encode(): tuple(text.encode() for text in texts) for name, texts in named.items()}
    return kept | {name.encode(): () for name in _ALWAYS}


def _fail(asked: PanoramiskAction) -> None:
    if asked.future.done():
        return
    if isinstance(asked, Asked):
        asked.future.set_exception(PbxGone("The link to the PBX was lost before it answered.", sent=True))
        asked.future.exception()  # Whether anybody still waits for it or not.
    else:
        asked.future.set_result(PanoramiskMessage({"Response": LINK_LOST}))
