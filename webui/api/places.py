"""Who works here, the queues, and the PBXes."""

from callcrm.accounts import policy
from callcrm.accounts import queries as accounts
from callcrm.accounts.queries import Person
from callcrm.push import views
from callcrm.settings import QueueSettings
from callcrm.telephony import queries as telephony
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.shapes import Operator, OperatorPage, OperatorPhone, Pbx, PbxPage, Queue, QueuePage


@api.operation("GET", "/operators", "Who works here, as far as the asker sees", answer=OperatorPage)
async def list_operators(asked: Asked[None, None]) -> OperatorPage:
    """An operator sees himself, a supervisor his team or all."""
    actor = asked.actor
    scope = policy.scope(actor)
    async with asked.parts.database.read() as db:
        people = await accounts.people(db)
    seen = [
        person
        for person in people
        if scope == "all" or person.id == actor.user_id or (scope == "team" and person.team == actor.team)
    ]
    return OperatorPage(items=[_operator(person) for person in seen])


def _operator(person: Person) -> Operator:
    return Operator(
        id=person.id,
        name=person.name,
        full_name=person.full_name,
        role=person.role,
        team=person.team,
        on_shift_since=person.on_shift_since,
        phones=[OperatorPhone(pbx=line.pbx, extension=line.extension) for line in person.phones],
    )


@api.operation("GET", "/queues", "The queues, and who waits in them", answer=QueuePage)
async def list_queues(asked: Asked[None, None]) -> QueuePage:
    """Queues of the settings, and those in which somebody waits now."""
    settings = asked.parts.settings
    async with asked.parts.database.read() as db:
        waiting = await views.all_waiting(db)
    items = [_queue(name, pbx, settings.queues.get(name), row) for (pbx, name), row in sorted(waiting.items())]
    quiet = [name for name in sorted(settings.queues) if name not in {queue for _, queue in waiting}]
    items += [_queue(name, "", settings.queues[name], None) for name in quiet]
    return QueuePage(items=items)


def _queue(name: str, pbx: str, known: QueueSettings | None, row: views.AnyRow | None) -> Queue:
    return Queue(
        name=name,
        label=known.label if known else "",
        pbx=pbx,
        waiting=row.waiting if row is not None else 0,
        longest_since=row.since if row is not None else None,
        people=list(known.people) if known else [],
    )


@api.operation("GET", "/pbx", "The PBXes, and how the links to them stand", answer=PbxPage)
async def list_pbxes(asked: Asked[None, None]) -> PbxPage:
    """Every PBX of the settings."""
    async with asked.parts.database.read() as db:
        found = {link.pbx: link for link in await telephony.links(db)}
    items = []
    for name in sorted(asked.parts.settings.pbx.keys() | found.keys()):
        link = found.get(name)
        if link is None:
            items.append(Pbx(name=name, state="unknown", words="No listener has told of this PBX yet."))
            continue
        items.append(
            Pbx(
                name=name,
                state=link.state,
                words=link.words,
                since=link.since,
                seen_at=link.seen_at,
                version=link.version,
            )
        )
    return PbxPage(items=items)
