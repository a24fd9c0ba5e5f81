"""The PBXes, for administrators: how each link stands, and whose phone each extension is."""

from collections.abc import Mapping

from aiohttp import web

from callcrm.accounts import queries, service
from callcrm.accounts.policy import Line, Right
from callcrm.accounts.queries import Person
from callcrm.calls import phones as calls_phones
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.push import latency
from webui import links
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit, as_id

routes = Routes()


@routes.route("GET", "/pbx", right=Right.PBX)
async def pbx(request: web.Request) -> web.StreamResponse:
    """Links and phones."""
    return await _page(Visit(request))


async def _page(
    visit: Visit, *, typed: Mapping[str, str] | None = None, bad: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    async with visit.parts.database.read() as db:
        people = await queries.people(db)
        unmapped = await calls_phones.nobodys(db)
        pops = await latency.latencies(db, clock.now())
    phones = [(line, person) for person in people for line in person.own_phones]
    return await visit.page(
        "pbx/page.html",
        status=status,
        links=await links.all_links(visit.parts),
        pops=pops,
        people=people,
        phones=sorted(phones, key=lambda pair: pair[0]),
        unmapped=unmapped,
        pbxes=sorted({*visit.parts.settings.pbx, *(one.pbx for one in unmapped)}),
        typed=typed or {},
        bad=bad or {},
    )


@routes.route("POST", "/pbx/phones", right=Right.PBX)
async def give(request: web.Request) -> web.StreamResponse:
    """Give a phone to a person; it is taken from whoever had it."""
    visit = Visit(request)
    form = await visit.form()
    line = Line(form.get("pbx", ""), form.get("extension", ""))
    people = await _people(visit)
    owner = people.get(as_id(form.get("user", "")))
    if owner is None:
        raise NotFound(_("There is no such account."))
    try:
        for other in people.values():
            if line in other.own_phones and other.id != owner.id:
                await _set(visit, other, [one for one in other.own_phones if one != line])
        if line not in owner.own_phones:
            await _set(visit, owner, [*owner.own_phones, line])
    except (Invalid, Conflict) as error:
        fields = error.fields if isinstance(error, Invalid) else {"extension": str(error)}
        return await _page(visit, typed=form, bad=fields, status=422)
    return visit.away("/pbx", done=_("The phone %(phone)s is given.") % {"phone": line.extension})


@routes.route("POST", "/pbx/phones/remove", right=Right.PBX)
async def remove(request: web.Request) -> web.StreamResponse:
    """Take a phone away."""
    visit = Visit(request)
    form = await visit.form()
    line = Line(form.get("pbx", ""), form.get("extension", ""))
    for person in (await _people(visit)).values():
        if line in person.own_phones:
            await _set(visit, person, [one for one in person.own_phones if one != line])
    return visit.away("/pbx", done=_("The phone %(phone)s is nobody’s now.") % {"phone": line.extension})


async def _people(visit: Visit) -> dict[int, Person]:
    async with visit.parts.database.read() as db:
        return {person.id: person for person in await queries.people(db)}


async def _set(visit: Visit, person: Person, lines: list[Line]) -> None:
    await visit.do(lambda unit: service.set_phones(unit, person.id, lines, by=visit.actor), "phones")
