# ruff: noqa: RUF012 - pydantic copies defaults for each instance
"""What the API takes and gives of click to call and of live calls."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from callcrm.push.shapes import Moment
from webui.api.endpoint import Shape
from webui.api.shapes import Id, Phone

Kind = Literal["do_not_call", "night", "in_call"]
Action = Literal["hold", "fetch", "park", "blind", "attended", "complete", "cancel", "swap", "hang_up"]
Once = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")]
CallId = Annotated[str, StringConstraints(max_length=64)]
Target = Annotated[str, StringConstraints(max_length=40, strip_whitespace=True)]


class DialBody(Shape):
    """A wish to call: the operator's phone rings first, then the number is called.

    Who is called: exactly one of `number`, `number_id`, `call` and `task`. The last three are for who sees numbers
    masked.
    """

    number: Phone | None = None
    number_id: Id | None = Field(default=None, description="A number of a card, by its id.")
    call: CallId | None = Field(default=None, description="The client of this call.")
    task: Id | None = Field(default=None, description="Whom this callback is about.")
    operator: str = Field(default="", max_length=100, description="An account's name; one's own when left out.")
    override: list[Kind] = Field(
        default=[], max_length=3, description="The warnings that were seen and are overridden."
    )

    @model_validator(mode="after")
    def _one_callee(self) -> Self:
        given = (self.number, self.number_id, self.call, self.task)
        if sum(one is not None for one in given) != 1:
            raise ValueError("say who is called: exactly one of number, number_id, call and task")
        return self

    @property
    def whom(self) -> str:
        """The row that has the number, as `callcrm.tasks.behind` reads it; empty for a number."""
        rows = (("number", self.number_id), ("call", self.call), ("task", self.task))
        return next((f"{kind}:{key}" for kind, key in rows if key is not None), "")


class DialWarning(Shape):
    """A reason not to call now."""

    kind: Kind
    words: str


class Dial(Shape):
    """A click to call: `step` is phone (the operator's rings), client (his rings), talking or over."""

    id: str
    pbx: str
    extension: str
    number: str = Field(description="As it is dialled; masked for who may not see it whole.")
    name: str = ""
    call: str | None = Field(default=None, description="The call's id in the log, as soon as there is one.")
    step: str
    pending: bool = Field(description="Something is still to come, and it can be cancelled.")
    outcome: str | None = Field(default=None, description="The call's fate, once it is over.")
    cancelled: bool = False
    overridden: list[Kind] = []
    state: str = Field(description="The command's: wanted, sent, done, refused, expired or cancelled.")
    says: str = Field(description="The step, or what came of it, as a sentence.")
    asked_at: Moment
    expires_at: Moment


class ActBody(Shape):
    """Something to be done with a live call. `to`: for blind and attended, an extension or a number."""

    action: Action
    to: Target = ""
    once: Once = Field(default="", description="32 hex digits of your making: sent again, it is the same wish.")


class Act(Shape):
    """One action: `why` says why it is not allowed at this moment."""

    action: Action
    allowed: bool
    why: str = ""


class Consultation(Shape):
    """Whom the operator has called while the client waits."""

    call: str
    who: str
    answered: bool


class Acts(Shape):
    """What may be done with a live call."""

    call: str
    state: str
    consultation: Consultation | None = None
    actions: list[Act]
