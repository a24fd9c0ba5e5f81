"""What to review next and why, the plan behind it, and each draw explained."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web

from callcrm import house
from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right, scope
from callcrm.calls import queries as calls
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.quality import explaining, plans, sampling, taking
from callcrm.quality.drawing import Sampler
from callcrm.quality.plans import Plan
from callcrm.quality.sampling import Sampled
from webui import rows
from webui import sampling as words
from webui.i18n import _, ngettext
from webui.paging import Tab
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()
BASE = "/quality/next"
_SHOWN = 8


@routes.route("GET", BASE, right=Right.SCORE)
async def following(request: web.Request) -> web.StreamResponse:
    """The call to review next with why it is there, what comes then, and how far each week has got."""
    visit = Visit(request)
    zone = house.zone(visit.parts.settings)
    async with visit.parts.database.read() as db:
        known = await plans.plans(db, visit.actor)
        waits = await sampling.waiting(db, visit.actor, limit=_SHOWN)
        weeks = await sampling.weeks(db, visit.actor)
        week = _week(visit, weeks, waits, sampling.this_week(zone).isoformat())
        lines = await sampling.of_week(db, visit.actor, week)
        progress = await sampling.progress(db, visit.actor, week)
        head = (await calls.whole_call(db, visit.actor, waits[0].call_id)).call if waits else None
        blind = await sampling.hidden(db, visit.actor, [*waits, *lines])
    undo = visit.query.get("skipped", "")
    return await visit.page(
        "quality/next.html",
        planned=any(one.active for one in known),
        item=waits[0] if waits else None,
        call=rows.call_view(visit.parts, head) if head else None,
        then=waits[1:],
        lines=lines,
        weeks=[Tab(f"{BASE}?week={one}", words.week_words(one), one == week) for one in weeks],
        week=week,
        here=f"{BASE}?week={week}" if "week" in visit.query else BASE,
        progress=progress,
        total=words.total(progress),
        skipped=int(undo) if undo.isascii() and undo.isdigit() else 0,
        blind=blind,
        say=words,
    )


def _week(visit: Visit, weeks: list[str], waits: list[Sampled], this: str) -> str:
    """The week that is asked for, else that of the call that is next, else the newest."""
    asked = visit.query.get("week", "")
    if asked in weeks:
        return asked
    return waits[0].week if waits else weeks[0] if weeks else this


@routes.route("GET", BASE + "/open", right=Right.SCORE)
async def open_next(request: web.Request) -> web.StreamResponse:
    """Take the next call and go to its score form; `besides` is the call that was just done."""
    visit = Visit(request)
    besides = [visit.query["besides"][:40]] if "besides" in visit.query else []
    async with visit.parts.database.read() as db:
        waits = await sampling.waiting(db, visit.actor, limit=_SHOWN, besides=besides)
    for one in waits:
        try:
            await visit.do(partial(taking.take, actor=visit.actor, sampled_id=one.id), "take")
        except (Conflict, NotFound):
            continue  # Somebody was faster: the one after it.
        return visit.away(words.review_address(one))
    return visit.away(BASE, done=_("Nothing is left to review."))


@routes.route("POST", BASE + "/{sampled}/take", right=Right.SCORE)
async def take(request: web.Request) -> web.StreamResponse:
    """Take this call and go to its score form."""
    visit = Visit(request)
    sampled_id = visit.number("sampled")
    try:
        found = await visit.do(lambda unit: taking.take(unit, visit.actor, sampled_id), "take")
    except Conflict as error:
        return visit.away(BASE, done=_conflict(error))
    return visit.away(words.review_address(found))


@routes.route("POST", BASE + "/{sampled}/let-go", right=Right.SCORE)
async def let_go(request: web.Request) -> web.StreamResponse:
    """Give a taken call back."""
    visit = Visit(request)
    sampled_id = visit.number("sampled")
    await visit.do(lambda unit: taking.let_go(unit, visit.actor, sampled_id), "let go")
    return visit.away(BASE, done=_("It is offered to others again."))


@routes.route("POST", BASE + "/{sampled}/skip", right=Right.SCORE)
async def skip(request: web.Request) -> web.StreamResponse:
    """Do not review it, for a reason; the same draw gives another."""
    visit = Visit(request)
    sampled_id, form = visit.number("sampled"), await visit.form()
    reason, zone = form.get("other") or form.get("reason", ""), house.zone(visit.parts.settings)
    try:
        drawn = await visit.do(lambda unit: taking.skip(unit, visit.actor, sampled_id, reason, zone), "skip")
    except Conflict as error:
        return visit.away(BASE, done=_conflict(error))
    except Invalid:
        return visit.away(BASE, done=_("Say why this call is not reviewed."))
    said = _("Skipped; the same draw gave another call.") if drawn else _("Skipped; its draw has no other call.")
    return visit.away(f"{BASE}?skipped={sampled_id}", done=said)


@routes.route("POST", BASE + "/{sampled}/back", right=Right.SCORE)
async def put_back(request: web.Request) -> web.StreamResponse:
    """Undo a skipping."""
    visit = Visit(request)
    sampled_id = visit.number("sampled")
    try:
        await visit.do(lambda unit: taking.put_back(unit, visit.actor, sampled_id), "put back")
    except Conflict as error:
        return visit.away(BASE, done=_conflict(error))
    return visit.away(BASE, done=_("It waits to be reviewed again."))


def _conflict(error: Conflict) -> str:
    """What somebody else did meanwhile."""
    now = error.current
    if isinstance(now, Sampled) and now.state == "reviewed":
        return _("This call was reviewed meanwhile.")
    if isinstance(now, Sampled) and now.taken_by is not None:
        return _("%(who)s has this call open; take the next one.") % {"who": now.taken_name}
    return _("Somebody else did something with this call meanwhile; look again.")


@routes.route("POST", "/quality/draw", right=Right.SCORE)
async def draw_now(request: web.Request) -> web.StreamResponse:
    """Draw from the week that runs, without waiting for its end."""
    visit = Visit(request)
    parts, team = visit.parts, visit.actor.team if scope(visit.actor) == "team" else None
    sampler = Sampler(parts.database, parts.writer, house.zone(parts.settings))
    drawn = await sampler.draw(clock.now(), running_by=visit.actor.user_id, team=team)
    said = ngettext("%(n)s call was drawn.", "%(n)s calls were drawn.", drawn) % {"n": drawn}
    return visit.away(BASE, done=said if drawn else _("No call could be drawn that was not drawn before."))


@routes.route("GET", "/calls/{id}/sampled", right=Right.CALLS)
async def of_call(request: web.Request) -> web.StreamResponse:
    """Why this call is reviewed, and the way into a coaching list, for the head of its story."""
    visit = Visit(request)
    call_id = request.match_info["id"][:40]
    async with visit.parts.database.read() as db:
        await calls.whole_call(db, visit.actor, call_id)
        found = await sampling.of_call(db, visit.actor, call_id)
    return visit.part("quality/sampled.html", call=call_id, sampled=found, blind="blind" in visit.query, say=words)


@routes.route("GET", "/quality/draws/{draw}", right=Right.CALLS)
async def draw(request: web.Request) -> web.StreamResponse:
    """One draw: every call of the pot with its number, drawn again."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        zone = house.zone(visit.parts.settings)
        found = await explaining.explain(db, visit.actor, visit.number("draw"), zone)
    return await visit.page("quality/draw.html", draw=found, own=found.operator_id == visit.actor.user_id, say=words)


