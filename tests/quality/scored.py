"""Calls that were talked, and forms and evaluations of them, for tests."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from callcrm.accounts.policy import Actor
from callcrm.kernel.writer import Unit, Writer
from callcrm.quality import calibration, disputes, evaluations, forms
from callcrm.quality.evaluations import After, Saved
from callcrm.quality.questions import Form
from callcrm.quality.scorable import Subject
from callcrm.quality.scoring import Answers
from tests import people
from tests.calls import making
from tests.people import OLGA, VERA
from tests.quality.forms import SALES, best
from tests.webui import office

BOSS = replace(VERA, user_id=12, name="boss", full_name="Boss North", team="north")
NIKA = replace(VERA, user_id=13, name="nika", full_name="Nika South", team="south")


class House:
    """An office with a published form and calls that Olga answered."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.form_id = 0

    async def do(self, work: Callable[[Unit], Awaitable[Any]]) -> Any:
        """Write."""
        return await self.writer.do(work, name="test")

    async def open(self, form: Form = SALES, calls: tuple[str, ...] = ("one",)) -> "House":
        """Hire, call, publish."""
        await people.hire(self.writer, people.Staff((OLGA, people.RUSLAN, VERA, people.ADAM, BOSS, NIKA)))
        for minutes, key in enumerate(calls, start=1):
            await office.record(self.writer, *making.answered_life(key, office.ago(60 * minutes)))
        self.form_id = await self.do(lambda unit: forms.add(unit, VERA, "Sales", form))
        await self.do(lambda unit: forms.publish(unit, VERA, self.form_id, 1))
        return self

    def subject(self, call: str = "one", *, n: int = 1, calibration: int | None = None) -> Subject:
        """Olga's part in a call."""
        return Subject(call, OLGA.user_id, self.form_id, n, calibration)

    async def draft(self, actor: Actor, given: Answers, call: str = "one", comment: str = "", **more: Any) -> Saved:
        """A draft with these answers."""
        subject = self.subject(call, **more)
        saved: Saved = await self.do(lambda unit: evaluations.save(unit, actor, subject, given, comment))
        return saved

    async def finished(
        self,
        actor: Actor,
        call: str = "one",
        *,
        but: dict[str, str] | None = None,
        after: tuple[After, ...] = (),
        **more: Any,
    ) -> dict[str, Any]:
        """A submitted evaluation."""
        saved = await self.draft(actor, best(SALES, but=but), call, **more)
        row: dict[str, Any] = await self.do(
            lambda unit: evaluations.submit(unit, actor, saved.id, version=saved.version, after=after)
        )
        return row


async def fill(writer: Writer, call: str = "talked") -> None:
    """In an office with its history: a published form with a next draft, a score of Olga's call, a round on it."""

    async def work(unit: Unit) -> None:
        form_id = await forms.add(unit, VERA, "Sales", SALES)
        await forms.publish(unit, VERA, form_id, 1)
        await forms.begin_draft(unit, VERA, form_id)
        subject = Subject(call, OLGA.user_id, form_id, 1)
        saved = await evaluations.save(unit, VERA, subject, best(SALES, but={"hold": "no"}), "On the whole well done.")
        await evaluations.submit(unit, VERA, saved.id, version=1)
        await disputes.dispute(unit, OLGA, saved.id, "I asked.", ["hold"])
        key = await calibration.begin(unit, VERA, subject, [VERA.user_id, people.ADAM.user_id], "The hold")
        part = replace(subject, calibration_id=key)
        for actor, but in ((VERA, {"calm": "1"}), (people.ADAM, {"need": "na"})):
            draft = await evaluations.save(unit, actor, part, best(SALES, but=but))
            await evaluations.submit(unit, actor, draft.id, version=1)

    await writer.do(work, name="quality")
