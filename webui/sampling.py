"""What is to be reviewed, in words: why each call is there, how far the plan has got, and the plan as a form."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from babel.dates import format_date

from callcrm.quality.plans import Plan
from callcrm.quality.sampler import RULES, Reason, Rules, Wish
from callcrm.quality.sampling import Progress, Sampled
from callcrm.settings import Settings
from webui import i18n
from webui.i18n import _, ngettext
from webui.show import duration
from webui.words import Mark

_COMPLAINT = ("complain", "claim", "жалоб", "претенз", "скарг", "beschwer", "reklam", "queja")


@dataclass(frozen=True, slots=True)
class Why:
    """One reason why a call is there: in a word or two, and as a sentence."""

    mark: Mark
    sentence: str


@dataclass(frozen=True, slots=True)
class RuleField:
    """A rule in the plan's form: on or off, its limit, and what it means."""

    name: str
    word: str
    hint: str
    unit: str
    on: bool
    value: str


def whys(one: Sampled) -> list[Why]:
    """Every reason, the first being the one by which the call came here."""
    told = [reason_words(why) for why in one.reasons]
    if one.by == "risk":
        return told
    lot = _("Drawn by lot: place %(place)s of %(of)s calls of that week") % {"place": one.place, "of": one.of}
    return [Why(Mark("info", "dices", _("By lot")), lot), *told]


def reason_words(why: Reason) -> Why:
    """What a rule found, and from where on it counts."""
    found, limit = why.found, duration(why.limit)
    if why.rule == "long_hold":
        sentence = _("On hold for %(found)s; the rule counts from %(limit)s on")
        return _why("hold", "pause", _("Long hold"), sentence, found=_time(found), limit=limit)
    if why.rule == "repeat_caller":
        sentence = _("The client called %(found)s times within %(limit)s hours")
        return _why("soon", "phone-incoming", _("Repeat caller"), sentence, found=found, limit=f"{why.limit or 0:g}")
    if why.rule == "talk_over":
        both = ngettext("Both spoke at once %(n)s time", "Both spoke at once %(n)s times", why.times) % {"n": why.times}
        rest = _("%(found)s in all; the rule counts from %(limit)s on") % {"found": _time(found), "limit": limit}
        return Why(Mark("soon", "audio-lines", _("Talk-over")), f"{both}, {rest}")
    if why.rule == "short_call":
        sentence = _("It ended %(found)s after the answer; the rule counts up to %(limit)s")
        return _why("late", "phone-off", _("Short call"), sentence, found=_time(found), limit=limit)
    return _why("late", "triangle-alert", _("Complaint"), _("Its disposition is “%(found)s”"), found=found)


def _why(state: str, icon: str, word: str, sentence: str, **values: object) -> Why:
    return Why(Mark(state, icon, word), sentence % values)


def _time(found: float | str) -> str:
    return duration(float(found)) if not isinstance(found, str) else found


def state_mark(one: Sampled) -> Mark:
    """What became of it."""
    if one.state == "reviewed":
        return Mark("kept", "circle-check", _("Reviewed"))
    if one.state == "skipped":
        return Mark("offline", "minus", _("Skipped"))
    if one.taken_by is not None:
        return Mark("info", "lock", _("Open at %(who)s’s") % {"who": one.taken_name})
    return Mark("", "circle", _("Waits"))


def week_words(week: str) -> str:
    """`9 – 15 November`."""
    first = date.fromisoformat(week)
    last, here = first + timedelta(days=6), i18n.locale()
    begin = format_date(first, "d" if first.month == last.month else "d MMM", locale=here)
    return f"{begin} – {format_date(last, 'd MMM yyyy', locale=here)}"


def review_address(one: Sampled) -> str:
    """The call with the score form for this operator's part in it."""
    return f"/calls/{one.call_id}?score=new&operator={one.operator_id}"


