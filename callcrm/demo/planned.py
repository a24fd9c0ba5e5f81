"""The demo's tasks of every kind: with checklists, reminders and repeat rules, of people, of queues, late and done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from callcrm.accounts.policy import Actor
from callcrm.clients.tables import Client
from callcrm.demo.story import COLLEAGUES, QUEUES
from callcrm.kernel.unit import Unit
from callcrm.tasks import checklist, service

#: Where the demo's garden shop is: repeating tasks come by this clock.
ZONE = "Europe/Moscow"


@dataclass(frozen=True, slots=True)
class Plan:
    """A task: by whom it was made, whose it is (empty: a queue's), days from today and the hour at which it is due.

    `ticked`: so many lines of the checklist are done; `more`: other fields, as a person would send them.
    """

    title: str
    by: str
    owner: str = ""
    days: int | None = None
    hour: float = 12.0
    client: str = ""
    items: tuple[str, ...] = ()
    ticked: int = 0
    done: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)


TASKS = (
    Plan(
        "Quote for the greenhouse: 3 × 6, with foundation", "olha", "olha", 0, 17.5, "Анна Ковалёва",
        ("Measure sheet from the client", "Price of the foundation", "Mail the quote", "Call next day"), 2,
        more={"remind_min": 30, "note": "She decides this week; the neighbour ordered the same."},
    ),
    Plan("Send the replacement chairs", "olha", "olha", 1, 10, "Игорь Власов", ("Ask the stock", "Order the carrier")),
    Plan("Ask Clara for the customs papers", "olha", "olha", -1, 16, "Clara Weiss"),
    Plan(
        "Weekly list of open quotes", "vera", "olha", 2, 9,
        items=("Those older than 14 days", "Those without a call", "Mail it to Vera"),
        more={"repeat": "FREQ=WEEKLY;BYDAY=MO", "repeat_zone": ZONE, "remind_min": 60},
    ),
    Plan("Water the show garden", "jonas", "jonas", 0, 18.5, more={"repeat": "FREQ=DAILY", "repeat_zone": ZONE}),
    Plan(
        "Stock of terrace boards", "vera", "", 3, 11, items=("Larch", "Thermo-ash", "Screws, A4"),
        more={"queue": "sales", "repeat": "FREQ=MONTHLY;BYMONTHDAY=1", "repeat_zone": ZONE, "repeat_when": "due"},
    ),
    Plan("Who takes the stand at the flower fair?", "vera", "", 5, 12, more={"queue": "sales"}),
    Plan("Answer the letter about the broken pump", "vera", "", 0, 15, "Elena Petrova", more={"queue": "support"}),
    Plan("Thank Леонид for the pictures of his greenhouse", "olha", "olha", None, client="Леонид Рощин"),
    Plan("Price list for dealers", "olha", "olha", -2, 12, client="Анна Ковалёва", done=True),
)  # fmt: skip


async def plan(unit: Unit, ids: Mapping[str, int]) -> None:
    """Make the tasks through the ordinary service, each as the colleague who made it would."""
    for one in TASKS:
        await _made(unit, one, ids)


async def _made(unit: Unit, one: Plan, ids: Mapping[str, int]) -> None:
    colleague = next(person for person in COLLEAGUES if person.name == one.by)
    actor = Actor(ids[one.by], one.by, colleague.role, via="command")
    queues = tuple(name for name, (_, people) in QUEUES.items() if one.by in people or colleague.role != "operator")
    typed: dict[str, Any] = {"title": one.title, "owner_id": ids.get(one.owner), **one.more, "items": list(one.items)}
    if one.days is not None:
        typed["due_at"] = due(unit.now, one.days, one.hour)
    if one.client:
        typed["client_id"] = await unit.db.scalar(select(Client.id).where(Client.name == one.client))
    task = await service.add_task(unit, actor, typed, queues=queues)
    lines = await checklist.items(unit.db, task)
    for line in lines[: one.ticked]:
        await checklist.change_item(unit, actor, task, line.id, line.version, done=True, queues=queues)
    if one.done:
        await service.close(unit, actor, task, 1, queues=queues)


def due(now: datetime, days: int, hour: float) -> datetime:
    """That hour of the shop's clock, so many days from today."""
    here = now.astimezone(ZoneInfo(ZONE))
    begin = here.replace(hour=0, minute=0, second=0, microsecond=0)
    return begin + timedelta(days=days, hours=hour)
