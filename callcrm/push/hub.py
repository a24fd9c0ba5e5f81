"""The connected clients, and the one way in which anything is sent to them.

Nothing here waits for a client: a frame is written to the socket's own buffer, and who lets
more than `bound` bytes pile up there is told so and let go. It connects again and resumes.
"""

import asyncio
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import structlog
from websockets.asyncio.server import ServerConnection, broadcast

from callcrm.accounts.policy import Actor
from callcrm.push import metrics

log = structlog.get_logger(__name__)

TOO_SLOW = (1013, "This client reads too slowly; connect again and resume.")
#: What is read as one message when `push.queue` counts them.
MESSAGE_BYTES = 1024
#: So many sockets one person may hold; more is a client that forgets to close.
PER_PERSON = 30


class Socket(ServerConnection):
    """A server connection that carries who was recognised during the handshake."""

    signed: "SignedIn | None" = None
    refusal: tuple[int, str] | None = None
    #: Whether a cookie may be believed here: only what our own pages opened.
    own_page: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An actor, and what he proved himself by: `proof` is "session" or "token", `key` its row."""

    actor: Actor
    proof: str
    key: str


class Authenticator(Protocol):
    """Who tells who it is; the accounts' tables in earnest."""

    async def by_session(self, cookie: str) -> SignedIn | None: ...

    async def by_token(self, token: str) -> SignedIn | None: ...

    async def present(self, signed: Iterable[SignedIn]) -> dict[tuple[str, str], SignedIn]:
        """Those of `signed` that still hold, by (proof, key), with the actor as he is now."""
        ...


_numbers = count(1)


@dataclass(eq=False, slots=True)
class Client:
    """One socket of one person. While `held` is a list, it is catching up and live frames wait there."""

    socket: Socket
    signed: SignedIn
    number: int = field(default_factory=lambda: next(_numbers))
    held: list[str] | None = field(default_factory=list)
    anew: asyncio.TimerHandle | None = None

    @property
    def actor(self) -> Actor:
        """Who sits there."""
        return self.signed.actor

    @property
    def wide(self) -> bool:
        """Whether he sees more than his own."""
        return self.signed.actor.role != "operator"


class Hub:
    """Every client that is signed in. `bound` is how many bytes may wait for one of them."""

    def __init__(self, queue: int) -> None:
        self.bound = queue * MESSAGE_BYTES
        self.queue = queue
        self._clients: dict[int, list[Client]] = {}
        #: Those who see more than their own, by number: few among many, and asked for every message.
        self._wide: dict[int, Client] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Client]:
        for clients in self._clients.values():
            yield from clients

    def __len__(self) -> int:
        return sum(len(clients) for clients in self._clients.values())

    def of(self, user: int) -> list[Client]:
        """The sockets of one person."""
        return self._clients.get(user, [])

    def near(self, users: Set[int]) -> list[Client]:
        """The sockets of these people, and of all who see more than their own."""
        theirs = [client for user in users for client in self.of(user) if not client.wide]
        return theirs + list(self._wide.values())

    def add(self, client: Client) -> None:
        """Live frames reach (or wait for) this client from now on."""
        clients = self._clients.setdefault(client.actor.user_id, [])
        clients.append(client)
        self._sort_in(client)
        metrics.CLIENTS.set(len(self))
        if len(clients) > PER_PERSON:
            self.drop(clients[0], 1008, "You have too many sockets open; the oldest was closed.")

    def renew(self, client: Client, signed: SignedIn) -> None:
        """The client's person has another role or team now."""
        client.signed = signed
        if client in self.of(client.actor.user_id):
            self._sort_in(client)

    def _sort_in(self, client: Client) -> None:
        if client.wide:
            self._wide[client.number] = client
        else:
            self._wide.pop(client.number, None)

    def remove(self, client: Client) -> None:
        """Nothing is sent to this client any more; idempotent."""
        clients = self._clients.get(client.actor.user_id, [])
        self._wide.pop(client.number, None)
        if client in clients:
            clients.remove(client)
        if not clients:
            self._clients.pop(client.actor.user_id, None)
        metrics.CLIENTS.set(len(self))

    def send(self, clients: Iterable[Client], text: str) -> int:
        """Send the same frame to all of them, none waiting for another. Returns how many got or hold it."""
        live: list[Client] = []
        sent = 0
        for client in list(clients):
            if client.held is None:
                live.append(client)
            elif len(client.held) < self.queue:
                client.held.append(text)
                sent += 1
            else:
                self._too_slow(client)
        if live:
            broadcast([client.socket for client in live], text)
            metrics.SENT.inc(len(live))
        for client in live:
            if client.socket.transport.get_write_buffer_size() > self.bound:
                self._too_slow(client)
        return sent + len(live)

    def straight(self, client: Client, text: str) -> None:
        """Send to a client that is catching up, past what it holds."""
        broadcast([client.socket], text)
        metrics.SENT.inc()
        if client.socket.transport.get_write_buffer_size() > self.bound:
            self._too_slow(client)

    def live(self, client: Client) -> None:
        """It has caught up: what was held goes out, and what comes goes straight."""
        held, client.held = client.held or [], None
        for text in held:
            self.straight(client, text)

    def _too_slow(self, client: Client) -> None:
        metrics.DROPPED.inc()
        log.warning("push client dropped: it does not read", user=client.actor.name, client=client.number)
        self.drop(client, *TOO_SLOW)

    def drop(self, client: Client, code: int, words: str) -> None:
        """Close a client without waiting for it."""
        self.remove(client)
        task = asyncio.create_task(client.socket.close(code, words), name=f"push.drop.{client.number}")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Wait for the closings that are under way (each ends within the close time-out)."""
        if self._closing:
            await asyncio.wait(self._closing)
