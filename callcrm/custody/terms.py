"""What a retention rule says, and which of several decides how long a sound is kept. Pure.

Of the rules in their order the first that fits a recording decides. So "keep what is tagged Dispute for ever" stands
above "delete everything after 90 days". A recording that no rule fits is kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Terms:
    """One rule: an empty `line`, `queue`, `trunk`, `direction` or `tag` fits all; `days` None keeps for ever.

    A line is a number that was called, so a rule by line speaks of calls that came in, and of no others. A trunk is the
    way by which a call came or went: `PJSIP/provider`, or `provider` alone.
    """

    id: int
    name: str
    line: str = ""
    queue: str = ""
    direction: str = ""
    tag: str = ""
    days: int | None = None
    active: bool = True
    trunk: str = ""

    @property
    def words(self) -> str:
        """The rule with its terms, as the log keeps it."""
        parts = [f"line {self.line}"] if self.line else []
        parts += [f"queue {self.queue}"] if self.queue else []
        parts += [f"trunk {self.trunk}"] if self.trunk else []
        parts += [self.direction] if self.direction else []
        parts += [f"tag {self.tag}"] if self.tag else []
        kept = "kept for ever" if self.days is None else f"older than {self.days} {'day' if self.days == 1 else 'days'}"
        return f"{self.name}: {', '.join([*parts, kept])}"


@dataclass(frozen=True, slots=True)
class About:
    """What rules look at: the moment the call began, the number called (of a call that came in), its queue, way,
    its client's tags, and the trunks that it used."""

    at: datetime
    line: str = ""
    queue: str = ""
    direction: str = ""
    tags: tuple[str, ...] = ()
    trunks: tuple[str, ...] = ()


def fits(rule: Terms, about: About) -> bool:
    """Whether a recording is one of those that the rule speaks of, however old it is."""
    if rule.line and _digits(rule.line) != _digits(about.line):
        return False
    if rule.queue and rule.queue != about.queue:
        return False
    if rule.trunk and not any(_same_trunk(rule.trunk, trunk) for trunk in about.trunks):
        return False
    if rule.direction and rule.direction != about.direction:
        return False
    return not rule.tag or rule.tag.casefold() in {tag.casefold() for tag in about.tags}


def deciding(rules: Iterable[Terms], about: About) -> Terms | None:
    """The first active rule that fits; None: no rule speaks of it, so it is kept."""
    return next((rule for rule in rules if rule.active and fits(rule, about)), None)


def ends(rule: Terms | None, about: About) -> datetime | None:
    """When its time is over under this rule; None: never."""
    if rule is None or rule.days is None:
        return None
    return about.at + timedelta(days=rule.days)


def shortest(rules: Sequence[Terms]) -> int | None:
    """The fewest days after which any of the rules deletes; None when none does."""
    return min((rule.days for rule in rules if rule.active and rule.days is not None), default=None)


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit()) or number


def _same_trunk(named: str, used: str) -> bool:
    """`PJSIP/provider` is that trunk alone; `provider` is it by whatever technology."""
    whole = used.casefold()
    return named.casefold() in (whole, whole.partition("/")[2])
