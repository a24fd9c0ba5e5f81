"""The OpenAPI 3.1 document, made from the operations as they are declared."""

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from webui.api.endpoint import PREFIX, Api, Operation, Shape, words_of

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for a person."},
        "reference": {"type": "string", "description": "Finds the failure in the service's log."},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_ALWAYS = (401, 403, 422, 500, 503)


def document(api: Api) -> dict[str, Any]:
    """The document of these operations."""
    shapes = [(shape, mode) for op in api.operations for shape, mode in _shapes(op)]
    unique = list(dict.fromkeys(shapes))
    refs, schemas = models_json_schema(unique, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for op in api.operations:
        paths.setdefault(op.path, {})[op.method.lower()] = _operation(op, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "callcrm",
            "version": "1",
            "description": "Lists take `limit` (at most 200) and `cursor`, and answer `items` and `next`. "
            "Times are RFC 3339 UTC, numbers E.164 (masked for who may not see them whole).",
        },
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "callcrm"},
            },
        },
    }


def _shapes(op: Operation) -> list[tuple[type[BaseModel], str]]:
    wanted: list[tuple[type[BaseModel] | None, str]] = [(op.body, "validation"), (op.answer, "serialization")]
    return [(shape, mode) for shape, mode in wanted if shape is not None]


def _operation(op: Operation, refs: dict[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": op.name, "summary": op.summary, "responses": _responses(op, refs)}
    parameters = [*_places(op.path), *_parameters(op.query)]
    if parameters:
        described["parameters"] = parameters
    if op.body is not None:
        schema = refs[op.body, "validation"]
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _responses(op: Operation, refs: dict[Any, Any]) -> dict[str, Any]:
    schema = refs[op.answer, "serialization"] if op.answer is not None else {}
    good: dict[str, Any] = {"description": words_of(op.status), "content": {op.media: {"schema": schema}}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    missing = (404,) if "{" in op.path else ()
    with_body = (413, 415) if op.body is not None else ()
    bad = {
        str(status): {"description": words_of(status), "content": problem}
        for status in sorted({*_ALWAYS, *missing, *with_body, *op.errors})
    }
    return {str(op.status): good, **bad}


def _places(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _parameters(query: type[Shape] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = query.model_json_schema()
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": field.pop("description", ""),
            "schema": field,
        }
        for name, field in ((name, dict(field)) for name, field in schema["properties"].items())
    ]
