"""The whole live sheet: the basics of pop and call, with the note, what is open, and the other calls of the stack."""

from collections.abc import Mapping

from callcrm.accounts.policy import Actor
from webui import desk
from webui.desk import Sheet
from webui.parts import Parts


async def waiting(parts: Parts, actor: Actor) -> tuple[int, int]:
    """How many callbacks and tasks wait for this person."""
    return 0, 0


async def sheet_of(parts: Parts, actor: Actor, hint: Mapping[str, str] | None = None) -> Sheet | None:
    """The sheet of the call that is open, or None when there is none."""
    pops = desk.told(await desk.pops_of(parts, actor), hint or {})
    open_ = desk.active(pops, (hint or {}).get("pop", ""))
    if open_ is None:
        return None
    seen = await desk.call_views(parts, [pop.call for pop in pops])
    if open_.call not in seen:
        return None
    return desk.basics(parts, actor, open_, seen[open_.call])
