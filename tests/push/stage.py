"""A call centre of rows and facts, and clients on real sockets, for the tests of push."""

import asyncio
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update
from websockets.asyncio.client import ClientConnection, connect

from callcrm.accounts.policy import Actor
from callcrm.accounts.tables import Phone, User
from callcrm.calls.tables import CallOperator, CallRow
from callcrm.clients.tables import Client
from callcrm.kernel import clock
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.streams import positions
from callcrm.kernel.writer import Unit, Writer
from callcrm.push import messages
from callcrm.push.feed import Feed
from callcrm.push.frames import Labels
from callcrm.push.gateway import Gateway, GatewayOptions
from callcrm.push.hub import Hub, SignedIn

PBX = "office"
STREAM = "pbx:office"
LABELS = Labels(
    lines={"+74950000001": "Sales"},
    queues={"sales": "Sales desk"},
    queue_people={"sales": frozenset({"olga"})},
    country="RU",
)


class Guests:
    """Who comes in, without the accounts' tables: cookies and tokens by name."""

    def __init__(self) -> None:
        self.sessions: dict[str, Actor] = {}
        self.tokens: dict[str, Actor] = {}

    async def by_session(self, cookie: str) -> SignedIn | None:
        actor = self.sessions.get(cookie)
        return SignedIn(actor, "session", cookie) if actor else None

    async def by_token(self, token: str) -> SignedIn | None:
        actor = self.tokens.get(token)
        return SignedIn(actor, "token", token) if actor else None

    async def present(self, signed: Iterable[SignedIn]) -> dict[tuple[str, str], SignedIn]:
        known = {"session": self.sessions, "token": self.tokens}
        return {
            (one.proof, one.key): SignedIn(known[one.proof][one.key], one.proof, one.key)
            for one in signed
            if one.key in known[one.proof]
        }


