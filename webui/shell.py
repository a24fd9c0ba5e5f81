"""What stands around every page: places, own state, lights, and the live call."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web

from callcrm.accounts.policy import Actor, Right, may
from callcrm.quality import coached
from callcrm.quality import queries as evaluations
from callcrm.tasks import reminders
from callcrm.tasks.reminders import Standing
from webui import i18n, links
from webui.desk import OtherPop, Sheet, figures_of
from webui.i18n import _
from webui.links import Link
from webui.parts import Parts
from webui.queues import queues_of
from webui.sheets import quiet_of, sheet_of, waiting
from webui.standing import Me, me_of


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
class News:
    """What of quality waits for this person: scores (disputes and fatal errors; his own not read), moments to hear."""

    scores: int = 0
    moments: int = 0


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of a page."""

    language: str
    theme: str
    density: str
    single_keys: bool
    reminders: list[Standing]
    push: str
    full_name: str
    phones: tuple[str, ...]
    places: tuple[Place, ...]
    news: News
    me: Me
    on_shift: bool
    figures: tuple[tuple[str, str], ...]
    link: Link
    sheet: Sheet | None
    quiet: tuple[OtherPop, ...]
    desk: bool
    said: str


async def shell_of(request: web.Request, parts: Parts, actor: Actor, hint: Mapping[str, str] | None = None) -> Shell:
    """Read the frame for a page; `hint` as in `sheets.sheet_of`."""
    from webui.middleware import push_address

    sheet = await sheet_of(parts, actor, hint)
    me = await me_of(parts, actor, sheet)
    figures = await figures_of(parts, actor)
    link = links.worst(await links.all_links(parts))
    news = await news_of(parts, actor)
    return Shell(
        language=i18n.language(),
        theme=actor.theme,
        density=actor.density,
        single_keys=actor.single_keys,
        reminders=await _reminders(parts, actor),
        push=push_address(request, parts),
        full_name=actor.full_name or actor.name,
        phones=tuple(line.extension for line in actor.extensions),
        places=await places_of(parts, actor, request.path, news),
        news=news,
        me=me,
        on_shift=me.on_shift,
        figures=figures,
        link=link,
        sheet=sheet,
        quiet=await quiet_of(parts, actor),
        desk=request.path == "/",
        said=unquote(request.cookies.get("said", ""))[:300],
    )


async def places_of(parts: Parts, actor: Actor, path: str, news: News) -> tuple[Place, ...]:
    """The rail, with what waits behind each place; that of `path` is marked."""
    return places(actor, *await waiting(parts, actor), path=path, quality=news.scores + news.moments)


async def news_of(parts: Parts, actor: Actor) -> News:
    """What of quality waits for this person."""
    if not may(actor, Right.CALLS):
        return News()
    async with parts.database.glance() as db:
        return News((await evaluations.waiting(db, actor)).count, await coached.unheard(db, actor))


async def _reminders(parts: Parts, actor: Actor) -> list[Standing]:
    """What this person is reminded of now."""
    if not may(actor, Right.TASKS):
        return []
    async with parts.database.glance() as db:
        return await reminders.standing(db, actor, queues=queues_of(parts, actor))


def places(actor: Actor, callbacks: int = 0, tasks: int = 0, path: str = "", quality: int = 0) -> tuple[Place, ...]:
    """The pages that this person's role reaches."""
    scores = may(actor, Right.SCORE)
    listed = [
        (Right.CALLS, Place("/", "d", "headset", _("Desk"))),
        (Right.CLIENTS, Place("/clients", "c", "users-round", _("Clients"))),
        (Right.CALLS, Place("/calls", "l", "phone", _("Calls"))),
        (Right.TASKS, Place("/callbacks", "b", "phone-outgoing", _("Callbacks"), callbacks)),
        (Right.TASKS, Place("/tasks", "t", "list-checks", _("Tasks"), tasks)),
        (Right.CALLS, Place("/quality", "q", "badge-check", _("Quality") if scores else _("My quality"), quality)),
        (Right.FLOOR, Place("/shifts", "s", "clock", _("Shift times"))),
        (Right.PBX, Place("/pbx", "p", "cable", _("PBX"))),
        (Right.ACCOUNTS, Place("/accounts", "a", "sliders-horizontal", _("Admin"))),
    ]
    return tuple(_marked(place, path) for right, place in listed if may(actor, right))


def _marked(place: Place, path: str) -> Place:
    path = path.replace("/organisations", "/clients", 1) if path.startswith("/organisations") else path
    here = path == place.href if place.href == "/" else path == place.href or path.startswith(place.href + "/")
    return Place(place.href, place.key, place.icon, place.word, place.count, here)
