"""Quality forms and their versions: drafted, published, retired. A published version is never changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, ScalarSelect, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, require
from callcrm.accounts.tables import User
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit
from callcrm.quality.questions import Form, faults
from callcrm.quality.tables import Evaluation, FormVersion, QualityForm

NAME_LENGTH = 80
_BY = aliased(User)
_PERSON = func.coalesce(func.nullif(_BY.full_name, ""), _BY.name, "")


@dataclass(frozen=True, slots=True)
class FormLine:
    """A form in the list: its newest published version, its draft, and how many evaluations stand on it."""

    id: int
    name: str
    published: int | None
    draft: int | None
    used: int
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a form. `state`: draft or published; `by`: who published it, or changed the draft last."""

    form_id: int
    name: str
    n: int
    state: str
    form: Form
    version: int
    at: datetime
    by: str
    retired: bool = False


async def listed(db: AsyncConnection, actor: Actor) -> list[FormLine]:
    """Every form, those that are still used first."""
    require(actor, Right.SCORE)
    used = select(func.count()).where(Evaluation.form_id == QualityForm.id).scalar_subquery()
    newest = _newest("published").label("published")
    columns = (QualityForm.id, QualityForm.name, newest, _newest("draft").label("draft"), used.label("used"))
    order = (QualityForm.retired_at.is_not(None), QualityForm.name, QualityForm.id)
    rows = await db.execute(select(*columns, QualityForm.retired_at).order_by(*order))
    return [FormLine(*row) for row in rows]


def _newest(state: str) -> ScalarSelect[int | None]:
    found = select(func.max(FormVersion.n)).where(FormVersion.form_id == QualityForm.id, FormVersion.state == state)
    return found.scalar_subquery()


async def versions(db: AsyncConnection, actor: Actor, form_id: int) -> list[Version]:
    """A form's versions, the newest first. Raises NotFound."""
    require(actor, Right.SCORE)
    rows = (await db.execute(_VERSIONS.where(FormVersion.form_id == form_id).order_by(FormVersion.n.desc()))).all()
    if not rows:
        raise NotFound("There is no such form.")
    return [_version(row) for row in rows]


async def version(db: AsyncConnection, form_id: int, n: int) -> Version:
    """One version, whoever asks: who may see an evaluation sees what was asked. Raises NotFound."""
    row = (await db.execute(_VERSIONS.where(FormVersion.form_id == form_id, FormVersion.n == n))).first()
    if row is None:
        raise NotFound("There is no such version of this form.")
    return _version(row)


async def offered(db: AsyncConnection, actor: Actor, queue: str | None = None) -> list[Version]:
    """The newest published version of every form in use; those made for this queue first."""
    require(actor, Right.SCORE)
    other = aliased(FormVersion)
    newest = select(func.max(other.n)).where(other.form_id == QualityForm.id, other.state == "published")
    wanted = _VERSIONS.where(
        QualityForm.retired_at.is_(None), FormVersion.n == newest.correlate(QualityForm).scalar_subquery()
    )
    found = [_version(row) for row in await db.execute(wanted.order_by(QualityForm.name, QualityForm.id))]
    return sorted(found, key=lambda one: 0 if queue in one.form.queues else 2 if one.form.queues else 1)


async def add(unit: Unit, actor: Actor, name: str, form: Form | None = None) -> int:
    """Begin a form: its first version is a draft; gives the form's id. Raises Invalid."""
    require(actor, Right.SCORE)
    row = {"name": _name(name), "created_at": unit.now, "created_by": actor.user_id}
    form_id = int((await unit.db.execute(insert(QualityForm).returning(QualityForm.id), row)).scalar_one())
    await _insert_draft(unit, actor, form_id, 1, form or Form())
    await audit.write(unit, actor, "add", "quality form", form_id)
    return form_id


async def begin_draft(unit: Unit, actor: Actor, form_id: int) -> int:
    """The number of the form's draft; one is made from the newest published version when there is none."""
    known = await versions(unit.db, actor, form_id)
    if known[0].state == "draft":
        return known[0].n
    if known[0].retired:
        raise Invalid("This form is out of use; take it back into use first.")
    try:
        async with unit.db.begin_nested():
            await _insert_draft(unit, actor, form_id, known[0].n + 1, known[0].form)
    except IntegrityError:
        raise Conflict("Somebody else began a draft of this form at the same moment; look again.") from None
    await audit.write(unit, actor, "draft", "quality form", form_id, {"n": known[0].n + 1})
    return known[0].n + 1


