"""What went wrong, as a page, a fragment or JSON: whatever the asker can read."""

from collections.abc import Mapping

from aiohttp import web

from webui import i18n
from webui.coretexts import said
from webui.templating import render


def failure(
    request: web.Request, status: int, words: str, *, reference: str = "", fields: Mapping[str, str] | None = None
) -> web.Response:
    """One sentence, with the mend where there is one. A page for people, problem details (RFC 9457) for programs.

    A part of a page gets the sentence alone: what stands there stays, and the browser says it at the foot.
    """
    if not request.path.startswith("/api/"):
        words, fields = said(words), {name: said(why) for name, why in (fields or {}).items()}
    accepts = request.headers.get("Accept", "")
    if request.path.startswith("/api/") or ("json" in accepts and "text/html" not in accepts):
        body = {"type": "about:blank", "title": words, "status": status, "detail": words}
        if reference:
            body["reference"] = reference
        if fields:
            body["fields"] = dict(fields)
        return web.json_response(body, status=status, content_type="application/problem+json")
    if "HX-Request" in request.headers:
        return web.Response(text=f"{words} ({reference})" if reference else words, status=status)
    text = render("error.html", {"status": status, "words": words, "reference": reference, "language": i18n.language()})
    return web.Response(text=text, status=status, content_type="text/html")
