"""Which version a change was made from: in the body, or as If-Match; one of them is needed."""

import re

from aiohttp import web

from callcrm.kernel.errors import Invalid


def version_of(request: web.Request, typed: int | None) -> int:
    """The version that the asker read. Raises Invalid without one: changes would overwrite unseen ones."""
    if typed is not None:
        return typed
    found = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', request.headers.get("If-Match", "").strip())
    if found is None:
        raise Invalid("Say which version you changed: `version` in the body, or If-Match.", {"version": "is missing"})
    return int(found.group(1))
