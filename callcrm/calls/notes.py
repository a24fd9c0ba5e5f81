"""What people write of a call: a note each, the disposition, and who the client was.

A note is autosaved from its first letter: each saving says which text it was made from. What another
tab of the same person wrote meanwhile is merged in (callcrm.calls.merging), so that nothing is lost.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from callcrm.accounts.policy import Actor, Right, require, visible_calls
from callcrm.calls import merging
from callcrm.calls.rows import Context
from callcrm.calls.tables import CallNote, CallRow
from callcrm.clients import service as clients
from callcrm.clients.match import read
from callcrm.clients.tables import Client
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit

NOTE_LENGTH = 20_000
LINE_LENGTH = 200
DISPOSITION_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Note:
    """One person's note of a call, and the disposition he chose; `version` 0: nothing is saved yet.

    `merged`: what was stored is not what was sent, for somebody wrote from elsewhere meanwhile.
    """

    call_id: str
    user_id: int
    text: str = ""
    disposition: str | None = None
    version: int = 0
    changed_at: datetime | None = None
    merged: bool = False


#: What follows from a call's client having been chosen: number, client, cards that gave way.
Relink = Callable[[Unit, str, int, Sequence[int]], Awaitable[None]]


async def note(unit: Unit, actor: Actor, call_id: str, text: str, base: str = "", *, tried: Sequence[str] = ()) -> Note:
    """Save the actor's note of a call, made from `base`; gives it as it is now.

    `tried` are texts that he sent before and does not know the fate of. When another text is stored than any
    of these, both are merged. Raises NotFound for a call that is not his to see, Invalid for more than
    20,000 characters.
    """
    call = await _call(unit, actor, call_id)
    held = await _held(unit, call, actor.user_id)
    sent = clean(text)
    began = merging.start([clean(one) for one in (base, *tried)], held.text)
    kept = merging.merge(began, held.text, sent)
    if len(kept) > NOTE_LENGTH:
        raise Invalid(f"A note has at most {NOTE_LENGTH} characters; this one has {len(kept)}.", {"text": "too long"})
    if kept == held.text:
        return replace(held, merged=kept != sent)
    saved = await _save(unit, call, held, text=kept)
    await _set(unit, call, note_line=_first_line(kept))
    unit.fact("call.noted", call=call_id, user=actor.user_id)
    return replace(saved, merged=kept != sent)


def clean(text: str) -> str:
    """A note as it is kept: plain lines, without marks that hide in text."""
    return "".join(c for c in text.replace("\r\n", "\n") if c.isprintable() or c in "\n\t")


async def set_disposition(
    unit: Unit,
    actor: Actor,
    call_id: str,
    disposition: str | None,
    *,
    allowed: Collection[str] | None = None,
) -> Note:
    """Choose the call's disposition (None takes it back); `allowed` are those of its queue.

    Raises NotFound and Invalid. One that was chosen before, by whomever, is replaced; the audit keeps both.
    """
    call = await _call(unit, actor, call_id)
    held = await _held(unit, call, actor.user_id)
    chosen = disposition.strip()[:DISPOSITION_LENGTH] if disposition else None
    if chosen and allowed is not None and chosen not in allowed:
        raise Invalid(f"{chosen!r} is no disposition of this queue.", {"disposition": "choose one from the list"})
    if chosen == held.disposition == call["disposition"]:
        return held
    saved = await _save(unit, call, held, disposition=chosen)
    await _set(unit, call, disposition=chosen)
    unit.fact("call.noted", call=call_id, user=actor.user_id)
    change = {"from": call["disposition"], "to": chosen}
    await audit.write(unit, actor, "set disposition", "call", call_id, change)
    return saved


async def choose_client(
    unit: Unit,
    actor: Actor,
    call_id: str,
    client_id: int,
    context: Context,
    *,
    seen: int | None = None,
    after: Sequence[Relink] = (),
) -> None:
    """Say who the client of this call was; remembered for his number, where he has one.

    `seen` is the client that the actor saw linked: when somebody chose another meanwhile, Conflict
    carries that one's id. Calls of a card that gave way are linked anew; `after` does so for tasks.
    """
    require(actor, Right.CLIENTS)
    call = await _call(unit, actor, call_id)
    match = read(call["match"], call["client_id"])
    if match and match.chosen and call["client_id"] not in (seen, client_id):
        raise Conflict("Somebody else said meanwhile who this is; look again.", call["client_id"])
    number = context.number(call["pbx"], call["client_number"] or call["client_raw"])
    stranger = call["client_number"] or (match and match.number)
    if number.key and stranger:
        choice = await clients.choose(unit, actor, number, client_id)
        data, dropped = choice.match.data(), choice.dropped
    else:
        data, dropped = await _nameless(unit, actor, client_id), ()
    await _set(unit, call, client_id=client_id, match=data)
    if dropped:
        relinked = update(CallRow).where(CallRow.client_id.in_(dropped)).values(client_id=client_id)
        await unit.db.execute(relinked)
    for relink in after:
        await relink(unit, str(data["number"]), client_id, dropped)
    unit.fact("call.linked", call=call_id, client=client_id)


async def _nameless(unit: Unit, actor: Actor, client_id: int) -> dict[str, Any]:
    """Somebody without a number said who he is: true of this call, and not to be remembered."""
    there = select(Client.id).where(Client.id == client_id, Client.deleted_at.is_(None))
    if (await unit.db.execute(there)).first() is None:
        raise NotFound("There is no such client; he may have been deleted meanwhile.")
    await audit.write(unit, actor, "choose", "client", client_id)
    return {
        "step": "chosen",
        "number": "",
        "clients": [client_id],
        "organisation": None,
        "remembered": False,
        "chosen": True,
        "chosen_by": actor.user_id,
    }


async def _call(unit: Unit, actor: Actor, call_id: str) -> RowMapping:
    """The call's row, locked until the commit."""
    columns = (
        CallRow.began,
        CallRow.id,
        CallRow.pbx,
        CallRow.client_id,
        CallRow.client_number,
        CallRow.client_raw,
        CallRow.match,
        CallRow.disposition,
    )
    mine = visible_calls(actor, select(*columns).where(CallRow.id == call_id))
    found = (await unit.db.execute(mine.with_for_update(of=CallRow))).mappings().first()
    if found is None:
        raise NotFound("There is no such call, or it is not yours to see.")
    return found


