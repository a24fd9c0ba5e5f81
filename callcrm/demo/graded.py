"""The demo's quality form, and scores: of Olha's calls one good, one that she disputes, one begun, one in a round; of
Jonas' one with a fatal error, and one whose dispute was answered."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from sqlalchemy import select

from callcrm.accounts.policy import Actor
from callcrm.calls.tables import CallOperator, CallRecording
from callcrm.kernel.unit import Unit
from callcrm.kernel.writer import Writer
from callcrm.quality import calibration, disputes, evaluations, forms
from callcrm.quality.questions import Form, Question, Section
from callcrm.quality.scorable import Subject
from callcrm.quality.scoring import Answer

FORM = Form(
    sections=(
        Section(
            key="s1",
            title="Opening",
            weight=15,
            questions=(
                Question(key="q1", text="Greeted by name of the line"),
                Question(key="q2", text="Found the need with open questions", kind="range", points=2),
            ),
        ),
        Section(
            key="s2",
            title="Compliance",
            weight=25,
            compliance=True,
            questions=(
                Question(key="q3", text="Said that the call is recorded", na=False),
                Question(
                    key="q4", text="Card number kept out of the recording", severity="fatal", comment="lost", points=1
                ),
            ),
        ),
        Section(
            key="s3",
            title="Resolution",
            weight=35,
            questions=(
                Question(key="q5", text="Offer fits what the client asked", kind="range", points=4),
                Question(key="q6", text="Next step with a date", points=3),
            ),
        ),
        Section(
            key="s4",
            title="Communication",
            weight=25,
            questions=(
                Question(key="q7", text="Asked before putting on hold", severity="critical", comment="lost"),
                Question(key="q8", text="Calm, clear, not over the client", kind="range", points=2),
            ),
        ),
    )
)
_GOOD = {"q1": "yes", "q2": "4", "q3": "yes", "q4": "na", "q5": "4", "q6": "yes", "q7": "na", "q8": "5"}


def _given(comments: Mapping[str, tuple[str, float]] | None = None, **changed: str) -> dict[str, Answer]:
    values = _GOOD | changed
    said = comments or {}
    return {key: Answer(value, *said.get(key, ("", None))) for key, value in values.items()}


async def grade(writer: Writer, boss: Actor, ids: Mapping[str, int]) -> None:
    """A published form, and Vera's scores of calls that Olha and Jonas talked."""
    await writer.do(partial(_grade, boss=boss, ids=ids), name="demo-quality")


async def _grade(unit: Unit, boss: Actor, ids: Mapping[str, int]) -> None:
    form_id = await forms.add(unit, boss, "Sales", FORM)
    await forms.publish(unit, boss, form_id, 1)
    olha = Actor(ids["olha"], "olha", "operator", via="command")
    parts = [Subject(call, olha.user_id, form_id, 1) for call in await _talked(unit, olha, 4)]
    if len(parts) < 4:
        return
    await _done(unit, boss, parts[0], _given(q5="3"), "A friendly call; say the date of the delivery next time.")
    hold = {"q7": ("Put on hold without a word.", 3.0)}
    disputed = await _done(unit, boss, parts[1], _given(hold, q7="no", q6="no"), "Tell people what you do.")
    await disputes.dispute(unit, olha, disputed, "I said “one moment, please” before I pressed hold.", ["q7"])
    begun = {key: answer for key, answer in _given().items() if key in ("q1", "q2", "q3")}
    await evaluations.save(unit, boss, parts[2], begun)
    admin = Actor(ids["admin"], "admin", "admin", via="command")
    graders = [boss.user_id, admin.user_id]
    round_id = await calibration.begin(unit, boss, parts[3], graders, "How do we score a vague next step?")
    await _done(unit, admin, replace(parts[3], calibration_id=round_id), _given(q5="2", q6="no"), "")
    await _answered(unit, boss, Actor(ids["jonas"], "jonas", "operator", via="command"), form_id)


async def _answered(unit: Unit, boss: Actor, operator: Actor, form_id: int) -> None:
    """A fatal error of which nobody has taken note, and a dispute that was answered: the score stays."""
    parts = [Subject(call, operator.user_id, form_id, 1) for call in await _talked(unit, operator, 2)]
    if len(parts) < 2:
        return
    card = {"q4": ("The card number is read out while the recording goes on.", 5.0)}
    await _done(unit, boss, parts[0], _given(card, q4="no"), "Press F7 before the first digit.")
    disputed = await _done(unit, boss, parts[1], _given(q6="no"), "Who does what, until when?")
    await disputes.dispute(unit, operator, disputed, "I said that we call back.", ["q6"])
    await disputes.keep(unit, boss, disputed, "Yes, but not when: the client cannot wait for a day without a date.")


async def _talked(unit: Unit, operator: Actor, most: int) -> list[str]:
    """The operator's newest talks of which there is a recording."""
    part = (CallOperator.began == CallRecording.began) & (CallOperator.call_id == CallRecording.call_id)
    talked = select(CallOperator.call_id, CallOperator.began).join(CallRecording, part)
    talked = talked.where(CallOperator.user_id == operator.user_id, CallOperator.answered.is_(True)).distinct()
    return list((await unit.db.execute(talked.order_by(CallOperator.began.desc()).limit(most))).scalars())


async def _done(unit: Unit, actor: Actor, subject: Subject, given: Mapping[str, Answer], comment: str) -> int:
    saved = await evaluations.save(unit, actor, subject, given, comment)
    await evaluations.submit(unit, actor, saved.id, version=saved.version)
    return saved.id
