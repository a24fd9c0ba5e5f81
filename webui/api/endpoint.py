"""An operation of the API: declared once, with the models that check what comes and describe it.

    @api.operation("GET", "/calls", "The call log", right=Right.CALLS, query=CallsQuery, answer=CallPage)
    async def calls(asked: Asked[CallsQuery, None]) -> CallPage: ...

The declaration gives the route with its right, the checks, and the entry in the OpenAPI document.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from callcrm.accounts.policy import Actor, Right
from callcrm.kernel.errors import Invalid
from webui.parts import Parts
from webui.routes import Routes
from webui.visit import ACTOR, ADDRESS, Visit

PREFIX = "/api/v1"
LARGEST = 64 * 1024

Q_co = TypeVar("Q_co", covariant=True)
B_co = TypeVar("B_co", covariant=True)


class Shape(BaseModel):
    """What goes in or out; unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q_co, B_co]):
    """A request that was checked: who asks, and what."""

    request: web.Request
    query: Q_co
    body: B_co

    @property
    def parts(self) -> Parts:
        """What the web stands on."""
        return Visit(self.request).parts

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return self.request[ACTOR]

    @property
    def address(self) -> str:
        """Where he asks from."""
        return str(self.request.get(ADDRESS, ""))

    @property
    def path(self) -> dict[str, str]:
        """What stands in the path's places."""
        return dict(self.request.match_info)

    def number(self, name: str) -> int:
        """A number from the path; NotFound for what is none."""
        return Visit(self.request).number(name)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the OpenAPI document says of one operation."""

    method: str
    path: str
    summary: str
    query: type[Shape] | None
    body: type[Shape] | None
    answer: type[Shape] | None
    status: int
    media: str
    errors: tuple[int, ...]
    name: str


Result = Shape | web.StreamResponse


class Api:
    """The operations, and the routes that they make."""

    def __init__(self, prefix: str = PREFIX) -> None:
        self.routes = Routes(prefix)
        self.operations: list[Operation] = []

    def operation(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        right: Right | None = None,
        query: type[Shape] | None = None,
        body: type[Shape] | None = None,
        answer: type[Shape] | None = None,
        status: int = 200,
        media: str = "application/json",
        errors: tuple[int, ...] = (),
        public: bool = False,
    ) -> Callable[[Callable[[Any], Awaitable[Result]]], Callable[[Any], Awaitable[Result]]]:
        """Declare the decorated function as this operation; `errors` are statuses of its own."""

        def declare(function: Callable[[Any], Awaitable[Result]]) -> Callable[[Any], Awaitable[Result]]:
            async def handle(request: web.Request) -> web.StreamResponse:
                asked = Asked(request, _query(request, query), await _body(request, body))
                found = await function(asked)
                return found if isinstance(found, web.StreamResponse) else _answer(found, status)

            handle.__name__ = function.__name__
            self.routes.route(method, path, right=right, public=public)(handle)
            self.operations.append(
                Operation(method, path, summary, query, body, answer, status, media, errors, function.__name__)
            )
            return function

        return declare


def _answer(shape: Shape, status: int) -> web.Response:
    return web.Response(
        body=shape.model_dump_json(by_alias=True).encode(), status=status, content_type="application/json"
    )


def _query(request: web.Request, shape: type[Shape] | None) -> Shape | None:
    """The parameters of the address, each once."""
    given: dict[str, str] = {}
    for key, value in request.query.items():
        if key in given:
            raise Invalid(f"The parameter {key!r} was given twice.", {key: "given twice"})
        given[key] = value
    if shape is None:
        if given:
            raise Invalid("This address takes no parameters.", dict.fromkeys(given, "not known"))
        return None
    return _checked(shape, given, "The address cannot be understood")


async def _body(request: web.Request, shape: type[Shape] | None) -> Shape | None:
    if shape is None:
        return None
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    raw = bytearray()
    async for chunk in request.content.iter_chunked(16 * 1024):
        raw += chunk
        if len(raw) > LARGEST:
            raise web.HTTPRequestEntityTooLarge(LARGEST, len(raw))
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        raise Invalid("The body is not JSON.") from None
    return _checked(shape, given, "The body cannot be understood")


def _checked(shape: type[Shape], given: object, words: str) -> Shape:
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        fields = {
            ".".join(map(str, one["loc"])) or "body": one["msg"]
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        }
        first = next(iter(fields.items()))
        raise Invalid(f"{words}: {first[0]}: {first[1]}.", fields) from None


def words_of(status: int) -> str:
    """What a status means, for the document."""
    return HTTPStatus(status).phrase
