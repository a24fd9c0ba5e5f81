"""What people do with their pops."""

from sqlalchemy import select, update

from callcrm.accounts.policy import Actor
from callcrm.calls.tables import Pop
from callcrm.kernel.errors import NotFound
from callcrm.kernel.writer import Unit


async def close_pop(unit: Unit, actor: Actor, pop_id: str) -> None:
    """Put one's own pop away after wrap-up; every tab hears of it (`pop.ended`, state closed).

    Raises NotFound for what is nobody's or somebody else's. Doing it twice is the same.
    """
    mine = (Pop.id == pop_id, Pop.user_id == actor.user_id)
    row = (await unit.db.execute(select(Pop.call_id, Pop.state).where(*mine))).one_or_none()
    if row is None:
        raise NotFound("There is no such pop among yours.")
    if row.state == "closed":
        return
    await unit.db.execute(update(Pop).where(*mine).values(state="closed", closed_at=unit.now))
    unit.fact("pop.closed", pop=pop_id, call=row.call_id, user=actor.user_id)
