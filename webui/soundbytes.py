"""A recording's bytes as an answer, whole or in parts (Range), wherever they lie."""

from collections.abc import Mapping

from aiohttp import web

from callcrm.custody.opening import Opened
from recordings import NotSatisfiable, Part, part_of


async def answer(request: web.Request, opened: Opened, headers: Mapping[str, str]) -> web.StreamResponse:
    """The sound as it was asked for; a file of this machine is sent by the kernel, anything else in blocks."""
    told = {"Content-Type": opened.media_type, **headers}
    if opened.path is not None:
        return web.FileResponse(opened.path, headers=told)
    try:
        part = part_of(opened.size, request.headers.get("Range"))
    except NotSatisfiable as error:
        return web.Response(status=416, headers={"Content-Range": str(error)})
    response = web.StreamResponse(status=200 if part.whole else 206, headers={**told, **_ranges(part)})
    response.content_length = part.end - part.begin
    if request.method == "HEAD":
        return response
    first = opened.blocks(part)
    block = await anext(first, b"")  # a store that is away is told with a status, not by an answer cut short
    await response.prepare(request)
    while block:
        await response.write(block)
        block = await anext(first, b"")
    await response.write_eof()
    return response


def _ranges(part: Part) -> dict[str, str]:
    return {"Accept-Ranges": "bytes"} | ({} if part.whole else {"Content-Range": part.content_range})
