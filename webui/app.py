"""The web application: pages at `/`, the API at `/api/v1`, behind one chain of middleware."""

from aiohttp import web

from webui import api, assets, health
from webui.middleware import CHAIN
from webui.pages import accounts, callbacks, calls, clients, desk, dial, door, find, me, notes, pbx, recordings, tasks
from webui.parts import PARTS, Parts

#: The largest form that is taken, in bytes.
LARGEST = 256 * 1024
PAGES = (door, me, desk, clients, calls, notes, recordings, callbacks, tasks, dial, find, pbx, accounts)


def make_app(parts: Parts) -> web.Application:
    """Put the pages together on `parts`. Raises StartupError when the browser's part was not built."""
    assets.manifest()
    app = web.Application(middlewares=CHAIN, client_max_size=LARGEST)
    app[PARTS] = parts
    for page in (*PAGES, api, health):
        page.routes.add_to(app)
    return app
