"""Quality forms: listed, begun, edited as drafts, published, retired; every version can be read."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.kernel.errors import Conflict, Invalid
from callcrm.quality import drafting, forms
from callcrm.quality.forms import Version
from callcrm.quality.questions import COMMENTS, KINDS, SEVERITIES, Form, faults
from webui import formedit, scoresheet, scorewords
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit, as_id

routes = Routes()
BASE = "/quality/forms"


@routes.route("GET", BASE, right=Right.SCORE)
async def listing(request: web.Request) -> web.StreamResponse:
    """Every form with its versions' numbers."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        found = await forms.listed(db, visit.actor)
    return await visit.page("quality/forms.html", forms=found)


@routes.route("GET", BASE + "/new", right=Right.SCORE)
async def blank(request: web.Request) -> web.StreamResponse:
    """A name, and what to begin with."""
    return await _new(Visit(request), {"like": "usual"}, {})


async def _new(visit: Visit, typed: Mapping[str, str], bad: Mapping[str, str], status: int = 200) -> web.Response:
    async with visit.parts.database.read() as db:
        known = await forms.offered(db, visit.actor)
    likes = [("usual", _("the usual form: four sections, eight questions")), ("", _("nothing"))]
    likes += [(str(one.form_id), _("a copy of %(form)s") % {"form": one.name}) for one in known]
    return await visit.page("quality/form_new.html", typed=typed, bad=bad, likes=likes, status=status)


@routes.route("POST", BASE + "/new", right=Right.SCORE)
async def add(request: web.Request) -> web.StreamResponse:
    """Begin a form."""
    visit = Visit(request)
    typed = await visit.form()
    like, begun = typed.get("like", ""), Form()
    if like == "usual":
        begun = formedit.usual()
    elif like:
        async with visit.parts.database.read() as db:
            begun = (await forms.versions(db, visit.actor, as_id(like)))[0].form
    try:
        key = await visit.do(lambda unit: forms.add(unit, visit.actor, typed.get("name", ""), begun), "add form")
    except Invalid as error:
        return await _new(visit, typed, error.fields, 422)
    return visit.away(f"{BASE}/{key}/edit")


@routes.route("GET", BASE + "/{form}", right=Right.SCORE)
async def read(request: web.Request) -> web.StreamResponse:
    """A version as it is scored on, and the list of its versions."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        known = await forms.versions(db, visit.actor, visit.number("form"))
    wanted = visit.query.get("n", "")
    published = [one for one in known if one.state == "published"]
    shown = next((one for one in known if str(one.n) == wanted), (published or known)[0])
    return await visit.page(
        "quality/form.html",
        known=known,
        shown=shown,
        sheet=scoresheet.sheet_of(shown.form, {}),
        conditions=_conditions(shown.form),
        draft=next((one for one in known if one.state == "draft"), None),
    )


def _conditions(form: Form) -> dict[str, str]:
    """When a question is asked, by key."""
    found = {}
    for question in form.questions():
        other = form.question(question.when.question) if question.when else None
        if question.when and other:
            words = ", ".join(scorewords.answer(other, one) for one in question.when.answers)
            said = {"question": other.text, "answers": words}
            found[question.key] = _("Asked only when “%(question)s” is answered: %(answers)s") % said
    return found


@routes.route("POST", BASE + "/{form}/draft", right=Right.SCORE)
async def begin(request: web.Request) -> web.StreamResponse:
    """A draft of the next version."""
    visit = Visit(request)
    key = visit.number("form")
    await visit.do(lambda unit: forms.begin_draft(unit, visit.actor, key), "draft form")
    return visit.away(f"{BASE}/{key}/edit")


@routes.route("POST", BASE + "/{form}/retire", right=Right.SCORE)
async def retire(request: web.Request) -> web.StreamResponse:
    """Offer it no more, or again."""
    visit = Visit(request)
    key, back = visit.number("form"), (await visit.form()).get("back") == "yes"
    await visit.do(lambda unit: forms.retire(unit, visit.actor, key, back=back), "retire form")
    return visit.away(BASE, done=_("The form is in use again.") if back else _("The form is offered no more."))


# ---- the editor ----------------------------------------------------------------------------------------
@routes.route("GET", BASE + "/{form}/edit", right=Right.SCORE)
async def edit(request: web.Request) -> web.StreamResponse:
    """The draft's fields."""
    visit = Visit(request)
    draft = await _draft(visit)
    if draft is None:
        return visit.away(f"{BASE}/{visit.number('form')}")
    wrong = faults(draft.form) if "check" in visit.query else {}
    return await _editor(visit, draft, draft.form, wrong)


