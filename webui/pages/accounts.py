"""Accounts, for administrators: who works here, with which role, and programs' tokens."""

from aiohttp import web

from callcrm.accounts import passwords, queries, service, sessions
from callcrm.accounts.policy import Right
from callcrm.accounts.queries import Person
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.shifts import queries as shifts
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()


@routes.route("GET", "/accounts", right=Right.ACCOUNTS)
async def accounts(request: web.Request) -> web.StreamResponse:
    """Everybody, switched-off accounts too."""
    return await _list(Visit(request))


async def _list(visit: Visit, *, token: str = "", token_name: str = "") -> web.Response:
    async with visit.parts.database.read() as db:
        people = await queries.people(db, active_only=False)
        stands = await shifts.standings(db)
    return await visit.page("accounts/list.html", people=people, stands=stands, token=token, token_name=token_name)


async def _person(visit: Visit) -> Person:
    wanted = visit.number("id")
    async with visit.parts.database.read() as db:
        people = await queries.people(db, active_only=False)
    for person in people:
        if person.id == wanted:
            return person
    raise NotFound(_("There is no such account."))


@routes.route("GET", "/accounts/new", right=Right.ACCOUNTS)
async def blank(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    return await Visit(request).page("accounts/edit.html", account=None, typed={}, bad={})


@routes.route("POST", "/accounts/new", right=Right.ACCOUNTS)
async def add(request: web.Request) -> web.StreamResponse:
    """Open an account."""
    visit = Visit(request)
    form = await visit.form()
    try:
        fresh = await passwords.hashed(form.get("password", ""), name=form.get("name", ""))
        await visit.do(
            lambda unit: service.add_user(
                unit,
                form.get("name", ""),
                role=form.get("role", ""),
                full_name=form.get("full_name", ""),
                team=form.get("team", ""),
                password_hash=fresh,
                by=visit.actor,
            ),
            "add account",
        )
    except Invalid as error:
        return await visit.page("accounts/edit.html", account=None, typed=form, bad=error.fields, status=422)
    except Conflict as error:
        return await visit.page("accounts/edit.html", account=None, typed=form, bad={"name": str(error)}, status=409)
    return visit.away("/accounts", done=_("The account is open. Give the person a phone at PBX."))


@routes.route("GET", "/accounts/{id}", right=Right.ACCOUNTS)
async def edit(request: web.Request) -> web.StreamResponse:
    """An account as it is."""
    visit = Visit(request)
    person = await _person(visit)
    typed = {"full_name": person.full_name, "role": person.role, "team": person.team}
    typed["active"] = "yes" if person.active else "no"
    return await visit.page("accounts/edit.html", account=person, typed=typed, bad={})


@routes.route("POST", "/accounts/{id}", right=Right.ACCOUNTS)
async def save(request: web.Request) -> web.StreamResponse:
    """Change an account; switching it off signs the person out everywhere."""
    visit = Visit(request)
    person, form = await _person(visit), await visit.form()
    try:
        await _change(visit, person, form)
    except Invalid as error:
        return await visit.page("accounts/edit.html", account=person, typed=form, bad=error.fields, status=422)
    except Conflict as error:
        return await visit.page("accounts/edit.html", account=person, typed=form, bad={"role": str(error)}, status=409)
    return visit.away("/accounts", done=_("Saved"))


async def _change(visit: Visit, person: Person, form: dict[str, str]) -> None:
    by, values = visit.actor, {key: form[key] for key in ("full_name", "role", "team") if key in form}
    fresh = await passwords.hashed(form["password"], name=person.name) if form.get("password") else ""
    wish = form.get("active", "yes") == "yes"
    await visit.do(lambda unit: service.change_user(unit, person.id, by=by, **values), "change account")
    if fresh:
        await visit.do(lambda unit: service.set_password(unit, person.id, fresh, by=by), "new password")
    if wish != person.active:
        act = service.reopen_user if wish else service.close_user
        await visit.do(lambda unit: act(unit, person.id, by=by), "switch account")


@routes.route("POST", "/accounts/{id}/token", right=Right.ACCOUNTS)
async def token(request: web.Request) -> web.StreamResponse:
    """A new API token, shown this once."""
    visit = Visit(request)
    person = await _person(visit)
    made = await visit.do(lambda unit: sessions.add_token(unit, person.id, "web", by=visit.actor), "add token")
    return await _list(visit, token=made, token_name=person.shown)
