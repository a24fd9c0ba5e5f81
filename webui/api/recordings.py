"""The sound of a call for programs."""

import asyncio
from pathlib import Path

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.calls import heard
from callcrm.calls.heard import SoundFile
from callcrm.kernel.errors import NotFound
from recordings import BadSound, Folder, find, media_type
from recordings.playable import playable
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.parts import Parts


@api.operation(
    "GET",
    "/calls/{id}/recordings/{n}",
    "The sound of a recording, whole or in parts (Range); 404 says in words why there is none",
    right=Right.LISTEN,
    media="audio/*",
    errors=(416,),
)
async def get_recording(asked: Asked[None, None]) -> web.StreamResponse:
    """Every request leaves an audit row: a program may begin anywhere in the file."""
    call_id, n = asked.path["id"][:40], asked.number("n")
    async with asked.parts.database.read() as db:
        sound = await heard.sound_file(db, asked.actor, call_id, n)
    path = await asyncio.to_thread(_path, asked.parts, sound)
    await asked.parts.writer.do(
        lambda unit: heard.note_listening(unit, asked.actor, call_id, n, asked.address), name="listening"
    )
    headers = {"Content-Type": media_type(path), "Cache-Control": "private, no-store"}
    return web.FileResponse(path, headers=headers)


def _path(parts: Parts, sound: SoundFile) -> Path:
    """The file on the disk; NotFound says in words why there is none."""
    settings = parts.settings.pbx.get(sound.pbx)
    if settings is None or not settings.recordings:
        raise NotFound(f"Nobody has set a recordings folder for the PBX {sound.pbx}.")
    found = find(Folder(Path(settings.recordings), settings.recordings_from), sound.file)
    if found.path is None:
        raise NotFound(found.cause or sound.cause or f"There is no sound: the recording is {found.state}.")
    try:
        return playable(found.path)
    except (BadSound, OSError) as error:
        raise NotFound(str(error)) from error
