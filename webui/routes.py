"""Routes with the right that each one asks for, declared where the handler stands.

    routes = Routes()

    @routes.route("GET", "/calls", right=Right.CALLS)
    async def calls(request: web.Request) -> web.StreamResponse: ...

    routes.add_to(app)

The middleware asks `declared(request)` who may come in: nobody signed in is needed for a `public`
route, any signed-in person for one without a right. A handler that was added to the router by
another way is declared by nothing, and the middleware refuses it.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from callcrm.accounts.policy import Right

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `right` is what the actor must have; `public` means that no actor is needed."""

    method: str
    path: str
    handler: Handler
    right: "Right | None" = None
    public: bool = False


DECLARED = web.AppKey("declared", dict[Handler, Route])


class Routes:
    """A list of routes that grows by decoration and is added to an application once."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self._routes: list[Route] = []

    def route(
        self, method: str, path: str, *, right: "Right | None" = None, public: bool = False
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated handler under `prefix + path`."""

        def declare(handler: Handler) -> Handler:
            self._routes.append(Route(method, self.prefix + path, handler, right, public))
            return handler

        return declare

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def add_to(self, app: web.Application) -> None:
        """Put every route on the application's router, and note what it asks for."""
        if DECLARED not in app:
            app[DECLARED] = {}
        for route in self._routes:
            app.router.add_route(route.method, route.path, route.handler)
            if app[DECLARED].setdefault(route.handler, route).right is not route.right:
                raise ValueError(f"{route.path}: the same handler cannot ask for two rights")


def declared(request: web.Request) -> Route | None:
    """The route as it was declared, or None when nothing declares it (404, or a forgotten one)."""
    found = request.app.get(DECLARED)
    return found.get(request.match_info.handler) if found is not None else None
