"""How long sounds are kept, for administrators: rules with what each would delete today, and the log of deletions."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.custody import retention, rules
from callcrm.custody.retention import Preview
from callcrm.custody.rules import Rule
from callcrm.custody.terms import Terms
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid
from webui import words
from webui.i18n import _, ngettext
from webui.routes import Routes
from webui.visit import Visit, as_id

routes = Routes()
BASE = "/accounts/retention"


@routes.route("GET", BASE, right=Right.RETENTION)
async def listed(request: web.Request) -> web.StreamResponse:
    """The rules in their order, and how much each has deleted."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        found, counts = await rules.listed(db), await retention.counts(db)
    lines = {number: line.label for number, line in visit.parts.settings.lines.items() if line.label}
    return await visit.page("law/rules.html", rules=found, counts=counts, lines=lines, terms_of=terms_of)


def terms_of(rule: Terms, lines: Mapping[str, str]) -> str:
    """What a rule speaks of, in words; `lines`: what people call the numbers."""
    parts = [_("calls in on %(line)s") % {"line": lines.get(rule.line, rule.line)}] if rule.line else []
    parts += [_("queue %(queue)s") % {"queue": rule.queue}] if rule.queue else []
    parts += [_("trunk %(trunk)s") % {"trunk": rule.trunk}] if rule.trunk else []
    parts += [words.direction(rule.direction).word] if rule.direction else []
    parts += [_("tag %(tag)s") % {"tag": rule.tag}] if rule.tag else []
    return ", ".join(parts) or _("every recording")


def days_of(rule: Terms) -> str:
    """How long it is kept, in words."""
    if rule.days is None:
        return _("for ever")
    return ngettext("%(n)s day", "%(n)s days", rule.days) % {"n": rule.days}


def size_of(size: int) -> str:
    """Bytes for a person."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return ""


@routes.route("GET", f"{BASE}/new", right=Right.RETENTION)
async def blank(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    return await _form(Visit(request), None, {"days": "90"}, {})


@routes.route("POST", f"{BASE}/new", right=Right.RETENTION)
async def add(request: web.Request) -> web.StreamResponse:
    """A new rule: switched off, so that its preview is looked at first."""
    visit = Visit(request)
    form = await visit.form()
    try:
        made = await visit.do(lambda unit: rules.add(unit, visit.actor, form), "add rule")
    except Invalid as error:
        return await _form(visit, None, form, error.fields, status=422)
    return visit.away(f"{BASE}/{made}", done=_("Look at what it would delete, then switch it on."))


@routes.route("GET", f"{BASE}/{{id}}", right=Right.RETENTION)
async def one(request: web.Request) -> web.StreamResponse:
    """A rule and what it would delete today."""
    visit = Visit(request)
    rule = await _rule(visit)
    terms = rule.terms
    typed = {name: getattr(terms, name) for name in ("name", "line", "queue", "trunk", "direction", "tag")}
    typed |= {"days": "" if terms.days is None else str(terms.days), "keep": "ever" if terms.days is None else ""}
    return await _form(visit, rule, typed, {})


async def _form(
    visit: Visit, rule: Rule | None, typed: dict[str, str], bad: dict[str, Any], *, status: int = 200
) -> web.Response:
    found = await _preview(visit, rule.terms) if rule is not None else None
    async with visit.parts.database.read() as db:
        trunks = await retention.trunks_lately(db)
    settings = visit.parts.settings
    return await visit.page(
        "law/rule.html",
        rule=rule,
        typed=typed,
        bad=bad,
        found=found,
        size=size_of(found.size) if found else "",
        lines=[("", _("any")), *((number, line.label or number) for number, line in settings.lines.items())],
        queues=[("", _("any")), *((name, queue.label or name) for name, queue in settings.queues.items())],
        trunks=trunks,
        directions=[("", _("any")), *((way, words.direction(way).word) for way in rules.DIRECTIONS if way)],
        keeps=[("", _("for so many days")), ("ever", _("for ever"))],
        status=status,
    )


async def _preview(visit: Visit, terms: Terms) -> Preview:
    async with visit.parts.database.read() as db:
        order = [rule.terms for rule in await rules.listed(db)]
        return await retention.preview(db, order, terms, clock.now())


async def _rule(visit: Visit) -> Rule:
    async with visit.parts.database.read() as db:
        return await rules.one(db, visit.number("id"))


@routes.route("POST", f"{BASE}/{{id}}", right=Right.RETENTION)
async def change(request: web.Request) -> web.StreamResponse:
    """Other terms; what it would delete is to be looked at anew."""
    visit = Visit(request)
    rule, form = await _rule(visit), await visit.form()
    version = as_id(form.get("version", "0"))
    try:
        await visit.do(lambda unit: rules.change(unit, visit.actor, rule.terms.id, form, version), "change rule")
    except Invalid as error:
        return await _form(visit, rule, form, error.fields, status=422)
    except Conflict as error:
        return await _form(visit, rule, form, {"name": str(error)}, status=409)
    return visit.away(f"{BASE}/{rule.terms.id}", done=_("Saved. The rule is off until you switch it on."))


@routes.route("POST", f"{BASE}/{{id}}/switch", right=Right.RETENTION)
async def switch(request: web.Request) -> web.StreamResponse:
    """On, or off."""
    visit = Visit(request)
    rule, form = await _rule(visit), await visit.form()
    version, on = as_id(form.get("version", "0")), form.get("on") == "yes"
    await visit.do(lambda unit: rules.switch(unit, visit.actor, rule.terms.id, version, on=on), "switch rule")
    return visit.away(BASE, done=_("The rule is on.") if on else _("The rule is off."))


@routes.route("POST", f"{BASE}/{{id}}/move", right=Right.RETENTION)
async def move(request: web.Request) -> web.StreamResponse:
    """One place up or down."""
    visit = Visit(request)
    rule, up = await _rule(visit), (await visit.form()).get("step") == "up"
    await visit.do(lambda unit: rules.move(unit, visit.actor, rule.terms.id, up=up), "move rule")
    return visit.away(BASE)


@routes.route("POST", f"{BASE}/{{id}}/remove", right=Right.RETENTION)
async def remove(request: web.Request) -> web.StreamResponse:
    """Take a rule away."""
    visit = Visit(request)
    rule, version = await _rule(visit), as_id((await visit.form()).get("version", "0"))
    await visit.do(lambda unit: rules.remove(unit, visit.actor, rule.terms.id, version), "remove rule")
    return visit.away(BASE, done=_("The rule is gone; what it deleted stays in the log."))


@routes.route("GET", "/accounts/deletions", right=Right.RETENTION)
async def deletions(request: web.Request) -> web.StreamResponse:
    """What was deleted by which rule."""
    visit = Visit(request)
    rule = as_id(visit.query["rule"]) if visit.query.get("rule") else None
    async with visit.parts.database.read() as db:
        lines = await retention.logged(db, rule=rule)
    return await visit.page("law/deletions.html", lines=lines, size_of=size_of)