def total(progress: Iterable[Progress]) -> Progress:
    """All operators of a week together."""
    rows = list(progress)
    sums = {name: sum(getattr(row, name) for row in rows) for name in ("lots", "risks", "reviewed", "skipped")}
    return Progress(0, "", **sums)


def reasons_to_skip() -> tuple[str, ...]:
    """Quick words for not reviewing a call."""
    return (
        _("The sound is missing or too bad"),
        _("A private or test call"),
        _("Nothing in it can be scored"),
        _("I had part in this call"),
    )


def dispositions(settings: Settings, chosen: Sequence[str] = ()) -> list[str]:
    """Every disposition that an operator may choose, in order, and those that the plan names besides."""
    lists = (settings.dispositions.default, *settings.dispositions.queues.values())
    return list(dict.fromkeys([*(one.word for words in lists for one in words), *chosen]))


def proposed(settings: Settings) -> Wish:
    """A plan to begin with: every rule at its usual limit, complaints as their words say."""
    words = tuple(one for one in dispositions(settings) if any(part in one.casefold() for part in _COMPLAINT))
    return Wish(rules=Rules(complaint=words or None))


def rule_fields(typed: Mapping[str, str]) -> list[RuleField]:
    """The rules as the form shows them."""
    words = {
        "long_hold": (_("Long hold"), _("The client was on hold for so long."), _("seconds")),
        "repeat_caller": (_("Repeat caller"), _("The same client called so often around this call."), _("times")),
        "talk_over": (_("Talk-over"), _("Both spoke at once for so long, as the sound tells."), _("seconds")),
        "short_call": (_("Short call"), _("An inbound call ended so soon after the answer."), _("seconds")),
    }
    return [
        RuleField(name, *words[name], typed.get(f"{name}_on", "") == "yes", typed.get(name, ""))
        for name in RULES
        if name in words
    ]


def form_of(wish: Wish, *, active: bool = True) -> dict[str, str]:
    """A plan as its form's fields; a rule that is off shows its usual limit."""
    usual = Rules()
    found = {name: f"{getattr(wish, name):g}" for name in ("lots", "risks", "least_s")}
    for name in RULES:
        limit = getattr(wish.rules, name)
        found[f"{name}_on"] = "yes" if limit is not None else ""
        if name != "complaint":
            found[name] = f"{limit if limit is not None else getattr(usual, name):g}"
    found |= {"near_h": f"{wish.rules.near_h:g}", "heard_only": "yes" if wish.heard_only else ""}
    return found | {"active": "yes" if active else ""}


def read_form(posted: Mapping[str, str], complaints: Sequence[str]) -> dict[str, Any]:
    """What was typed, as `plans.save` takes it; what is no number stays as it was typed, and is refused there."""
    typed: dict[str, Any] = {name: _number(posted.get(name, "")) for name in ("lots", "risks", "least_s", "near_h")}
    for name in RULES:
        if name != "complaint":
            typed[name] = _number(posted.get(name, "")) if posted.get(f"{name}_on") else None
    typed["complaint"] = list(complaints) if posted.get("complaint_on") else None
    return typed | {name: posted.get(name) == "yes" for name in ("heard_only", "active")}


def _number(text: str) -> float | str | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text or "?"


def wrong_words(fields: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each field, in the reader's language."""
    known = {
        "write a number": _("write a number"),
        "write a whole number": _("write a whole number"),
        "one call at least, by lot or by rule": _("one call at least, by lot or by rule"),
        "choose dispositions from the list": _("choose dispositions from the list"),
    }
    return {name: known.get(why) or _bounds(why) for name, why in fields.items()}


def _bounds(why: str) -> str:
    low, _to, high = why.removeprefix("from ").partition(" to ")
    return _("from %(low)s to %(high)s") % {"low": low, "high": high} if high else why


def team_word(plan: Plan | None, team: str) -> str:
    """Whose plan it is."""
    return _("Team %(team)s") % {"team": team} if team or (plan and plan.team) else _("The whole house")