class Listener:
    """A client that reads: `next` gives the next message of a type."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []

    async def next(self, kind: str | None = None, within: float = 3.0) -> dict[str, Any]:
        async with asyncio.timeout(within):
            while True:
                frame = json.loads(await self.socket.recv())
                assert messages.parse(json.dumps(frame))["type"] == frame["type"]
                self.seen.append(frame)
                if kind is None or frame["type"] == kind:
                    return frame

    async def quiet(self, kind: str, during: float = 0.4) -> bool:
        """Whether nothing of this type comes for a while."""
        try:
            await self.next(kind, during)
        except TimeoutError:
            return True
        return False

    async def say(self, **frame: object) -> None:
        await self.socket.send(json.dumps(frame))


class Stage:
    """A running gateway on a real database, with people, calls and sockets."""

    def __init__(self, database: Database, writer: Writer, bus: LocalBus, queue: int = 256) -> None:
        self.database, self.writer, self.bus = database, writer, bus
        self.guests = Guests()
        self.queue = queue
        self.actors: dict[str, Actor] = {}
        self._serial = 0
        self.gateway: Gateway
        self.hub: Hub

    async def open(self, **options: Any) -> None:
        self.hub = Hub(self.queue)
        feed = Feed(self.database, self.writer, self.bus, self.hub, LABELS)
        wanted = {"host": "127.0.0.1", "port": 0, "cookie": "session", "web_port": 8080, "recheck_s": 0.1} | options
        self.gateway = Gateway(GatewayOptions(**wanted), self.hub, feed, self.guests)
        await self.gateway.open()
        self._task = asyncio.create_task(self.gateway.run(), name="test.gateway")
        async with asyncio.timeout(10):
            await self.gateway.ready.wait()

    @property
    def feed(self) -> Feed:
        return self.gateway.feed

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.gateway.port}/push"

    async def close(self) -> None:
        await self.gateway.close()
        async with asyncio.timeout(10):
            await self._task

    async def reopen(self) -> None:
        """As after a restart of the service."""
        await self.close()
        await self.open()

    async def settle(self) -> None:
        """Until the feed has dealt with every stored fact."""
        async with asyncio.timeout(5), self.database.read() as db:
            stored = await positions(db)
            while self.feed.reached() != stored:
                await asyncio.sleep(0.005)

    async def saved(self) -> None:
        """Until the pops are in their table."""
        await self.settle()
        async with asyncio.timeout(5):
            while self.feed.book.unsaved:
                await asyncio.sleep(0.01)
        await self.writer.do(_nothing, name="nothing")

    # People

    async def person(self, name: str, role: str = "operator", *, team: str = "", masked: bool = False) -> Actor:
        async def hire(unit: Unit) -> int:
            row = {"name": name, "full_name": name.title(), "role": role, "team": team, "created_at": unit.now}
            user = (await unit.db.execute(insert(User).returning(User.id), row)).scalar_one()
            phone = {"pbx": PBX, "extension": f"{100 + user}", "user_id": user}
            await unit.db.execute(insert(Phone), phone)
            unit.fact("operator.changed", user=user)
            return int(user)

        user = await self.writer.do(hire, name="hire")
        actor = Actor(user, name, role, team, masked=masked)
        self.actors[name] = actor
        self.guests.tokens[f"token-{name}"] = actor
        self.guests.sessions[f"cookie-{name}"] = actor
        return actor

    async def listen(self, name: str, *, after: str = "", hello: bool = True, **options: Any) -> Listener:
        headers = {"Authorization": f"Bearer token-{name}"}
        listener = Listener(await connect(self.url, additional_headers=headers, compression=None, **options))
        await listener.say(type="resume", after=after)
        if hello:
            await listener.next("hello")
        return listener

    # Calls

    async def client(self, name: str, **values: Any) -> int:
        async def add(unit: Unit) -> int:
            row = {"name": name, "created_at": unit.now, "changed_at": unit.now} | values
            return int((await unit.db.execute(insert(Client).returning(Client.id), row)).scalar_one())

        return await self.writer.do(add, name="client")

    async def call(self, *, direction: str = "inbound", facts: Iterable[tuple[str, str]] = (), **values: Any) -> str:
        """A new call; `facts` are (kind, person) that happen with it at once."""
        self._serial += 1
        key = f"call{self._serial:04d}"
        now = clock.now()
        row = {
            "began": now.replace(microsecond=0),
            "id": key,
            "pbx": PBX,
            "uniqueid": f"{now.timestamp():.0f}.{self._serial}",
            "direction": direction,
            "at": now - timedelta(seconds=5),
            "client_number": "+79161234567",
            "called": "+74950000001",
            "queue": "sales",
            "state": "ringing",
            "match": {"step": "exact", "clients": [], "number": "+79161234567"},
        } | values

        async def begin(unit: Unit) -> None:
            await unit.db.execute(insert(CallRow), row)
            unit.fact("call.began", stream=STREAM, call=key, pbx=PBX)
            for kind, who in facts:
                await self._happen(unit, kind, key, who)

        await self.writer.do(begin, name="begin")
        return key

    async def happen(self, kind: str, call: str, who: str = "", *, phone: str | None = None, **values: Any) -> None:
        """A fact about a call, with the row's values that came with it."""

        async def work(unit: Unit) -> None:
            if values:
                await unit.db.execute(update(CallRow).where(CallRow.id == call).values(values))
            await self._happen(unit, kind, call, who, phone)

        await self.writer.do(work, name=kind)

    async def _happen(self, unit: Unit, kind: str, call: str, who: str, phone: str | None = None) -> None:
        ids: dict[str, Any] = {"call": call, "pbx": PBX}
        if who:
            user = self.actors[who].user_id if who in self.actors else None
            ids |= {"user": user, "extension": phone or (f"{100 + user}" if user else who)}
        if kind == "call.ringing" and user is not None and phone is None:
            began = await unit.db.scalar(select(CallRow.began).where(CallRow.id == call))
            part = {"began": began, "call_id": call, "extension": ids["extension"], "user_id": user, "rang": True}
            await unit.db.execute(insert(CallOperator), part)
        unit.fact(kind, stream=STREAM, **ids)


async def _nothing(_unit: Unit) -> None:
    """Comes after what the writer was given before."""
