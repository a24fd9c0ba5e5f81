"""The link to one PBX: logs in, stays, comes back; a bounded stream of events out, commands with expiry in.

    connection = Connection(settings, wanted, on_state=print)
    await connection.start()
    async for batch in connection.batches():
        for at, item in batch: ...          # Message, LoggedIn or LoggedOut, in order
    reply = await connection.send(actions.hangup(channel), timeout=3)
    await connection.close()

Every state of the link is a `Link` told in words. A dead peer is noticed within `ping_every_s + ping_s`.
Reconnecting backs off, doubling, with jitter; a wrong password or a missing right is retried slowly.
An action is sent now or never: not while there is no link, not after its time, not twice.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import structlog

from ami import actions
from ami.actions import Action
from ami.errors import AmiError, Expired, PbxGone
from ami.link import AmiSettings, Link, Patience, State
from ami.messages import Message
from ami.protocol import Wanted
from ami.rights import Rights, survey
from ami.session import LoginFailed, Session
from ami.stream import Arrival, LoggedIn, LoggedOut, Stream

_log = structlog.get_logger(__name__)
#: A session that lived so long was a good one: the next loss begins with a short wait again.
_GOOD_SESSION_S = 20.0


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an action: the response, and the events of a list."""

    response: Message
    events: list[Message]


