"""One request as the pages see it: who asks, reading, writing, and the answer as a page."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from callcrm.accounts.policy import Actor
from callcrm.kernel.errors import CallcrmError, NotFound
from callcrm.kernel.writer import Unit
from webui import coretexts
from webui.i18n import _
from webui.parts import PARTS, Parts
from webui.shell import Shell, shell_of
from webui.templating import render

T = TypeVar("T")

ACTOR = web.RequestKey("actor", Actor)
SESSION = web.RequestKey("session", str)
ADDRESS = web.RequestKey("address", str)
SECURE = web.RequestKey("secure", bool)


class Typed(dict[str, str]):
    """What was typed, or what is wrong with it, by field; a field that is not there is empty."""

    def __missing__(self, key: str) -> str:
        return ""


class Visit:
    """A signed-in person's request."""

    def __init__(self, request: web.Request) -> None:
        self.request = request
        self.parts: Parts = request.app[PARTS]

    @property
    def actor(self) -> Actor:
        """Who asks; the middleware let nobody else in."""
        return self.request[ACTOR]

    @property
    def query(self) -> dict[str, str]:
        """The address's parameters, one value each, at most 200 characters."""
        return {key: value.strip()[:200] for key, value in self.request.query.items() if value.strip()}

    def number(self, name: str) -> int:
        """A number from the path; NotFound for what is none."""
        return as_id(self.request.match_info[name])

    async def form(self) -> dict[str, str]:
        """The posted fields, trimmed; files are left out."""
        posted = await self.request.post()
        return {key: value.strip() for key, value in posted.items() if isinstance(value, str)}

    async def do(self, work: Callable[[Unit], Awaitable[T]], name: str) -> T:
        """Write through the one writer; what cannot be done is told in the reader's language."""
        try:
            return await self.parts.writer.do(work, name=name)
        except CallcrmError as error:
            raise coretexts.translated(error) from None

    async def page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """A whole page inside the shell."""
        shell: Shell = await shell_of(self.request, self.parts, self.actor)
        return self.part(template, status=status, shell=shell, **values)

    def part(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """A fragment."""
        for name in ("typed", "bad", "query"):
            if name in values:
                values[name] = Typed(values[name])
        text = render(template, {"actor": self.actor, "path": self.request.path, **values})
        return web.Response(text=text, content_type="text/html", status=status)

    def away(self, to: str, *, done: str = "") -> web.Response:
        """Go on to another page of ours; `done` is said there once."""
        response = web.Response(status=303, headers={"Location": own(to)})
        if done:
            response.set_cookie("said", _quoted(done), max_age=20, httponly=True, samesite="Lax", path="/")
        return response


def as_id(text: str) -> int:
    """An id that a person may have typed."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFound(_("There is no such page; the address may be cut short."))
    return int(text)


def own(address: str) -> str:
    """An address within this site; what leads elsewhere becomes the front page."""
    parts = urlsplit(address)
    inside = not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside else "/"


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text[:300])
