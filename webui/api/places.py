"""Who works here, the queues, and the PBXes."""

from callcrm.accounts import policy
from callcrm.accounts import queries as accounts
from callcrm.accounts.queries import Person
from callcrm.settings import QueueSettings
from callcrm.shifts import queries as shifts
from callcrm.shifts.queries import Stand
from callcrm.telephony import queries as telephony
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.shapes import Operator, OperatorPage, OperatorPhone, Pbx, PbxPage, Queue, QueueMember, QueuePage


@api.operation("GET", "/operators", "Who works here, as far as the asker sees", answer=OperatorPage)
async def list_operators(asked: Asked[None, None]) -> OperatorPage:
    """An operator sees himself, a supervisor his team or all."""
    actor = asked.actor
    scope = policy.scope(actor)
    async with asked.parts.database.read() as db:
        people = await accounts.people(db)
        stands = await shifts.standings(db)
    seen = [
        person
        for person in people
        if scope == "all" or person.id == actor.user_id or (scope == "team" and person.team == actor.team)
    ]
    return OperatorPage(items=[_operator(person, stands.get(person.id, shifts.NOBODY)) for person in seen])


def _operator(person: Person, stand: Stand) -> Operator:
    return Operator(
        id=person.id,
        name=person.name,
        full_name=person.full_name,
        role=person.role,
        team=person.team,
        on_shift_since=person.on_shift_since,
        state=stand.state,
        reason=stand.reason,
        since=stand.since,
        phones=[OperatorPhone(pbx=line.pbx, extension=line.extension) for line in person.phones],
    )


@api.operation("GET", "/queues", "The queues, and who waits in them", answer=QueuePage)
async def list_queues(asked: Asked[None, None]) -> QueuePage:
    """Queues of the settings, and those of the PBXes."""
    settings, actor = asked.parts.settings, asked.actor
    scope = policy.scope(actor)
    async with asked.parts.database.read() as db:
        found = await shifts.queues(db)
        teams = {person.id: person.team for person in await accounts.people(db)}
    seen = {user for user, team in teams.items() if scope == "all" or (scope == "team" and team == actor.team)}
    items = [_queue(one, settings.queues.get(one.queue), seen | {actor.user_id}) for one in found]
    quiet = [name for name in sorted(settings.queues) if name not in {one.queue for one in found}]
    items += [_queue(shifts.Queue("", name, 0, None), settings.queues[name], seen) for name in quiet]
    return QueuePage(items=items)


def _queue(one: shifts.Queue, known: QueueSettings | None, seen: set[int]) -> Queue:
    return Queue(
        name=one.queue,
        label=known.label if known else "",
        pbx=one.pbx,
        waiting=one.waiting,
        longest_since=one.longest_since,
        people=list(known.people) if known else [],
        members=[_member(member) for member in one.members if member.user_id in seen],
    )


def _member(member: shifts.Member) -> QueueMember:
    return QueueMember(
        extension=member.extension,
        operator=member.user_id,
        name=member.name,
        state=member.state,
        paused=member.paused,
        reason=member.reason,
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
