"""The sound of a call for programs."""

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.custody import listening, opening
from webui import soundbytes
from webui.api.endpoint import Asked
from webui.api.operations import api


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
        lying = await opening.heard_sound(db, asked.actor, call_id, n)
    opened = await asked.parts.opener.open(lying)
    await asked.parts.writer.do(
        lambda unit: listening.begin(unit, asked.actor, call_id, n, address=asked.address, kind="program"),
        name="listening",
    )
    return await soundbytes.answer(asked.request, opened, {"Cache-Control": "private, no-store"})
