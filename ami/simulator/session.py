"""One AMI client of the simulated PBX: log-in, its actions in order, and the events it may see."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ami.capture import to_bytes
from ami.messages import Message, add_header, first

if TYPE_CHECKING:
    from ami.simulator.pbx import DemoPbx

#: Asterisk closes a client that does not read after about this much.
MAX_UNREAD = 3_000_000
_MAX_LINES = 200
_MAX_LINE = 8192


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in: the secret, and the classes that he reads and writes."""

    secret: str
    read: frozenset[str]
    write: frozenset[str]

    @classmethod
    def of(cls, secret: str, read: str, write: str) -> "User":
        """From the words of manager.conf: `system,call,agent`."""
        return cls(secret, frozenset(read.split(",")), frozenset(write.split(",")))


@dataclass(eq=False)
class Session:
    """A connection; `user` is None until it has logged in."""

    pbx: "DemoPbx"
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    user: User | None = None
    name: str = ""
    events: bool = True
    challenge: str = ""
    held: list[bytes] = field(default_factory=list)

    async def serve(self) -> None:
        """Greet, and answer until the client goes."""
        self.write(f"Asterisk Call Manager/{self.pbx.ami_version}\r\n".encode())
        try:
            while (action := await self._read()) is not None:
                await self.pbx.flowing.wait()
                if action and not await self._act(action):
                    break
        except (OSError, ValueError, asyncio.IncompleteReadError):
            pass
        finally:
            await self.close()

    async def _read(self) -> Message | None:
        """One action; None when the client has gone or talks nonsense."""
        message: Message = {}
        for _ in range(_MAX_LINES):
            line = await self.reader.readline()
            if not line or len(line) > _MAX_LINE:
                return None
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text:
                return message
            header, _, value = text.partition(":")
            add_header(message, header.strip(), value.strip())
        return None

    async def _act(self, action: Message) -> bool:
        """Answer an action; False when the connection is over with it."""
        message = {key.lower(): value for key, value in action.items()}
        kind = first(message, "action").lower()
        if kind == "login":
            return await self._login(message)
        if kind == "challenge":
            self.challenge = str(self.pbx.dice.randrange(10**8, 10**9))
            self.answer(message, [{"Response": "Success", "Challenge": self.challenge}])
            return True
        if kind == "logoff":
            self.answer(message, [{"Response": "Goodbye", "Message": "Thanks for all the fish."}])
            return False
        if self.user is None:
            self.answer(message, [{"Response": "Error", "Message": "Permission denied"}])
            return True
        self.answer(message, self.pbx.answers.to(self, kind, message))
        return True

    async def _login(self, message: Message) -> bool:
        name = first(message, "username")
        user = self.pbx.users.get(name)
        if user is None or self.pbx.refuse_passwords or not self._knows(user, message):
            self.answer(message, [{"Response": "Error", "Message": "Authentication failed"}])
            return False
        self.user, self.name = user, name
        self.pbx.came_or_went()
        self.events = first(message, "events", "on").lower() not in ("off", "false", "0", "no")
        self.answer(message, [{"Response": "Success", "Message": "Authentication accepted"}])
        uptime = str(int(self.pbx.now() - self.pbx.stage.state.started))
        booted: Message = {"Event": "FullyBooted", "Privilege": "system,all", "Uptime": uptime, "LastReload": uptime}
        self.tell(booted | {"Status": "Fully Booted"})
        return True

    def _knows(self, user: User, message: Message) -> bool:
        if first(message, "authtype").lower() == "md5":
            proof = hashlib.md5((self.challenge + user.secret).encode(), usedforsecurity=False).hexdigest()
            return bool(self.challenge) and first(message, "key") == proof
        return first(message, "secret") == user.secret

    def answer(self, action: Mapping[str, str | list[str]], messages: list[Message]) -> None:
        """Send what answers an action, with its ActionID."""
        ident = first(dict(action), "actionid")
        for message in messages:
            told = dict(message)
            if ident:
                kind = next(iter(told))
                told = {kind: told.pop(kind), "ActionID": ident, **told}
            self.write(to_bytes(told))

    def tell(self, message: Message, encoded: bytes | None = None) -> None:
        """Send an event if this client wants and may see it."""
        if self.user is None or not self.events:
            return
        privilege = first(message, "Privilege").lower().split(",")
        if "Privilege" in message and not self.user.read.intersection(privilege):
            return
        self.write(encoded or to_bytes(message))

    def write(self, data: bytes) -> None:
        """Send bytes; a client that leaves too many unread is closed without a word."""
        if self.writer.is_closing():
            return
        if not self.pbx.flowing.is_set():
            self.held.append(data)
        else:
            self.writer.write(data)
        if self.writer.transport.get_write_buffer_size() + sum(map(len, self.held)) > self.pbx.max_unread:
            self.abort()

    def flow(self) -> None:
        """Send what was held back while the PBX stalled."""
        held, self.held = self.held, []
        if held and not self.writer.is_closing():
            self.writer.write(b"".join(held))

    def abort(self) -> None:
        """Cut the connection, as a crash would."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """End the connection after what was sent has gone out."""
        self.pbx.sessions.discard(self)
        self.pbx.came_or_went()
        self.writer.close()
        try:
            await asyncio.wait_for(self.writer.wait_closed(), 1)
        except (OSError, TimeoutError):
            self.abort()
