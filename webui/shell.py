"""What stands around every page: places, own state, lights, and the live call."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Actor, Right, may
from webui import i18n, links, words
from webui.desk import Sheet, figures_of
from webui.i18n import _
from webui.links import Link
from webui.parts import Parts
from webui.sheets import sheet_of, waiting
from webui.words import Mark


@dataclass(frozen=True, slots=True)
class Place:
    """One of the rail's pages."""

    href: str
    key: str
    icon: str
    word: str
    count: int = 0
    here: bool = False


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of a page."""

    language: str
    theme: str
    density: str
    push: str
    full_name: str
    phones: tuple[str, ...]
    places: tuple[Place, ...]
    me: Mark
    me_since: datetime | None
    on_shift: bool
    figures: tuple[tuple[str, str], ...]
    link: Link
    sheet: Sheet | None
    desk: bool
    said: str


async def shell_of(request: web.Request, parts: Parts, actor: Actor) -> Shell:
    """Read the frame for a page."""
    from webui.middleware import push_address

    sheet = await sheet_of(parts, actor)
    async with parts.database.read() as db:
        person = await accounts.person(db, actor.name)
    figures = await figures_of(parts, actor)
    link = links.worst(await links.all_links(parts))
    since = person.on_shift_since if person else None
    me, me_since = own_state(sheet, since)
    return Shell(
        language=i18n.language(),
        theme=actor.theme,
        density=_density(request),
        push=push_address(request, parts),
        full_name=actor.full_name or actor.name,
        phones=tuple(line.extension for line in actor.extensions),
        places=places(actor, *await waiting(parts, actor), path=request.path),
        me=me,
        me_since=me_since,
        on_shift=since is not None,
        figures=figures,
        link=link,
        sheet=sheet,
        desk=request.path == "/",
        said=unquote(request.cookies.get("said", ""))[:300],
    )


def own_state(sheet: Sheet | None, on_shift_since: datetime | None) -> tuple[Mark, datetime | None]:
    """How this person stands: his call first, then his shift."""
    if sheet is not None:
        code = {"offered": "ringing", "answered": "talking", "wrapup": "wrapup"}.get(sheet.state, "available")
        code = "talking" if code == "ringing" and sheet.direction == "outbound" else code
        return words.person(code), sheet.since
    return words.person("available" if on_shift_since else "off"), on_shift_since


def _density(request: web.Request) -> str:
    wish = request.cookies.get("density", "")
    return wish if wish in ("compact", "roomy") else ""


def places(actor: Actor, callbacks: int = 0, tasks: int = 0, path: str = "") -> tuple[Place, ...]:
    """The pages that this person's role reaches."""
    listed = [
        (Right.CALLS, Place("/", "d", "headset", _("Desk"))),
        (Right.CLIENTS, Place("/clients", "c", "users-round", _("Clients"))),
        (Right.CALLS, Place("/calls", "l", "phone", _("Calls"))),
        (Right.TASKS, Place("/callbacks", "b", "phone-outgoing", _("Callbacks"), callbacks)),
        (Right.TASKS, Place("/tasks", "t", "list-checks", _("Tasks"), tasks)),
        (Right.PBX, Place("/pbx", "p", "cable", _("PBX"))),
        (Right.ACCOUNTS, Place("/accounts", "a", "sliders-horizontal", _("Admin"))),
    ]
    return tuple(_marked(place, path) for right, place in listed if may(actor, right))


def _marked(place: Place, path: str) -> Place:
    here = path == place.href if place.href == "/" else path == place.href or path.startswith(place.href + "/")
    return Place(place.href, place.key, place.icon, place.word, place.count, here)
