"""Accounts for tests: an operator, a colleague, a supervisor and an administrator."""

from dataclasses import dataclass, field

from callcrm.accounts.policy import Actor, Line
from callcrm.accounts.tables import User
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer

OLGA = Actor(7, "olga", "operator", "north", (Line("office", "101"),), full_name="Olga Bondar")
RUSLAN = Actor(8, "ruslan", "operator", "south", (Line("office", "102"),), full_name="Ruslan Tkach")
VERA = Actor(9, "vera", "supervisor", full_name="Vera Chief")
ADAM = Actor(10, "adam", "admin")


@dataclass(frozen=True)
class Staff:
    """Those who have an account."""

    everybody: tuple[Actor, ...] = field(default=(OLGA, RUSLAN, VERA, ADAM))


async def hire(writer: Writer, staff: Staff | None = None) -> None:
    """Give everybody an account."""
    people = (staff or Staff()).everybody

    async def work(unit: Unit) -> None:
        rows = [
            {"id": p.user_id, "name": p.name, "full_name": p.full_name, "role": p.role, "team": p.team}
            | {"created_at": unit.now}
            for p in people
        ]
        await upsert(unit.db, User, rows)

    await writer.do(work, name="hire")
