"""A client comes, or comes back: what is present, and what it missed, before what happens next.

While it catches up, live frames wait in the client's own bounded list. What is told meanwhile
carries ids that claim no more than the client knew before; `hello` ends it with the present
id. So a connection that breaks in the middle loses nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.tables import Pop as PopRow
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.facts import Fact
from callcrm.kernel.streams import facts_after
from callcrm.push import changes, cursor, messages, metrics, views
from callcrm.push.book import PRESENT, PopBook, from_row
from callcrm.push.cursor import Told
from callcrm.push.hub import Client, Hub
from callcrm.push.pop import RULES, Pop
from callcrm.push.receipts import Receipts
from callcrm.push.shapes import HelloData, RefetchData
from callcrm.push.teller import CatchUp, Teller

log = structlog.get_logger(__name__)

#: Who missed more facts than this reads his page again, which is quicker.
MOST = 2000
#: A client that was away says so at once; one that says nothing in this time begins anew.
ANEW_S = 0.5
TOO_MUCH = "You were away too long for everything to be told."
UNKNOWN_ID = "This server cannot go on from that id."
BROKEN = "What you missed cannot be read at present."


class Resumption:
    """Brings clients up to date."""

    def __init__(
        self, database: Database, hub: Hub, *, book: PopBook, told: Told, teller: Teller, receipts: Receipts
    ) -> None:
        self._database = database
        self._hub = hub
        self._book = book
        self._told = told
        self._teller = teller
        self._receipts = receipts

    async def welcome(self, client: Client) -> None:
        """The present pops and links at once; then live, unless the client resumes within `ANEW_S`."""
        async with self._database.read() as db:
            await self.present(db, client)
        client.anew = asyncio.get_running_loop().call_later(ANEW_S, self._live, client)

    async def present(self, db: AsyncConnection, client: Client) -> None:
        """What a person must see now: his pops, and how the links stand."""
        out = CatchUp(self._hub, client, lambda: self._told.cursor_at({}))
        pops = self._book.present(client.actor.user_id)
        found = await views.calls(db, {pop.call for pop in pops})
        for pop in pops:
            if pop.call in found:
                _, frame_id = self._teller.pop(out, pop, found[pop.call], pop.at)
                self._receipts.shown(pop, frame_id)
        for row in await views.links(db):
            self._teller.link(out, row, row.since)

    async def resume(self, client: Client, after: str) -> None:
        """Tell what happened after this id, or to refetch; then live."""
        if client.anew is not None:
            client.anew.cancel()
        if client.held is None:
            client.held = []
        try:
            if after:
                await self._replay(client, cursor.decode(after))
        except cursor.BadCursor:
            self.refetch(client, UNKNOWN_ID)
        except Exception as error:
            log.warning("a client could not be told what it missed", user=client.actor.name, error=repr(error))
            self.refetch(client, BROKEN)
        finally:
            self._live(client)

    def refetch(self, client: Client, why: str) -> None:
        """Tell the client to read its page again: never silently less than everything."""
        metrics.RESUMED.labels("refetch").inc()
        text = messages.write("refetch", self._told.cursor(), clock.now(), RefetchData(why=why))
        self._hub.straight(client, text)

    def _live(self, client: Client) -> None:
        if client.held is None:
            return
        self._hub.live(client)
        actor = client.actor
        hello = HelloData(user=actor.user_id, name=actor.name, role=str(actor.role))
        self._hub.straight(client, messages.write("hello", self._told.cursor(), clock.now(), hello))

    async def _replay(self, client: Client, after: Mapping[str, int]) -> None:
        async with self._database.read() as db:
            facts = await self._missed(db, after)
            if facts is None:
                self.refetch(client, TOO_MUCH)
                return
            out = CatchUp(self._hub, client, lambda: self._told.cursor_at(after))
            await self._pops(db, facts, client, out)
            await changes.tell_calls(db, facts, self._teller, out)
            await changes.tell_others(db, facts, self._teller, out)
        metrics.RESUMED.labels("told").inc()

    async def _missed(self, db: AsyncConnection, after: Mapping[str, int]) -> list[Fact] | None:
        """The facts behind `after`, or None when they are too many, no longer kept, or of another database."""
        missed: list[Fact] = []
        for stream, reached in self._told.reached().items():
            known = after.get(stream, 0)
            if known > reached:
                return None
            if known == reached:
                continue
            facts = await facts_after(db, stream, known, MOST + 1 - len(missed))
            if not facts or facts[0].position != known + 1:
                return None
            missed += facts
            if len(missed) > MOST:
                return None
        return missed if after.keys() <= self._told.reached().keys() else None

    async def _pops(self, db: AsyncConnection, facts: Sequence[Fact], client: Client, out: CatchUp) -> None:
        """Pops that ended meanwhile: the client may still show them. (Those present were told already.)"""
        user = client.actor.user_id
        calls = {str(fact.ids["call"]) for fact in facts if fact.kind in RULES and fact.ids.get("call")}
        if not calls:
            return
        columns = PopRow.__table__.columns
        rows = await db.execute(select(*columns).where(PopRow.call_id.in_(calls), PopRow.user_id == user))
        stored = {row["id"]: from_row(row) for row in rows.mappings()}
        in_mind = {pop.id: pop for key in calls for pop in self._book.of_call(key) if pop.user == user}
        ended = [pop for pop in (stored | in_mind).values() if pop.state not in PRESENT]
        found = await views.calls(db, {pop.call for pop in ended})
        for pop in sorted(ended, key=_ended_at):
            if pop.call in found:
                self._teller.pop(out, pop, found[pop.call], pop.closed_at or pop.at)


def _ended_at(pop: Pop) -> tuple[object, ...]:
    return pop.closed_at or pop.at, pop.id
