"""What goes over the push socket: JSON text frames, both ways, strictly checked.

Server to client: `{"type", "id", "at", "data"}`. `id` is opaque; a client that was away sends the
last one it saw in `resume`. `at` is when the told thing happened (RFC 3339 UTC).
Client to server: `auth`, `resume`, `pop.painted`, `pop.opened`. What is wrong is answered
in words, as the reason of the close.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import to_json

from callcrm.kernel.errors import CallcrmError
from callcrm.push.shapes import (
    CallData,
    CoachingData,
    Data,
    EvaluationData,
    HelloData,
    LinkData,
    Moment,
    OperatorData,
    PopData,
    QueueData,
    RefetchData,
    ReminderData,
    ReviewData,
    TaskData,
    rfc3339,
)

#: The largest frame a client may send, in bytes; a real one has less than 300.
MAX_CLIENT_FRAME = 4096


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    id: Identifier
    at: Moment


class PopOffered(_Frame):
    """A phone of this person rings, or his own call begins."""

    type: Literal["pop.offered"] = "pop.offered"
    data: PopData


class PopAnswered(_Frame):
    """He and the client talk."""

    type: Literal["pop.answered"] = "pop.answered"
    data: PopData


class PopWithdrawn(_Frame):
    """It is no longer his: answered elsewhere, given up, or it rings no more."""

    type: Literal["pop.withdrawn"] = "pop.withdrawn"
    data: PopData


class PopEnded(_Frame):
    """His part of the call is over: wrap-up, or put away (`closed`)."""

    type: Literal["pop.ended"] = "pop.ended"
    data: PopData


class CallChanged(_Frame):
    """A call of the log is new or another; several changes within a moment are told as one."""

    type: Literal["call.changed"] = "call.changed"
    data: CallData


class TaskCreated(_Frame):
    """A task was opened."""

    type: Literal["task.created"] = "task.created"
    data: TaskData


class TaskChanged(_Frame):
    """A task has another state, owner, due time or attempt."""

    type: Literal["task.changed"] = "task.changed"
    data: TaskData


class TaskReminded(_Frame):
    """A reminder of this person fell due, sleeps or was put away: one for all his tabs and devices."""

    type: Literal["task.reminded"] = "task.reminded"
    data: ReminderData


class OperatorChanged(_Frame):
    """An operator's state changed."""

    type: Literal["operator.changed"] = "operator.changed"
    data: OperatorData


class QueueChanged(_Frame):
    """A queue's callers changed."""

    type: Literal["queue.changed"] = "queue.changed"
    data: QueueData


class LinkChanged(_Frame):
    """The link to a PBX has another state."""

    type: Literal["link.changed"] = "link.changed"
    data: LinkData


class EvaluationChanged(_Frame):
    """A score was submitted, released, disputed or answered."""

    type: Literal["evaluation.changed"] = "evaluation.changed"
    data: EvaluationData


class CoachingChanged(_Frame):
    """A list of moments was given, taken back, heard or changed."""

    type: Literal["coaching.changed"] = "coaching.changed"
    data: CoachingData


class ReviewChanged(_Frame):
    """A call to review was drawn, taken, let go, skipped or put back."""

    type: Literal["review.changed"] = "review.changed"
    data: ReviewData


class Hello(_Frame):
    """You are up to date as of this id: all that was present or missed came before it."""

    type: Literal["hello"] = "hello"
    data: HelloData


class Refetch(_Frame):
    """The gap is too wide to be told: the client reads its page again."""

    type: Literal["refetch"] = "refetch"
    data: RefetchData


ServerFrame = (
    PopOffered
    | PopAnswered
    | PopWithdrawn
    | PopEnded
    | CallChanged
    | TaskCreated
    | TaskChanged
    | TaskReminded
    | OperatorChanged
    | QueueChanged
    | LinkChanged
    | EvaluationChanged
    | CoachingChanged
    | ReviewChanged
    | Hello
    | Refetch
)
SERVER_FRAMES: tuple[type[_Frame], ...] = ServerFrame.__args__


class _Wish(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Auth(_Wish):
    """Who I am: an API token, for a client that could not send it as a header."""

    type: Literal["auth"]
    token: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Resume(_Wish):
    """I was away: tell me what happened after this id. Empty: I begin anew, tell me from now on.

    Sent at once after the connection, with the last id of the connection before it.
    """

    type: Literal["resume"]
    after: Annotated[str, StringConstraints(max_length=2000)]


class PopPainted(_Wish):
    """The pop is on the screen. `id` is the pop's id, or that of the message that brought it."""

    type: Literal["pop.painted"]
    id: Identifier


class PopOpened(_Wish):
    """A person opened the pop. `id` as in `pop.painted`."""

    type: Literal["pop.opened"]
    id: Identifier


ClientFrame = Auth | Resume | PopPainted | PopOpened
CLIENT_FRAMES: tuple[type[_Wish], ...] = ClientFrame.__args__
_server: TypeAdapter[ServerFrame] = TypeAdapter(Annotated[ServerFrame, Field(discriminator="type")])
_client: TypeAdapter[ClientFrame] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="type")])


class BadFrame(CallcrmError):
    """What the client sent cannot be taken; the text is for the person who wrote that client."""


def read(text: str | bytes) -> ClientFrame:
    """Check one frame of a client. Raises BadFrame with a sentence of at most 120 bytes."""
    if isinstance(text, bytes):
        raise BadFrame("Frames are JSON text, not binary.")
    if len(text) > MAX_CLIENT_FRAME:
        raise BadFrame(f"A frame may have {MAX_CLIENT_FRAME} characters at most.")
    try:
        return _client.validate_json(text)
    except ValidationError as error:
        raise BadFrame(_words(error)) from None


def _words(error: ValidationError) -> str:
    """The first thing that is wrong, short enough for a close reason (123 bytes)."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    words = f"{where}: {first['msg']}" if where else first["msg"]
    return words.encode()[:120].decode(errors="ignore")


def write(kind: str, frame_id: str, at: datetime, data: Data) -> str:
    """One server frame as JSON; the same text goes to everybody who may see the same."""
    return to_json({"type": kind, "id": frame_id, "at": rfc3339(at), "data": data}).decode()


def parse(text: str) -> dict[str, Any]:
    """A server frame back as a checked object: for tests and for programs that listen."""
    return _server.validate_json(text).model_dump(mode="json")