async def save_draft(unit: Unit, actor: Actor, form_id: int, form: Form, held: int, *, name: str = "") -> int:
    """Keep the draft as it is typed, finished or not; gives its new version. Raises Conflict and NotFound.

    A published version is not reached from here: its row does not match.
    """
    draft = await _draft(unit, actor, form_id, held)
    values = {"body": form.model_dump(mode="json"), "version": held + 1}
    values |= {"changed_at": unit.now, "changed_by": actor.user_id}
    await unit.db.execute(update(FormVersion).where(_is_draft(form_id)).values(values))
    if name and name != draft.name:
        await unit.db.execute(update(QualityForm).where(QualityForm.id == form_id).values(name=_name(name)))
    return held + 1


async def publish(unit: Unit, actor: Actor, form_id: int, held: int) -> int:
    """Make the draft the version that is scored on from now; gives its number. Raises Invalid with what is wrong."""
    draft = await _draft(unit, actor, form_id, held)
    wrong = faults(draft.form)
    if wrong:
        raise Invalid("The form is not finished; what is missing stands beside it.", wrong)
    values = {"state": "published", "published_at": unit.now, "published_by": actor.user_id}
    await unit.db.execute(update(FormVersion).where(_is_draft(form_id)).values(values))
    await audit.write(unit, actor, "publish", "quality form", form_id, {"n": draft.n})
    return draft.n


async def drop_draft(unit: Unit, actor: Actor, form_id: int, held: int) -> bool:
    """Throw the draft away; a form that was never published goes with it. Gives whether the form is still there."""
    draft = await _draft(unit, actor, form_id, held)
    await unit.db.execute(delete(FormVersion).where(_is_draft(form_id)))
    if draft.n == 1:
        await unit.db.execute(delete(QualityForm).where(QualityForm.id == form_id))
    await audit.write(unit, actor, "drop draft", "quality form", form_id, {"n": draft.n})
    return draft.n > 1


async def retire(unit: Unit, actor: Actor, form_id: int, *, back: bool = False) -> None:
    """Offer the form no more (or again, with `back`); what was scored on it stays."""
    require(actor, Right.SCORE)
    changed = update(QualityForm).where(QualityForm.id == form_id).values(retired_at=None if back else unit.now)
    if (await unit.db.execute(changed)).rowcount == 0:
        raise NotFound("There is no such form.")
    await audit.write(unit, actor, "restore" if back else "retire", "quality form", form_id)


async def _draft(unit: Unit, actor: Actor, form_id: int, held: int) -> Version:
    known = await versions(unit.db, actor, form_id)
    if known[0].state != "draft":
        raise NotFound("This form has no draft any more: it was published or thrown away meanwhile.")
    if known[0].version != held:
        raise Conflict(f"{known[0].by} changed this draft meanwhile; what you see now is the newer one.", known[0])
    return known[0]


async def _insert_draft(unit: Unit, actor: Actor, form_id: int, n: int, form: Form) -> None:
    row = {"form_id": form_id, "n": n, "state": "draft", "body": form.model_dump(mode="json"), "version": 1}
    await unit.db.execute(insert(FormVersion), row | {"changed_at": unit.now, "changed_by": actor.user_id})


def _is_draft(form_id: int) -> ColumnElement[bool]:
    return and_(FormVersion.form_id == form_id, FormVersion.state == "draft")


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not 0 < len(name) <= NAME_LENGTH:
        raise Invalid("Give the form a name.", {"name": f"1 to {NAME_LENGTH} characters"})
    return name


_VERSIONS = (
    select(
        FormVersion.form_id,
        QualityForm.name,
        FormVersion.n,
        FormVersion.state,
        FormVersion.body,
        FormVersion.version,
        func.coalesce(FormVersion.published_at, FormVersion.changed_at).label("at"),
        _PERSON.label("by"),
        QualityForm.retired_at,
    )
    .join(QualityForm, QualityForm.id == FormVersion.form_id)
    .outerjoin(_BY, _BY.id == func.coalesce(FormVersion.published_by, FormVersion.changed_by))
)


def _version(row: Row[tuple[object, ...]]) -> Version:
    made = row._mapping
    form = Form.model_validate(made["body"])
    retired = made["retired_at"] is not None
    kept = {name: made[name] for name in ("form_id", "name", "n", "state", "version", "at", "by")}
    return Version(form=form, retired=retired, **kept)