# ---- the plan --------------------------------------------------------------------------------------
@routes.route("GET", "/quality/plan", right=Right.SCORE)
async def plan(request: web.Request) -> web.StreamResponse:
    """The plan of the house or of a team, as a form."""
    visit = Visit(request)
    team = _team(visit, visit.query.get("team"))
    known, teams = await _known(visit)
    held = next((one for one in known if one.team == team), None)
    base = held or plans.plan_for("", known)
    wish = base.wish if base else words.proposed(visit.parts.settings)
    typed = words.form_of(wish, active=base.active if base else True)
    return await _plan_page(visit, team, known, teams, typed=typed, chosen=wish.rules.complaint or ())


@routes.route("POST", "/quality/plan", right=Right.SCORE)
async def save_plan(request: web.Request) -> web.StreamResponse:
    """Save it, and draw what it wants of the week that is over."""
    visit = Visit(request)
    posted = await visit.request.post()
    form = {key: value.strip() for key, value in posted.items() if isinstance(value, str)}
    chosen = [value for value in posted.getall("complaint", []) if isinstance(value, str)]
    team, zone = _team(visit, form.get("team")), house.zone(visit.parts.settings)
    version = int(form["version"]) if form.get("version", "").isdigit() else 0
    typed = words.read_form(form, chosen)
    try:
        await visit.do(
            lambda unit: plans.save(unit, visit.actor, team, typed, version=version, zone=zone), "sampling plan"
        )
    except Invalid as error:
        known, teams = await _known(visit)
        bad = words.wrong_words(error.fields)
        return await _plan_page(visit, team, known, teams, typed=form, chosen=chosen, bad=bad, status=422)
    except Conflict:
        return visit.away(
            f"/quality/plan?team={team}", done=_("Somebody else changed this plan; it is shown as it is now.")
        )
    sampler = Sampler(visit.parts.database, visit.parts.writer, zone)
    drawn = await sampler.run_once()
    said = ngettext("The plan is saved; %(n)s call was drawn.", "The plan is saved; %(n)s calls were drawn.", drawn)
    return visit.away(BASE, done=said % {"n": drawn})


