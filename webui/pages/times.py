"""Shift times: who was in which state for how long, day by day; the spells behind each figure; the same as a file."""

import csv
import io
from datetime import timedelta

from aiohttp import web

from callcrm.accounts.policy import Right, may, scope
from callcrm.clients.sheets import guarded
from callcrm.kernel import audit, clock
from callcrm.kernel.writer import Unit
from callcrm.shifts import daily, daytimes
from callcrm.shifts.daily import Worker
from webui import paging, show, times
from webui.i18n import _
from webui.paging import Tab
from webui.routes import Routes
from webui.times import Asked
from webui.visit import ADDRESS, Visit, as_id

routes = Routes()
BASE = "/shifts"


@routes.route("GET", BASE, right=Right.CALLS)
async def shift_times(request: web.Request) -> web.StreamResponse:
    """Days of work, one row a person and day: one's own; the team's or everybody's for supervisors."""
    visit = Visit(request)
    span = times.asked(visit.query)
    everybody = await _people(visit)
    begin = int(visit.query.get("cursor") or 0) if (visit.query.get("cursor") or "0").isdigit() else 0
    chosen = [one for one in everybody if not visit.query.get("person") or str(one.id) == visit.query["person"]]
    shown = chosen[begin : begin + times.PEOPLE]
    rows = await times.rows(visit, shown, span)
    more = str(begin + times.PEOPLE) if len(chosen) > begin + times.PEOPLE else None
    return await visit.page(
        "shifts/times.html",
        rows=rows,
        total=times.of_all(rows),
        reasons=times.reasons(visit.parts, rows),
        asked=span,
        people=[(str(one.id), one.name) for one in everybody],
        alone=scope(visit.actor) == "own",
        query=visit.query,
        tabs=_tabs(visit, span),
        page=paging.place(BASE, visit.query, more),
        definitions=times.definitions(),
        zone=show.zone(),
        csv=paging.address("/shifts.csv", visit.query) if may(visit.actor, Right.EXPORT) else "",
        status=422 if span.bad else 200,
    )


async def _people(visit: Visit) -> list[Worker]:
    async with visit.parts.database.read() as db:
        return await daily.workers(db, visit.actor)


def _tabs(visit: Visit, span: Asked) -> list[Tab]:
    today = show.here(clock.now()).date()
    this, last = times.week_of(today), times.week_of(today - timedelta(days=7))
    yesterday = today - timedelta(days=1)
    spans = (
        (_("Today"), (today, today)),
        (_("Yesterday"), (yesterday, yesterday)),
        (_("This week"), this),
        (_("Last week"), last),
    )
    return [
        Tab(
            paging.address(BASE, visit.query, **{"from": first.isoformat(), "to": until.isoformat(), "cursor": ""}),
            word,
            (span.first, span.last) == (first, until),
        )
        for word, (first, until) in spans
    ]


@routes.route("GET", "/shifts/{id}", right=Right.CALLS)
async def day(request: web.Request) -> web.StreamResponse:
    """One person's day: every spell with its seconds, which add up to the figures."""
    visit, now = Visit(request), clock.now()
    span = times.asked({"from": visit.query.get("day", ""), "to": visit.query.get("day", "")})
    (whole,) = span.spans
    async with visit.parts.database.read() as db:
        worker = await daily.worker(db, visit.actor, as_id(request.match_info["id"]))
        found = await daily.times(db, worker, span.spans, now)
        spells = await daily.lived(db, worker, whole.since, whole.until)
    wanted = visit.query.get("state", "")
    lines = [(one, s) for one, s in daytimes.clipped(spells, whole, now) if wanted in ("", one.state)]
    return await visit.page(
        "shifts/day.html",
        worker=worker,
        times=found[0] if found else None,
        lines=lines,
        span=whole,
        wanted=wanted,
        word=times.state_word,
        earlier=whole.day - timedelta(days=1),
        later=whole.day + timedelta(days=1) if whole.until <= now else None,
        zone=show.zone(),
        page=paging.Place(),
        status=422 if span.bad else 200,
    )


@routes.route("GET", "/shifts.csv", right=Right.EXPORT)
async def export(request: web.Request) -> web.StreamResponse:
    """The same days as a file; taking it out leaves an audit row."""
    visit = Visit(request)
    span = times.asked(visit.query)
    people = [one for one in await _people(visit) if visit.query.get("person", "") in ("", str(one.id))]
    found = await times.rows(visit, people, span)
    detail = {"from": span.first.isoformat(), "to": span.last.isoformat(), "people": len(people)}

    async def note(unit: Unit) -> None:
        await audit.write(unit, visit.actor, "export", "shifts", "all", detail, address=request[ADDRESS])

    await visit.do(note, "export shift times")
    text = io.StringIO(newline="")
    csv.writer(text).writerows([guarded(cell) for cell in row] for row in times.csv_rows(found))
    name = f"shifts-{span.first.isoformat()}-{span.last.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return web.Response(
        body=text.getvalue().encode("utf-8-sig"), content_type="text/csv", charset="utf-8", headers=headers
    )