class Connection:
    """One PBX's link; `link` says how it stands now, and every change goes to `on_state`.

    `wanted`: names of events to keep (None: all). `room`: how many may wait for the reader before TCP slows the PBX.
    """

    def __init__(
        self,
        settings: AmiSettings,
        wanted: Wanted | None = None,
        *,
        on_state: Callable[[Link], None] | None = None,
        room: int = 10_000,
    ) -> None:
        self.settings = settings
        self.rights: Rights | None = None
        self.link = Link(State.CONNECTING, f"Connecting to {settings.place}.", time.time())
        self.session_number = 0
        self._wanted = wanted
        self._readers: list[Callable[[Link], None]] = [on_state] if on_state is not None else []
        self._stream = Stream(room, self._pause, self._resume)
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._quick = Patience(settings.retry_s, settings.retry_cap_s)
        self._slow = Patience(settings.refused_s, settings.refused_cap_s)
        self._began = 0.0
        self._told_in = False
        self._early: list[tuple[float, Message]] = []

    def subscribe(self, reader: Callable[[Link], None]) -> None:
        """Tell this one too of every change of state."""
        self._readers.append(reader)

    async def start(self) -> None:
        """Begin; the link is made in the background, and states tell how it goes."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"ami {self.settings.name}")

    async def close(self) -> None:
        """End it: nothing is left running, the stream ends after what waits in it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._end_session()
        self._stream.close()
        self._tell(State.CLOSED, f"The link to {self.settings.place} was closed by us.")

    async def batches(self, most: int = 500) -> AsyncIterator[list[Arrival]]:
        """What comes, in order, as many at a time as wait (at most `most`); ends after `close`. One reader only."""
        while batch := await self._stream.take(most):
            yield batch

    async def send(self, action: Action, timeout: float = 5.0, *, shown: bool = False) -> Reply:
        """Carry out an action now; PbxGone, Expired or PbxRefused say in words that it was not (or that nobody knows).

        What changes something is preceded by a ping, so that a PBX that stopped reading does not do it minutes later.
        `shown`: the answer's messages go into the stream too, in their place among the events (snapshots).
        """
        session = self._session
        if session is None:
            raise PbxGone(f"There is no link to {self.settings.place}: {self.link.words}")
        until = time.monotonic() + timeout
        if not action.harmless:
            try:
                await session.ask(actions.ping(), timeout)
            except AmiError as error:
                raise PbxGone(f"{self.settings.place} does not answer; nothing was asked of it.") from error
        left = until - time.monotonic()
        if left <= 0:
            raise Expired(f"{self.settings.place} was too slow; {action.name} was not sent.", sent=False)
        response, *events = await session.ask(action, left, shown=shown)
        return Reply(response, events)

    @property
    def figures(self) -> dict[str, int]:
        """What the link has seen in this session, and how full the stream is."""
        protocol = self._session.protocol if self._session else None
        return {
            "kept": protocol.kept if protocol else 0,
            "dropped": protocol.dropped if protocol else 0,
            "unreadable": sum(protocol.unreadable.values()) if protocol else 0,
            "waiting": len(self._stream),
            "pauses": self._stream.pauses,
        }

    # ---- the task ------------------------------------------------------------
    async def _run(self) -> None:
        while True:
            try:
                delay = await self._live_once()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                _log.exception("ami.link_failed", pbx=self.settings.name)
                delay = self._lost(State.GONE, f"The link to {self.settings.place} failed: {error}.")
            await asyncio.sleep(delay)

    async def _live_once(self) -> float:
        """One session from connecting to its loss; the seconds to wait before the next."""
        self._tell_connecting()
        self._told_in, self._early = False, []
        try:
            session = await Session.open(self.settings, self._take, self._wanted)
        except LoginFailed as failed:
            return self._failed(failed)
        self._session, self._began = session, time.monotonic()
        self._tell_logged_in()
        if self._stream.full:
            session.pause()
        return await self._watch(session)

    async def _watch(self, session: Session) -> float:
        watching = asyncio.create_task(session.watch(), name=f"ami ping {self.settings.name}")
        try:
            if await self._looked_round(session):
                # The rights of a session are those of its log-in: only a new one can see them mended.
                await asyncio.wait([watching], timeout=self._slow.next())
            else:
                self._slow.reset()
                await asyncio.wait([watching])
            if not watching.done():
                return self._lost(State.MISSING_PERMISSION, self.link.words, wait=0.0)
            return self._lost(*watching.result())
        finally:
            watching.cancel()

    async def _looked_round(self, session: Session) -> bool:
        """Learn what we may, and tell how the link stands; True when no calls can be seen."""
        try:
            rights = self.rights = await survey(session)
        except PbxGone:
            return False
        version = rights.version
        if rights.blind:
            words = f"{self.settings.place} lets user {self.settings.username} see no calls: {rights.mend}."
            self._tell(State.MISSING_PERMISSION, words, version=version, missing=rights.missing)
            return True
        words = f"Connected to {self.settings.place}, Asterisk{' ' + version if version else ''}."
        if rights.missing:
            words += f" Some things will not work: {rights.mend}."
        self._tell(State.CONNECTED, words, version=version, missing=rights.missing)
        return False

    def _failed(self, failed: LoginFailed) -> float:
        slow = failed.state is State.WRONG_PASSWORD
        delay = (self._slow if slow else self._quick).next()
        self._tell(failed.state, f"{failed} Next try in {max(1, round(delay))} s.", attempt=self._quick.tries)
        return delay

    def _lost(self, state: State, reason: str, wait: float | None = None) -> float:
        self._end_session()
        if time.monotonic() - self._began >= _GOOD_SESSION_S:
            self._quick.reset()
        if self._told_in:
            self._told_in = False
            self._stream.put(time.time(), LoggedOut(reason))
        delay = self._quick.next() if wait is None else wait
        self._tell(state, reason, attempt=self._quick.tries)
        return delay

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    # ---- small things --------------------------------------------------------
    def _take(self, at: float, message: Message) -> None:
        if self._told_in:
            self._stream.put(at, message)
        else:
            self._early.append((at, message))  # The first events may share a segment with the log-in's answer.

    def _tell_logged_in(self) -> None:
        early, self._early = self._early, []
        self._told_in = True
        self.session_number += 1
        self._stream.put(early[0][0] if early else time.time(), LoggedIn())
        for at, message in early:
            self._stream.put(at, message)

    def _pause(self) -> None:
        if self._session is not None:
            self._session.pause()

    def _resume(self) -> None:
        if self._session is not None:
            self._session.resume()

    def _tell_connecting(self) -> None:
        """Only the first time: while retrying, the reason for it says more."""
        if self.link.state is State.CONNECTING:
            self._tell(State.CONNECTING, self.link.words)

    def _tell(
        self, state: State, words: str, *, version: str = "", missing: tuple[str, ...] = (), attempt: int = 0
    ) -> None:
        since = self.link.since if state is self.link.state else time.time()
        allowed = self.rights.allowed if self.rights is not None else None
        self.link = link = Link(state, words, since, version or self.link.version, missing, attempt, allowed)
        _log.info("ami.link", pbx=self.settings.name, state=str(state), words=words)
        for reader in self._readers:
            try:
                reader(link)
            except Exception:
                _log.exception("ami.on_state_failed", pbx=self.settings.name)