async def _held(unit: Unit, call: RowMapping, user_id: int) -> Note:
    statement = select(CallNote.text, CallNote.disposition, CallNote.version, CallNote.changed_at).where(
        CallNote.began == call["began"], CallNote.call_id == call["id"], CallNote.user_id == user_id
    )
    row = (await unit.db.execute(statement)).first()
    if row is None:
        return Note(call["id"], user_id)
    return Note(call["id"], user_id, row.text, row.disposition, row.version, row.changed_at)


async def _save(unit: Unit, call: RowMapping, held: Note, **changed: Any) -> Note:
    row = {
        "began": call["began"],
        "call_id": held.call_id,
        "user_id": held.user_id,
        "text": held.text,
        "disposition": held.disposition,
        **changed,
        "version": held.version + 1,
        "changed_at": unit.now,
    }
    if held.version:
        mine = (CallNote.began == call["began"], CallNote.call_id == held.call_id, CallNote.user_id == held.user_id)
        await unit.db.execute(update(CallNote).where(*mine).values(row))
    else:
        await unit.db.execute(insert(CallNote), row)
    return Note(held.call_id, held.user_id, row["text"], row["disposition"], row["version"], unit.now)


async def _set(unit: Unit, call: RowMapping, **values: Any) -> None:
    where = (CallRow.began == call["began"], CallRow.id == call["id"])
    await unit.db.execute(update(CallRow).where(*where).values(values))


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:LINE_LENGTH] if lines else ""
