"""The web application: pages at `/`, the API at `/api/v1`, behind one chain of middleware."""

from aiohttp import web

from webui import api, assets, health
from webui.middleware import CHAIN
from webui.pages import (
    accounts,
    acting,
    calendar,
    calibrating,
    callbacks,
    calls,
    cardparts,
    clients,
    coaching,
    days,
    desk,
    dial,
    door,
    evaluation,
    facts,
    fields,
    figures,
    find,
    gaps,
    holds,
    listenings,
    me,
    merging,
    notes,
    organisations,
    pbx,
    person,
    pins,
    pops,
    quality,
    qualityforms,
    recordings,
    reminders,
    retention,
    sampling,
    scoring,
    shift,
    soundlaw,
    task,
    tasks,
    times,
    vault,
)
from webui.parts import PARTS, Parts

#: The largest form that is taken, in bytes.
LARGEST = 256 * 1024
PAGES = (
    door,
    me,
    shift,
    times,
    desk,
    pops,
    clients,
    facts,
    cardparts,
    organisations,
    merging,
    fields,
    calls,
    figures,
    notes,
    recordings,
    pins,
    callbacks,
    tasks,
    days,
    task,
    reminders,
    calendar,
    dial,
    acting,
    gaps,
    find,
    sampling,
    coaching,
    quality,
    evaluation,
    scoring,
    qualityforms,
    calibrating,
    pbx,
    vault,
    holds,
    listenings,
    person,
    retention,
    soundlaw,
    accounts,
)


def make_app(parts: Parts) -> web.Application:
    """Put the pages together on `parts`. Raises StartupError when the browser's part was not built."""
    assets.manifest()
    app = web.Application(middlewares=CHAIN, client_max_size=LARGEST)
    app[PARTS] = parts
    app.on_cleanup.append(_close)
    vault.prepare(app)
    for page in (*PAGES, api, health):
        page.routes.add_to(app)
    return app


async def _close(app: web.Application) -> None:
    """End what the pages opened sounds with."""
    await app[PARTS].opener.close()
