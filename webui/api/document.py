"""The API's own description."""

from functools import lru_cache
from typing import Any

from webui.api import openapi
from webui.api.endpoint import Asked, Shape
from webui.api.operations import api


class Document(Shape, extra="allow"):
    """An OpenAPI 3.1 document."""

    openapi: str


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return openapi.document(api)


@api.operation("GET", "/openapi.json", "This document", answer=Document, public=True)
async def get_document(_asked: Asked[None, None]) -> Document:
    """Made from the declarations once."""
    return Document.model_validate(_document())
