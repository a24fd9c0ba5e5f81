"""What an operator may say came of a call: at most fifteen words, plain or in groups, as the settings write them.

default = ["Resolved", {word = "Call again", next = "callback"}, {group = "Sale", words = ["Order", "Quote"]}]
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

#: So many words can all be seen at once.
MOST = 15
LONGEST = 60
Next = Literal["nothing", "callback", "task"]
NEXTS = ("nothing", "callback", "task")


class Disposition(BaseModel):
    """One word. `group` is the word above it, if there is one; `next` is the next step that it proposes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    word: str
    group: str = ""
    next: Next = "nothing"


def read(written: Any) -> tuple[Disposition, ...]:
    """The words of one list. Raises ValueError with a sentence for what is no such list."""
    if not isinstance(written, (list, tuple)):
        raise ValueError(  # noqa: TRY004 - a TypeError would not be told as a fault of the file
            'write a list such as ["Resolved", "Call again"]'
        )
    found = tuple(_entries(written))
    if len(found) > MOST:
        raise ValueError(f"these are {len(found)} words, and at most {MOST} can be seen at once: take some away")
    seen: set[str] = set()
    for one in found:
        if one.word.casefold() in seen:
            raise ValueError(f"{one.word!r} stands there twice: each word may stand there once, whatever its group")
        seen.add(one.word.casefold())
    return found


def _entries(written: Sequence[Any], group: str = "") -> Iterator[Disposition]:
    for one in written:
        if isinstance(one, Disposition):
            yield one
        elif isinstance(one, str):
            yield Disposition(word=_word(one), group=group)
        elif isinstance(one, dict) and "word" in one and one.keys() <= {"word", "next", "group"}:
            yield _with_next(one, group or str(one.get("group", "")))
        elif isinstance(one, dict) and "group" in one and not group:
            yield from _group(one)
        else:
            raise ValueError(
                f'{str(one)[:60]!r} is no disposition: write "Order", {{word = "Call again", next = "callback"}} '
                'or {group = "Sale", words = ["Order"]}; a group stands in no other group'
            )


def _group(one: dict[str, Any]) -> Iterator[Disposition]:
    name, words = _word(one["group"]), one.get("words")
    if not isinstance(words, (list, tuple)) or not words or one.keys() != {"group", "words"}:
        raise ValueError(f'the group {name!r} needs its words: {{group = "{name}", words = ["Order", "Quote"]}}')
    yield from _entries(words, name)


def _with_next(one: dict[str, Any], group: str) -> Disposition:
    wish = one.get("next", "nothing")
    if wish not in NEXTS:
        raise ValueError(f"the next step of {str(one['word'])[:60]!r} is one of {', '.join(NEXTS)}, not {wish!r}")
    return Disposition(word=_word(one["word"]), group=group, next=wish)


def _word(written: Any) -> str:
    word = written.strip() if isinstance(written, str) else ""
    if not word or len(word) > LONGEST:
        raise ValueError(f"{str(written)[:80]!r} is no word: write one of 1 to {LONGEST} characters")
    return word


Dispositions = Annotated[tuple[Disposition, ...], BeforeValidator(read)]


class DispositionSettings(BaseModel):
    """What an operator may choose after a call; `queues` has other words for single queues.

    `required` names the queues whose calls must have one before the operator is ready again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: Dispositions = read(
        [
            "Resolved",
            {"word": "Call again", "next": "callback"},
            "Handed on",
            "Order",
            "Complaint",
            "Wrong number",
        ]
    )
    queues: dict[str, Dispositions] = {}
    required: tuple[Annotated[str, Field(min_length=1)], ...] = ()

    def of(self, queue: str | None) -> tuple[str, ...]:
        """The words for a call of `queue`."""
        return tuple(one.word for one in self.choices(queue))

    def choices(self, queue: str | None) -> tuple[Disposition, ...]:
        """The same with their groups and next steps."""
        return self.queues.get(queue or "", self.default)

    def grouped(self, queue: str | None) -> list[tuple[str, list[Disposition]]]:
        """The same by group, in order; a word without a group stands alone under no name."""
        found: list[tuple[str, list[Disposition]]] = []
        for group, words in groupby(self.choices(queue), lambda one: one.group):
            inside = list(words)
            found += [(group, inside)] if group else [("", [one]) for one in inside]
        return found