async def _draft(visit: Visit) -> Version | None:
    async with visit.parts.database.read() as db:
        known = await forms.versions(db, visit.actor, visit.number("form"))
    return known[0] if known[0].state == "draft" else None


async def _editor(
    visit: Visit, draft: Version, form: Form, wrong: Mapping[str, str], *, status: int = 200, name: str = ""
) -> web.Response:
    before: list[Any] = []
    earlier = {}
    for question in form.questions():
        earlier[question.key] = list(before)
        before.append(question)
    queues = [(code, queue.label or code) for code, queue in sorted(visit.parts.settings.queues.items())]
    return await visit.page(
        "quality/edit.html",
        draft=draft,
        form=form,
        name=name or draft.name,
        wrong=wrong,
        at=visit.query.get("at", ""),
        total=sum(section.weight for section in form.sections),
        earlier=earlier,
        kinds=[(code, scorewords.kind(code)) for code in KINDS],
        severities=[(code, _severity(code)) for code in SEVERITIES],
        comments=[(code, scorewords.comment(code)) for code in COMMENTS],
        options_text=formedit.options_text,
        bands_text=formedit.bands_text(form),
        answer_word=scorewords.answer,
        mark=scorewords.severity,
        queues=queues,
        status=status,
    )


def _severity(code: str) -> str:
    mark = scorewords.severity(code)
    return mark.word if mark else _("Plain")


@routes.route("POST", BASE + "/{form}/edit", right=Right.SCORE)
async def save(request: web.Request) -> web.StreamResponse:
    """Keep what is typed, then do what the button says: add, move, remove, publish, throw away."""
    visit = Visit(request)
    typed, draft = await visit.form(), await _draft(visit)
    if draft is None:
        raise Conflict(_("This draft was published or thrown away meanwhile."))
    version, (act, _sign, key) = as_id(typed.get("version") or "0"), typed.get("do", "save").partition(":")
    if act == "drop":
        return await _drop(visit, draft, version)
    form, wrong = formedit.read(draft.form, typed)
    if wrong:
        return await _editor(visit, draft, form, wrong, status=422, name=typed.get("name", ""))
    form, at = _acted(form, act, key)
    kept = partial(forms.save_draft, actor=visit.actor, form_id=draft.form_id, form=form, held=version)
    held = await visit.do(lambda unit: kept(unit, name=typed.get("name", "")), "save form")
    if act == "publish":
        return await _publish(visit, draft, held)
    place = f"?at={at}#k-{at}" if at else ""
    return visit.away(f"{BASE}/{draft.form_id}/edit{place}", done="" if act != "save" else _("Saved"))


def _acted(form: Form, act: str, key: str) -> tuple[Form, str]:
    """What a button of the editor does, and where to look then."""
    if act == "section":
        changed = drafting.add_section(form)
        return changed, changed.sections[-1].key
    if act == "question":
        changed = drafting.add_question(form, key)
        new = {one.key for one in changed.questions()} - {one.key for one in form.questions()}
        return changed, next(iter(new), key)
    if act in ("up", "down"):
        return drafting.move(form, key, -1 if act == "up" else 1), key
    if act == "remove":
        return drafting.remove(form, key), ""
    return form, key


async def _publish(visit: Visit, draft: Version, held: int) -> web.Response:
    try:
        n = await visit.do(lambda unit: forms.publish(unit, visit.actor, draft.form_id, held), "publish form")
    except Invalid:
        return visit.away(f"{BASE}/{draft.form_id}/edit?check=1")
    return visit.away(
        f"{BASE}/{draft.form_id}", done=_("Version %(n)s is published; calls are scored on it.") % {"n": n}
    )


async def _drop(visit: Visit, draft: Version, version: int) -> web.Response:
    there = await visit.do(lambda unit: forms.drop_draft(unit, visit.actor, draft.form_id, version), "drop form")
    return visit.away(f"{BASE}/{draft.form_id}" if there else BASE, done=_("The draft is thrown away."))
