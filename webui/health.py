"""Is it alive, is it ready, and what does it count: for watchdogs and monitoring, without signing in."""

import asyncio
import contextlib

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from callcrm.kernel import database
from callcrm.push import figures
from callcrm.push import metrics as push_metrics
from callcrm.telephony import queries
from webui.parts import PARTS, Parts
from webui.routes import Routes

routes = Routes()
LOOK_S = 2.0
UP = "connected"

_OPEN_CALLS = Gauge("callcrm_calls_open", "Calls that go on.", ["pbx", "state"])
_RECORDINGS = Gauge("callcrm_recordings", "Recordings of the last day by state.", ["state"])
_LINKS = Gauge("callcrm_link_up", "1 while the link to the PBX stands.", ["pbx"])
_WRITER_QUEUE = Gauge("callcrm_writer_waiting", "Units of work that wait for the writer.")
_WRITER_WELL = Gauge("callcrm_writer_well", "1 while the database takes what is written.")

#: Push counts into the same registry; where it is another process, its counters stay at nought here.
COUNTED = (push_metrics.__name__,)

Lamp = dict[str, object]


@routes.route("GET", "/healthz", public=True)
async def alive(_request: web.Request) -> web.StreamResponse:
    """The process answers."""
    return web.json_response({"alive": True})


@routes.route("GET", "/readyz", public=True)
async def ready(request: web.Request) -> web.StreamResponse:
    """Database, every PBX and push, each in words; 503 when one of them is not well."""
    parts = request.app[PARTS]
    store, links, push = await asyncio.gather(_store(parts), _links(parts), _push(parts))
    lamps = [store, push, *links.values()]
    well = all(lamp["ok"] for lamp in lamps)
    body = {"ready": well, "database": store, "pbx": links, "push": push}
    return web.json_response(body, status=200 if well else 503)


def _lamp(words: str, *, ok: bool = False) -> Lamp:
    return {"ok": ok, "words": words}


async def _store(parts: Parts) -> Lamp:
    try:
        async with asyncio.timeout(LOOK_S):
            await database.alive(parts.database)
    except Exception as error:
        return _lamp(f"The database does not answer ({database.reason_of(error)}).")
    health = parts.writer.health
    return _lamp(health.words or "The database answers.", ok=health.well)


async def _links(parts: Parts) -> dict[str, Lamp]:
    names = list(parts.settings.pbx)
    try:
        async with asyncio.timeout(LOOK_S), parts.database.read() as db:
            found = {link.pbx: link for link in await queries.links(db)}
    except Exception:
        return {name: _lamp("How the link stands cannot be read from the database.") for name in names}
    return {
        name: _lamp(found[name].words or found[name].state, ok=found[name].state == UP)
        if name in found
        else _lamp("No listener has told of this PBX yet; is one running?")
        for name in names
    }


async def _push(parts: Parts) -> Lamp:
    """Whether the push port takes connections; it may be another process's."""
    host = parts.settings.push.host
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what listens everywhere is asked here
    port = parts.push_port or parts.settings.push.port
    try:
        async with asyncio.timeout(LOOK_S):
            _reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        return _lamp(f"Nothing answers on the push port {host}:{port} ({error or 'no answer in time'}).")
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return _lamp("The push port answers.", ok=True)


@routes.route("GET", "/metrics", public=True)
async def metrics(request: web.Request) -> web.StreamResponse:
    """Prometheus's text format: counters of this process, and figures of the database."""
    parts = request.app[PARTS]
    health = parts.writer.health
    _WRITER_QUEUE.set(health.waiting)
    _WRITER_WELL.set(health.well)
    with contextlib.suppress(Exception):
        async with asyncio.timeout(LOOK_S), parts.database.read() as db:
            _show(await figures.figures(db))
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _show(found: figures.Figures) -> None:
    for gauge in (_OPEN_CALLS, _RECORDINGS, _LINKS):
        gauge.clear()
    for (pbx, state), count in found.open_calls.items():
        _OPEN_CALLS.labels(pbx, state).set(count)
    for state, count in found.recordings.items():
        _RECORDINGS.labels(state).set(count)
    for pbx, state in found.links.items():
        _LINKS.labels(pbx).set(state == UP)
