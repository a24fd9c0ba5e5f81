"""The push server: who may open a socket, what he may say on it, and how it ends.

gateway = Gateway(database, writer, bus, settings)
await gateway.open()        # binds; a taken port is a StartupError
await gateway.run()         # until close()
await gateway.close()       # 1001 to everybody
"""

import asyncio
import contextlib
import http
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import MultipleValuesError
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from callcrm.kernel.errors import StartupError
from callcrm.push import messages, metrics, origin
from callcrm.push.feed import Feed
from callcrm.push.hub import Authenticator, Client, Hub, SignedIn, Socket

log = structlog.get_logger(__name__)

PATH = "/push"
AUTH_S = 5.0
CLOSE_S = 5.0
PING_S = 20.0
#: A client may say this much at once, and this much a second in the long run.
BURST, PER_SECOND = 60, 10
SESSION_ENDED = (4401, "Your session has ended; sign in again.")


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Where to listen and whom to believe; `cookie` is the name of the session's cookie."""

    host: str
    port: int
    cookie: str
    public: Sequence[str] = ()
    web_port: int = 0
    auth_s: float = AUTH_S
    recheck_s: float = 10.0


class Gateway:
    """The websockets server of the push port; `feed` tells what happens, `hub` knows who listens."""

    def __init__(self, options: GatewayOptions, hub: Hub, feed: Feed, who: Authenticator) -> None:
        self.options = options
        self.hub = hub
        self.feed = feed
        self.who = who
        self._server: Server | None = None
        self._stop = asyncio.Event()
        #: Set while sockets are taken.
        self.ready = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that was bound (settings may ask for 0: any)."""
        assert self._server is not None, "the gateway is not open"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def open(self) -> None:
        """Bind the port; nobody is answered before `run`."""
        try:
            self._server = await serve(
                self._serve,
                self.options.host,
                self.options.port,
                create_connection=Socket,
                process_request=self._admit,
                compression=None,
                max_size=messages.MAX_CLIENT_FRAME,
                open_timeout=self.options.auth_s,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                close_timeout=CLOSE_S,
                server_header=None,
                start_serving=False,
            )
        except OSError as error:
            where = f"{self.options.host}:{self.options.port}"
            raise StartupError(
                f"The push port {where} cannot be opened ({error.strerror or error}); "
                "end the program that has it or set another push.port."
            ) from error

    async def run(self) -> None:
        """Serve until `close`: the facts' feed, the sockets, and the watch over sessions."""
        assert self._server is not None, "the gateway is not open"
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self.feed.run(self._start), name="push.feed"),
                tasks.create_task(self._watch_sessions(), name="push.sessions"),
            ]
            await self._stop.wait()
            self.ready.clear()
            self._server.close(code=1001, reason="The server is going down; connect again in a moment.")
            await self._server.wait_closed()
            await self.hub.close()
            await self.feed.close()
            for task in running:
                task.cancel()

    async def _start(self) -> None:
        assert self._server is not None
        await self._server.start_serving()
        self.ready.set()
        log.info("push is up", host=self.options.host, port=self.port)

    async def close(self) -> None:
        """Ask `run` to end: every socket is closed with 1001, and pops are saved."""
        self._stop.set()

    # Who may come in

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        assert isinstance(connection, Socket)
        path = request.path.partition("?")[0]
        if path == "/healthz":
            return connection.respond(http.HTTPStatus.OK, f"push is up, {len(self.hub)} clients\n")
        if path != PATH:
            return self._refuse(connection, 404, f"There is only {PATH} here.", "path")
        try:
            page = request.headers.get("Origin")
            host = request.headers.get("Host", "")
            bearer = request.headers.get("Authorization", "")
            cookies = request.headers.get_all("Cookie")
        except MultipleValuesError:
            return self._refuse(connection, 400, "A header came twice.", "header")
        ports = (self.options.web_port, self.options.port)
        if page is not None and not origin.is_own(page, host, public=self.options.public, ports=ports):
            log.warning("push socket refused: page of another site", origin=page[:200])
            return self._refuse(connection, 403, "Pages of other sites may not open this socket.", "origin")
        return await self._recognise(connection, bearer, _cookie(cookies, self.options.cookie) if page else "")

    async def _recognise(self, socket: Socket, bearer: str, session: str) -> Response | None:
        """Who it is, by header or cookie; a browser cannot read an HTTP status here, so it is told by the close."""
        scheme, _, token = bearer.partition(" ")
        if bearer:
            socket.signed = await self.who.by_token(token.strip()) if scheme.lower() == "bearer" else None
            if socket.signed is None:
                return self._refuse(socket, 401, "This token is not (or no longer) good.", "token")
        elif session:
            socket.signed = await self.who.by_session(session)
            if socket.signed is None:
                socket.refusal = SESSION_ENDED
        return None

    @staticmethod
    def _refuse(connection: ServerConnection, status: int, words: str, why: str) -> Response:
        metrics.REFUSED.labels(why).inc()
        return connection.respond(http.HTTPStatus(status), words + "\n")

    # One socket

    async def _serve(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Socket)
        if connection.refusal:
            metrics.REFUSED.labels("session").inc()
            await connection.close(*connection.refusal)
            return
        try:
            signed = connection.signed or await self._introduced(connection)
            if signed is not None:
                await self._attend(Client(connection, signed))
        except ConnectionClosed:
            return
        except messages.BadFrame as error:
            metrics.REFUSED.labels("frame").inc()
            await _hang_up(connection, 1008, str(error))

    async def _introduced(self, socket: Socket) -> SignedIn | None:
        """The first frame must say who it is."""
        try:
            text = await asyncio.wait_for(socket.recv(), self.options.auth_s)
        except TimeoutError:
            metrics.REFUSED.labels("auth time-out").inc()
            await socket.close(1008, 'The first frame must be {"type": "auth", "token": …}, and in time.')
            return None
        frame = messages.read(text)
        if not isinstance(frame, messages.Auth):
            raise messages.BadFrame("The first frame must be auth: nobody is signed in here.")
        signed = await self.who.by_token(frame.token)
        if signed is None:
            metrics.REFUSED.labels("token").inc()
            await socket.close(4401, "This token is not (or no longer) good.")
        return signed

    async def _attend(self, client: Client) -> None:
        self.hub.add(client)
        budget = _Budget(BURST, PER_SECOND)
        try:
            await self.feed.welcome(client)
            async for text in client.socket:
                if not budget.spend():
                    raise messages.BadFrame(f"More than {PER_SECOND} frames a second are not taken.")
                await self._hear(client, messages.read(text))
        finally:
            self.hub.remove(client)

    async def _hear(self, client: Client, frame: messages.ClientFrame) -> None:
        match frame:
            case messages.PopPainted():
                self.feed.painted(client, frame.id)
            case messages.PopOpened():
                self.feed.opened(client, frame.id)
            case messages.Resume():
                await self.feed.resume(client, frame.after)
            case messages.Auth():
                raise messages.BadFrame("Somebody is signed in on this socket already.")

    async def _watch_sessions(self) -> None:
        """Close the sockets of who signed out, lost his token or was switched off; renew who changed his role."""
        while True:
            await asyncio.sleep(self.options.recheck_s)
            clients = list(self.hub)
            if not clients:
                continue
            try:
                present = await self.who.present([client.signed for client in clients])
            except Exception as error:
                log.warning("push could not look up sessions", error=repr(error))
                continue
            for client in clients:
                now = present.get((client.signed.proof, client.signed.key))
                if now is None:
                    self.hub.drop(client, *SESSION_ENDED)
                else:
                    self.hub.renew(client, now)


async def _hang_up(socket: Socket, code: int, words: str) -> None:
    """Close; what the client still says meanwhile is thrown away, or its own close would wait behind it."""
    closing = asyncio.create_task(socket.close(code, words), name="push.close")
    with contextlib.suppress(ConnectionClosed):
        while True:
            await socket.recv()
    await closing


class _Budget:
    """A token bucket."""

    def __init__(self, burst: int, per_second: float) -> None:
        self.left, self.burst, self.per_second = float(burst), burst, per_second
        self.at = asyncio.get_running_loop().time()

    def spend(self) -> bool:
        now = asyncio.get_running_loop().time()
        self.left = min(self.burst, self.left + (now - self.at) * self.per_second) - 1
        self.at = now
        return self.left >= 0


def _cookie(headers: Sequence[str], name: str) -> str:
    """The value of the named cookie, or nothing."""
    for header in headers:
        for pair in header.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value.strip('"')
    return ""
