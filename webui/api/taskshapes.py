"""What the API takes and gives of tasks and callbacks."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from callcrm.push.shapes import Moment
from webui.api.endpoint import Shape
from webui.api.shapes import Id, ListQuery, Long, Phone, Text

State = Literal["open", "done", "dropped"]


class TasksQuery(ListQuery):
    """Filters of the tasks."""

    kind: str | None = Field(default=None, max_length=20, description="callback, or another kind.")
    state: State | None = None
    owner: Id | None = Field(default=None, description="An account's id.")
    queue: str | None = Field(default=None, max_length=100)
    client: Id | None = Field(default=None, description="A card's id.")
    number: str | None = Field(default=None, max_length=80, description="The caller's number.")
    nobodys: bool = Field(default=False, description="Only those without an owner.")


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
    closed_call_id: str | None = None
    version: int


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
    due_at: AwareDatetime | None = None
    owner_id: Id | None = Field(default=None, description="Oneself when left out; null leaves it to the queue.")


class TaskChange(Shape):
    """What is to be changed; `version` is the one it was read with (or send it as If-Match)."""

    version: Id | None = None
    title: Text | None = None
    note: Long | None = None
    due_at: AwareDatetime | None = None
    snoozed_until: AwareDatetime | None = None
    owner_id: Id | None = None
    state: State | None = None
