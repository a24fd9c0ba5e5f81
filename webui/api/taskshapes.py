"""What the API takes and gives of tasks and callbacks."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from callcrm.push.shapes import Moment
from webui.api.endpoint import Shape
from webui.api.shapes import Id, ListQuery, Long, Phone, Text

State = Literal["open", "done", "dropped"]


Reason = Annotated[str, StringConstraints(max_length=200)]


class TasksQuery(ListQuery):
    """Filters of the tasks."""

    kind: str | None = Field(default=None, max_length=20, description="callback, or another kind.")
    state: State | None = None
    owner: Id | None = Field(default=None, description="An account's id.")
    queue: str | None = Field(default=None, max_length=100)
    client: Id | None = Field(default=None, description="A card's id.")
    number: str | None = Field(default=None, max_length=80, description="The caller's number.")
    nobodys: bool = Field(default=False, description="Only those without an owner.")
    due_since: AwareDatetime | None = None
    due_before: AwareDatetime | None = None
    line: str | None = Field(default=None, max_length=80, description="A callback's line: the number that was called.")
    overdue: bool = Field(default=False, description="Only open ones whose promise or time has run out.")
    escalated: bool = Field(default=False, description="Only those that the supervisors were told of.")
    short_abandon: bool | None = Field(default=None, description="Only callers who hung up at once, or only others.")


class Task(Shape):
    """A task; a callback has a number, and one caller has one open callback."""

    id: int
    kind: str
    state: State
    title: str = ""
    note: str = ""
    number: str | None = Field(default=None, description="E.164.")
    client_id: int | None = None
    client_name: str = ""
    pbx: str | None = None
    line: str | None = Field(default=None, description="The number that the caller had called.")
    queue: str | None = None
    owner_id: int | None = None
    owner_name: str = ""
    owner_why: str = ""
    call_id: str | None = Field(default=None, description="The missed call that began it.")
    attempts: int = Field(default=0, description="How often the caller tried.")
    last_attempt_at: Moment | None = None
    called: int = Field(default=0, description="How often he was called back in vain.")
    called_at: Moment | None = None
    due_at: Moment | None = None
    snoozed_until: Moment | None = None
    created_at: Moment
    closed_at: Moment | None = None
    closed_why: str | None = Field(default=None, description="called_back, got_through or by_hand.")
    closed_reason: str | None = Field(default=None, description="What a person said when he closed or dropped it.")
    short_abandon: bool = Field(default=False, description="The caller hung up at once.")
    promised_from: Moment | None = Field(default=None, description="When a callback's clock starts: at opening.")
    next_try_at: Moment | None = Field(default=None, description="When to try again after a call back in vain.")
    escalated_at: Moment | None = Field(default=None, description="When the supervisors were told of it.")
    snooze_reason: str | None = None
    closed_call_id: str | None = None
    team: str | None = Field(default=None, description="Whose people may take it, like `queue`.")
    remind_min: int | None = Field(default=None, description="So many minutes before it is due.")
    repeat: str | None = Field(default=None, description="RRULE (RFC 5545).")
    repeat_when: Literal["done", "due"] | None = Field(default=None, description="When the next one is made.")
    repeat_zone: str | None = None
    repeat_except: list[str] | None = Field(default=None, description="Days that are left out.")
    follows_id: int | None = Field(default=None, description="The one before in its series.")
    items: int = Field(default=0, description="Lines of the checklist; `ticked` of them are done.")
    ticked: int = 0
    version: int


class Item(Shape):
    """A line of a checklist."""

    id: int
    text: str
    done_at: Moment | None = None
    done_by: int | None = None
    done_by_name: str = ""
    version: int


class Attempt(Shape):
    """One try at a callback: the caller's own (missed), or ours (called)."""

    at: Moment
    call_id: str
    kind: str
    result: str = Field(default="", description="Why he was missed; or answered, no answer, busy …")
    user_id: int | None = None
    person: str = ""


class WholeTask(Shape):
    """A task with its checklist, and a callback with every try at it, oldest first."""

    task: Task
    checklist: list[Item]
    attempts: list[Attempt]


class ItemBody(Shape):
    """New lines for a checklist."""

    texts: list[Text] = Field(min_length=1, max_length=100)


class ItemChange(Shape):
    """What is to be changed of a line; `version` is the one it was read with (or send it as If-Match)."""

    version: Id | None = None
    done: bool | None = None
    text: Text | None = None


class TaskPage(Shape):
    """A page of tasks: open ones by due time, closed ones newest first."""

    items: list[Task]
    next: str | None = None


class TaskBody(Shape):
    """A new task; a callback needs a number."""

    kind: Annotated[str, StringConstraints(max_length=20, pattern=r"^[a-z][a-z_ -]*$")] = "task"
    title: Text = ""
    note: Long = ""
    number: Phone | None = None
    client_id: Id | None = None
    call_id: Annotated[str, StringConstraints(max_length=40)] | None = None
    queue: Annotated[str, StringConstraints(max_length=100)] | None = None
    team: Annotated[str, StringConstraints(max_length=100)] | None = None
    due_at: AwareDatetime | None = None
    owner_id: Id | None = Field(default=None, description="Oneself when left out; null leaves it to the queue or team.")
    remind_min: int | None = Field(default=None, ge=0, le=40_320)
    repeat: Annotated[str, StringConstraints(max_length=300)] | None = None
    repeat_when: Literal["done", "due"] | None = None
    repeat_zone: Annotated[str, StringConstraints(max_length=64)] | None = None
    repeat_except: list[date] | None = Field(default=None, max_length=200)
    items: list[Text] = Field(default=[], max_length=100, description="The checklist.")


class TaskChange(Shape):
    """What is to be changed; `version` is the one it was read with (or send it as If-Match)."""

    version: Id | None = None
    title: Text | None = None
    note: Long | None = None
    due_at: AwareDatetime | None = None
    snoozed_until: AwareDatetime | None = None
    snooze_reason: Reason | None = Field(default=None, description="Why a callback is put off; asked for.")
    closed_reason: Reason | None = Field(default=None, description="Why a callback is dropped; asked for.")
    owner_id: Id | None = None
    client_id: Id | None = None
    queue: Annotated[str, StringConstraints(max_length=100)] | None = None
    team: Annotated[str, StringConstraints(max_length=100)] | None = None
    state: State | None = None
    remind_min: int | None = Field(default=None, ge=0, le=40_320)
    repeat: Annotated[str, StringConstraints(max_length=300)] | None = None
    repeat_when: Literal["done", "due"] | None = None
    repeat_zone: Annotated[str, StringConstraints(max_length=64)] | None = None
    repeat_except: list[date] | None = Field(default=None, max_length=200)
