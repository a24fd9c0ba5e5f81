"""Two people write into one text at the same time: both are kept. Pure.

Three texts are compared by words: the one that both began from, and what each made of it. What only
one of them changed is taken as he changed it; where both changed the same place, both versions stand
there, the stored one first. A deletion gives way to whatever the other wrote there.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

#: A stretch with more words than this is not compared word by word: it counts as changed whole.
MOST = 1500
_WORDS = re.compile(r"\s|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class _Edit:
    """Words `begin` to `end` of the base became `words`."""

    begin: int
    end: int
    words: tuple[str, ...]


def merge(base: str, stored: str, mine: str) -> str:
    """`mine` and `stored`, both made from `base`, in one text that has what either wrote."""
    if mine in (base, stored):
        return stored
    if stored == base:
        return mine
    words = _split(base)
    merged: list[str] = []
    at = 0
    for region in _regions(_edits(words, _split(stored)), _edits(words, _split(mine))):
        merged += words[at : region.begin]
        last = region.end == len(words)
        merged.append(_both(_made(words, region, region.stored), _made(words, region, region.mine), last=last))
        at = region.end
    return "".join(merged + words[at:])


def start(bases: Iterable[str], stored: str) -> str:
    """Which of the texts that a writer may have begun from it was: the stored one when it is among them.

    A writer whose answer got lost does not know whether his last text was stored: he names both.
    """
    known = list(bases)
    return stored if stored in known else known[0] if known else ""


def _split(text: str) -> list[str]:
    return _WORDS.findall(text)


def _edits(base: Sequence[str], made: Sequence[str]) -> list[_Edit]:
    head = _alike(base, made)
    tail = _alike(base[head:][::-1], made[head:][::-1])
    old, new = base[head : len(base) - tail], made[head : len(made) - tail]
    if not old and not new:
        return []
    if len(old) > MOST or len(new) > MOST:
        return [_Edit(head, head + len(old), tuple(new))]
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [_Edit(head + a, head + b, tuple(new[c:d])) for tag, a, b, c, d in steps if tag != "equal"]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    n = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        n += 1
    return n


@dataclass(slots=True)
class _Region:
    """A stretch of the base that somebody changed; edits of both stand in it where they touch."""

    begin: int
    end: int
    stored: list[_Edit]
    mine: list[_Edit]


def _regions(stored: Sequence[_Edit], mine: Sequence[_Edit]) -> Iterator[_Region]:
    whose = [(edit, False) for edit in stored] + [(edit, True) for edit in mine]
    open_: _Region | None = None
    for edit, is_mine in sorted(whose, key=lambda pair: (pair[0].begin, pair[0].end)):
        if open_ is None or not _touches(open_, edit):
            if open_ is not None:
                yield open_
            open_ = _Region(edit.begin, edit.end, [], [])
        open_.end = max(open_.end, edit.end)
        (open_.mine if is_mine else open_.stored).append(edit)
    if open_ is not None:
        yield open_


def _touches(region: _Region, edit: _Edit) -> bool:
    """Within the region, or both are insertions at the same place."""
    return edit.begin < region.end or edit.begin == edit.end == region.begin == region.end


def _made(words: Sequence[str], region: _Region, edits: Sequence[_Edit]) -> str | None:
    """What one of them made of the region; None when he left it as it was."""
    if not edits:
        return None
    made: list[str] = []
    at = region.begin
    for edit in edits:
        made += [*words[at : edit.begin], *edit.words]
        at = edit.end
    return "".join([*made, *words[at : region.end]])


def _both(stored: str | None, mine: str | None, *, last: bool) -> str:
    if stored is None or mine is None:
        return (stored if mine is None else mine) or ""
    if _holds(stored, mine):
        return stored
    if _holds(mine, stored):
        return mine
    if stored[:1] == "\n" != mine[:1]:
        return mine + stored  # he writes on in the line, behind which the other began a new one
    line = last or "\n" in stored + mine
    gap = "" if stored[-1:].isspace() or mine[:1].isspace() else "\n" if line else " "
    return stored + gap + mine


def _holds(text: str, other: str) -> bool:
    """Whether `other` stands in `text`, in whole words."""
    if other not in text:
        return False
    words, sought = _split(text), _split(other)
    return any(words[n : n + len(sought)] == sought for n in range(len(words) - len(sought) + 1))
