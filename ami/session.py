"""One logged-in connection through panoramisk's Manager, from connecting to its loss; never used again after that.

panoramisk's own reconnecting, pinging and sending again are switched off: a Manager lives as long as
one connection. What it does is connect, log in, send and match answers, by `AmiProtocol`.
"""

import asyncio
import time
from collections import deque
from typing import Any

import structlog
from panoramisk import Manager
from panoramisk.actions import Action as PanoramiskAction

from ami.actions import Action, ping
from ami.errors import AmiError, Expired, PbxGone, PbxRefused
from ami.link import AmiSettings, State, not_a_pbx, refused, unreachable
from ami.messages import Message, first
from ami.protocol import LINK_LOST, AmiProtocol, Asked, Sink, Wanted

_log = structlog.get_logger(__name__)


class LoginFailed(AmiError):
    """There is no session; `state` says of which kind the reason is."""

    def __init__(self, state: State, words: str) -> None:
        super().__init__(words)
        self.state = state


class _QuietManager(Manager):  # type: ignore[misc]
    """panoramisk's Manager for one connection: it never reconnects, pings or repeats by itself."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.awaiting_actions: deque[PanoramiskAction] = deque(maxlen=0)
        self.pinger: asyncio.TimerHandle | None = None

    def connection_made(self, f: asyncio.Task[Any]) -> None:
        if not f.cancelled() and f.exception() is None:
            super().connection_made(f)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connected = False
        self._no_pinger()

    def login(self, future: asyncio.Future[Any]) -> bool:
        self.authenticated = not future.cancelled() and bool(future.result().success)
        self._no_pinger()
        return self.authenticated

    def ping(self) -> None:
        """Ours asks and checks the answer."""

    def _no_pinger(self) -> None:
        if self.pinger is not None:
            self.pinger.cancel()
            self.pinger = None


class Session:
    """A connection that is logged in. Make it with `Session.open`."""

    def __init__(self, settings: AmiSettings, manager: _QuietManager, protocol: AmiProtocol) -> None:
        self.settings, self.protocol = settings, protocol
        self._manager = manager
        self.paused = False

    @classmethod
    async def open(cls, settings: AmiSettings, sink: Sink, wanted: Wanted | None) -> "Session":
        """Connect and log in; LoginFailed says in words why not."""
        manager = _QuietManager(
            host=settings.host,
            port=settings.port,
            username=settings.username,
            secret=settings.secret,
            ssl=settings.tls,
            loop=asyncio.get_running_loop(),
            protocol_factory=lambda: AmiProtocol(sink, wanted),
            log=_Muted(),
        )
        try:
            async with asyncio.timeout(settings.connect_s):
                _, protocol = await manager.connect()
        except (OSError, TimeoutError) as error:
            raise LoginFailed(State.GONE, unreachable(settings, error)) from error
        session = cls(settings, manager, protocol)
        try:
            await session._logged_in()
        except BaseException:
            session.close()
            raise
        return session

    async def _logged_in(self) -> None:
        await asyncio.sleep(0)  # The manager's own callback, which sends the login, was scheduled before us.
        asked = self._manager.authenticated_future
        if asked is None:
            raise LoginFailed(State.GONE, unreachable(self.settings, ConnectionError("the connection broke")))
        try:
            async with asyncio.timeout(self.settings.login_s):
                answer = await asyncio.shield(asked)
        except TimeoutError:
            raise self._silence() from None
        if answer.get("Response") == LINK_LOST:
            raise self._silence()
        if not answer.success:
            said = str(answer.get("Message", "")) or "no reason given"
            raise LoginFailed(State.WRONG_PASSWORD, refused(self.settings, said[:200]))

    def _silence(self) -> LoginFailed:
        """No answer to the login: somebody else lives there, or the PBX is too busy."""
        if self.protocol.version is None:
            return LoginFailed(State.NOT_A_PBX, not_a_pbx(self.settings, self.protocol.head))
        if self.protocol.closed:
            return LoginFailed(State.GONE, f"{self.settings.place} closed the connection during the log-in.")
        return LoginFailed(State.STALLED, f"{self.settings.place} did not answer the log-in in time.")

    async def ask(self, action: Action, timeout: float, *, shown: bool = False) -> list[Message]:
        """Send an action; its answer, or all messages of the list that answers it.

        PbxGone when there is no link, Expired when no answer comes in time, PbxRefused when it is no.
        Nothing is ever kept to be sent later: while the PBX does not take what was written before, it is refused.
        """
        if self.protocol.closed or self.protocol.transport is None:
            raise PbxGone(f"There is no link to {self.settings.place}.")
        if self.protocol.transport.get_write_buffer_size() > 0 and not action.harmless:
            raise PbxGone(f"{self.settings.place} does not read what we send; nothing was asked of it.")
        asked = Asked(action, shown=shown)
        try:
            async with asyncio.timeout(timeout):
                answer: list[Message] = await self._manager.send_action(asked, action.lists)
        except TimeoutError:
            raise Expired(f"{self.settings.place} did not answer {action.name} within {timeout:g} s.") from None
        finally:
            self.protocol.forget(asked)
        if first(answer[0], "Response").lower() in ("error", "fail", "failure"):
            raise PbxRefused(action.name, answer[0])
        return answer

    async def watch(self) -> tuple[State, str]:
        """Ping until the link is lost, one way or the other; which, and in words."""
        settings, protocol = self.settings, self.protocol
        while not protocol.lost.done():
            await asyncio.wait([protocol.lost], timeout=settings.ping_every_s)
            if protocol.lost.done() or self.paused:
                continue
            if not await self._alive():
                return State.STALLED, f"{settings.place} no longer answers; the link is made anew."
        error = protocol.lost.result()
        why = f" ({error})" if error is not None and str(error) else ""
        return State.GONE, f"{settings.place} closed the connection{why}."

    async def _alive(self) -> bool:
        """Whether the PBX answers a ping, or at least says something: in a flood the answer comes behind the events."""
        asked_at = time.monotonic()
        try:
            await self.ask(ping(), self.settings.ping_s)
        except Expired:
            return self.paused or self.protocol.heard_at >= asked_at
        except AmiError:
            pass  # Lost meanwhile, which is told by `lost`; or refused, which is an answer too.
        return True

    def pause(self) -> None:
        """Read no more for now: TCP then slows the PBX down."""
        if not self.paused and self.protocol.transport is not None and not self.protocol.closed:
            self.paused = True
            self.protocol.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self.paused and self.protocol.transport is not None:
            self.paused = False
            self.protocol.heard_at = time.monotonic()  # The silence until now was ours.
            if not self.protocol.closed:
                self.protocol.transport.resume_reading()

    def close(self) -> None:
        """End it, whatever is under way."""
        self.protocol.close()
        self._manager.close()


class _Muted:
    """panoramisk logs every message it parts with; ours says what matters itself."""

    def debug(self, *_: object) -> None: ...

    info = warning = debug

    def error(self, message: str, *_: object) -> None:
        _log.debug("ami.panoramisk", said=message)

    def exception(self, message: str, *_: object) -> None:
        _log.exception("ami.panoramisk", said=message)
