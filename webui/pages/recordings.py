"""The sound of calls, streamed in parts; each listening leaves an audit row."""

import asyncio
from pathlib import Path

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.calls import heard
from callcrm.kernel.errors import NotFound
from recordings import BadSound, Folder, find, media_type
from recordings.playable import playable
from webui import words
from webui.parts import Parts
from webui.routes import Routes
from webui.visit import ADDRESS, Visit, as_id

routes = Routes()


@routes.route("GET", "/calls/{id}/recordings/{n}", right=Right.LISTEN)
async def recording(request: web.Request) -> web.StreamResponse:
    """The sound, whole or in parts (Range); a browser's further parts of one listening are one listening."""
    visit = Visit(request)
    call_id, n = request.match_info["id"][:40], as_id(request.match_info["n"])
    async with visit.parts.database.read() as db:
        file = await heard.sound_file(db, visit.actor, call_id, n)
    path = await asyncio.to_thread(path_of, visit.parts, file)
    if begins(request):
        address = request[ADDRESS]
        await visit.do(lambda unit: heard.note_listening(unit, visit.actor, call_id, n, address), "listening")
    headers = {"Content-Type": media_type(path), "Cache-Control": "private, max-age=600"}
    if request.query.get("download"):
        headers["Content-Disposition"] = f'attachment; filename="{call_id}-{n}{path.suffix}"'
    return web.FileResponse(path, headers=headers)


def begins(request: web.Request) -> bool:
    """Whether this is the beginning of a listening, not a later part of it."""
    part = request.headers.get("Range", "")
    return not part or part.startswith("bytes=0-")


def path_of(parts: Parts, file: heard.SoundFile) -> Path:
    """The file on the disk; NotFound says in words why there is none."""
    found = find(folder_of(parts, file.pbx), file.file)
    if found.path is None:
        raise NotFound(found.cause or words.recording(found.state).word)
    try:
        return playable(found.path)
    except (BadSound, OSError) as error:
        raise NotFound(str(error)) from error


def folder_of(parts: Parts, pbx: str) -> Folder | None:
    """The recordings folder of a PBX, if one is set."""
    settings = parts.settings.pbx.get(pbx)
    if settings is None or not settings.recordings:
        return None
    return Folder(Path(settings.recordings), settings.recordings_from)
