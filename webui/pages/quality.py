"""Quality: the list of evaluations for who scores, one's own scores for who is scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right, may
from callcrm.kernel import clock
from callcrm.kernel.paging import Wanted
from callcrm.quality import evaluations, forms, queries
from callcrm.quality.queries import EvaluationLine, Filters, Waiting
from webui import paging, scorewords
from webui.i18n import _, ngettext
from webui.pages.calls import Chip, day_of
from webui.paging import Tab
from webui.routes import Routes
from webui.visit import Visit, as_id
from webui.words import Mark

routes = Routes()
#: So far back one's own mean is counted.
RECENT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Row:
    """An evaluation as a row."""

    line: EvaluationLine
    href: str
    score: str
    compliance: str
    band: Mark | None
    mark: Mark
    hidden: bool


def row_of(line: EvaluationLine, form: Any) -> Row:
    """An evaluation as a row; a draft opens on its call, where it is filled in."""
    draft = line.state == "draft"
    return Row(
        line=line,
        href=f"/calls/{line.call_id}?score={line.id}" if draft else f"/quality/evaluations/{line.id}",
        score="" if draft else scorewords.points(line.score),
        compliance="" if line.compliance is None else scorewords.points(line.compliance),
        band=scorewords.band(form, line.band) if form else None,
        mark=scorewords.state(line),
        hidden=line.hidden,
    )


@routes.route("GET", "/quality", right=Right.CALLS)
async def quality(request: web.Request) -> web.StreamResponse:
    """Evaluations under the address's filters; who scores nothing sees his own."""
    visit = Visit(request)
    query, scores = visit.query, may(visit.actor, Right.SCORE)
    filters = filters_of(query) if scores else Filters("own")
    async with visit.parts.database.read() as db:
        waits = await queries.waiting(db, visit.actor)
        found = await queries.evaluation_list(db, visit.actor, filters, Wanted(cursor=query.get("cursor", "")))
        known = {one: (await forms.version(db, *one)).form for one in {(it.form_id, it.form_n) for it in found.items}}
        own = await queries.own_figures(db, visit.actor, clock.now() - RECENT) if filters.show == "own" else None
        there = await forms.offered(db, visit.actor) if scores else ()
    return await visit.page(
        "quality/evaluations.html",
        rows=[row_of(line, known[line.form_id, line.form_n]) for line in found.items],
        tabs=tabs(query, waits) if scores else [],
        chips=await chips(visit, query) if scores else [],
        own=own,
        scores=scores,
        forms_there=bool(there),
        query=query,
        filtered=bool({*query} - {"cursor", "show"}),
        points=scorewords.points,
        page=paging.place("/quality", query, found.next),
        here=paging.address("/quality", query, cursor=query.get("cursor", "")),
    )


def filters_of(query: Mapping[str, str]) -> Filters:
    """The address's parameters as filters."""
    ids = {name: as_id(query[name]) for name in ("operator", "grader", "form") if name in query}
    since, until = day_of(query.get("since"), "since"), day_of(query.get("until"), "until", end=True)
    return Filters(
        query.get("show", ""),
        operator=ids.get("operator"),
        grader=ids.get("grader"),
        form=ids.get("form"),
        since=since,
        until=until,
    )


def tabs(query: Mapping[str, str], waits: Waiting) -> list[Tab]:
    """What waits, with its counts, and all."""
    known: tuple[tuple[str, str, int | None], ...] = (
        ("", _("All"), None),
        ("mine", _("My drafts"), waits.drafts),
        ("waiting", _("To release"), waits.release),
        ("disputed", _("Disputed"), waits.disputed),
        ("fatal", _("Fatal errors"), waits.fatal),
        ("own", _("Of me"), waits.fresh or None),
    )
    now = query.get("show", "")
    return [Tab(paging.address("/quality", query, show=code), word, code == now, n) for code, word, n in known]


async def chips(visit: Visit, query: Mapping[str, str]) -> list[Chip]:
    """What can be chosen from."""
    async with visit.parts.database.read() as db:
        people = await accounts.people(db)
        known = await forms.listed(db, visit.actor)
    everybody = tuple((str(one.id), one.shown) for one in people)
    graders = tuple((str(one.id), one.shown) for one in people if one.role != "operator")
    named = tuple((str(one.id), one.name) for one in known)
    return [
        Chip("operator", _("Operator"), query.get("operator", ""), everybody),
        Chip("grader", _("Grader"), query.get("grader", ""), graders),
        Chip("form", _("Form"), query.get("form", ""), named),
    ]


@routes.route("POST", "/quality/release", right=Right.SCORE)
async def release(request: web.Request) -> web.StreamResponse:
    """Show the chosen evaluations to their operators."""
    visit = Visit(request)
    posted = await request.post()
    ids = [as_id(str(one)) for one in posted.getall("id", [])][:200]
    done = await visit.do(lambda unit: evaluations.release(unit, visit.actor, ids), "release scores")
    said = ngettext("%(n)s evaluation is released.", "%(n)s evaluations are released.", done) % {"n": done}
    return visit.away("/quality?show=waiting", done=said if done else _("Nothing was chosen."))
