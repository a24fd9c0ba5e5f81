"""The AsyncAPI 3.0 document of the push socket, made from the same models that check the frames.

`python -m callcrm.push.asyncapi > docs/asyncapi.yaml` writes it anew; a test holds both together.
"""

import inspect
import json
import re
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from callcrm.push import messages
from callcrm.push.gateway import AUTH_S, PATH, PER_SECOND

_DESCRIPTION = f"""\
A WebSocket (RFC 6455, JSON text frames) at {PATH}. Who it is: the session's cookie, for a page of our own
origin; or an API token, as `Authorization: Bearer …` or in a first frame `auth` within {AUTH_S:g} s.
After that the present pops and links come, then (at the latest after half a second) `hello`, then what
happens. A client that was away sends `resume` at once, with the last `id` of the connection before it: it
is told what it missed, or `refetch`; `hello` ends that. Messages may come twice, never not at all.
Each message goes only to those who may see it, with the number masked for those who may not see it whole.
A client may send {PER_SECOND} frames a second, of {messages.MAX_CLIENT_FRAME} bytes at most. What closes it: 1001 the
server goes down; 1008 what was sent is wrong, in words; 1009 a frame too large; 1013 the client reads too
slowly: connect again and resume; 4401 sign in again."""


def document() -> dict[str, Any]:
    """The document as plain data."""
    kinds = [*messages.SERVER_FRAMES, *messages.CLIENT_FRAMES]
    _, schemas = models_json_schema(
        [(kind, "serialization") for kind in kinds], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "callcrm push", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {
            "push": {
                "address": PATH,
                "messages": {type_of(kind): {"$ref": f"#/components/messages/{type_of(kind)}"} for kind in kinds},
            }
        },
        "operations": {
            "told": _operation("send", "What the server tells.", messages.SERVER_FRAMES),
            "said": _operation("receive", "What a client says.", messages.CLIENT_FRAMES),
        },
        "components": {
            "messages": {type_of(kind): _message(kind) for kind in kinds},
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "session": {"type": "httpApiKey", "in": "cookie", "name": "callcrm", "description": "Own pages only."},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def type_of(kind: type[BaseModel]) -> str:
    """The `type` that tells this frame from others."""
    return str(kind.model_fields["type"].annotation.__args__[0])  # type: ignore[union-attr]


def _message(kind: type[BaseModel]) -> dict[str, Any]:
    return {
        "name": type_of(kind),
        "summary": inspect.getdoc(kind),
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
    }


def _operation(action: str, summary: str, kinds: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/push"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/push/messages/{type_of(kind)}"} for kind in kinds],
    }


def yaml(value: Any, indent: int = 0) -> str:
    """Plain data as YAML blocks; scalars as JSON writes them, which YAML reads alike."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{_key(key)}:{_nested(held, indent)}" for key, held in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}-{_nested(held, indent)}" for held in value)
    return f"{pad}{json.dumps(value, ensure_ascii=False)}\n"


def _nested(value: Any, indent: int) -> str:
    if isinstance(value, (dict, list)) and value:
        return "\n" + yaml(value, indent + 1)
    if isinstance(value, str) and "\n" in value:
        pad = "  " * (indent + 1)
        return " |-\n" + "".join(f"{pad}{line}\n" for line in value.split("\n"))
    return " " + yaml(value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][\w.-]*", key) else json.dumps(key)


def text() -> str:
    """The whole file."""
    return "# Made by `python -m callcrm.push.asyncapi`; do not edit.\n" + yaml(document())


if __name__ == "__main__":
    sys.stdout.write(text())