@routes.route("POST", "/quality/plan/drop", right=Right.SCORE)
async def drop_plan(request: web.Request) -> web.StreamResponse:
    """Take a team's own plan away."""
    visit = Visit(request)
    form = await visit.form()
    team = _team(visit, form.get("team"))
    version = int(form["version"]) if form.get("version", "").isdigit() else 0
    try:
        await visit.do(lambda unit: plans.drop(unit, visit.actor, team, version=version), "sampling plan")
    except Conflict:
        return visit.away("/quality/plan", done=_("Somebody else changed this plan; it is shown as it is now."))
    return visit.away("/quality/plan", done=_("The plan of the house counts for this team again."))


def _team(visit: Visit, asked: str | None) -> str:
    """Whose plan is meant: a team's supervisor means his own team's unless he says another."""
    if asked is not None:
        return asked[:100]
    return visit.actor.team if scope(visit.actor) == "team" else ""


async def _known(visit: Visit) -> tuple[list[Plan], list[str]]:
    async with visit.parts.database.read() as db:
        known, people = await plans.plans(db, visit.actor), await accounts.people(db)
    teams = sorted({one.team for one in people if one.team} | {one.team for one in known if one.team})
    return known, [team for team in teams if scope(visit.actor) == "all" or team == visit.actor.team]


async def _plan_page(
    visit: Visit,
    team: str,
    known: list[Plan],
    teams: list[str],
    *,
    typed: Mapping[str, str],
    chosen: Any = (),
    bad: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    held = next((one for one in known if one.team == team), None)
    tabs = [Tab("/quality/plan?team=", _("The whole house"), team == "")]
    tabs += [Tab(f"/quality/plan?team={one}", one, one == team) for one in teams]
    return await visit.page(
        "quality/plan.html",
        team=team,
        held=held,
        tabs=tabs,
        typed=typed,
        bad=bad or {},
        fields=words.rule_fields(typed),
        dispositions=words.dispositions(visit.parts.settings, list(chosen)),
        chosen=set(chosen),
        mine=scope(visit.actor) == "all" or team == visit.actor.team,
        status=status,
    )
