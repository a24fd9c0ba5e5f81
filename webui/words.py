"""Codes of the store in words for people, each with the icon and the state that go with it.

Functions, not tables, so that `_` is asked in the reader's language each time.
"""

from dataclasses import dataclass

from webui.i18n import _, ngettext


@dataclass(frozen=True, slots=True)
class Mark:
    """A state as people see it: `state` sets the colours, `icon` and `word` say it without them."""

    state: str
    icon: str
    word: str


def direction(code: str, *, missed: bool = False) -> Mark:
    """Which way a call went."""
    if missed:
        return Mark("missed", "phone-missed", _("Missed"))
    return {
        "inbound": Mark("", "phone-incoming", _("In")),
        "outbound": Mark("", "phone-outgoing", _("Out")),
    }.get(code, Mark("", "arrow-left-right", _("Inside")))


def call_state(code: str) -> Mark:
    """How a call stands now."""
    return {
        "waiting": Mark("ringing", "clock", _("Waiting")),
        "ringing": Mark("ringing", "bell-ring", _("Ringing")),
        "talking": Mark("talking", "phone-call", _("Talking")),
        "held": Mark("hold", "pause", _("On hold")),
        "parked": Mark("hold", "square-parking", _("Parked")),
    }.get(code, Mark("", "minus", _("Ended")))


def pop_state(code: str, direction_: str = "inbound") -> Mark:
    """The head of the live sheet."""
    if code == "offered" and direction_ == "outbound":
        return Mark("talking", "phone-outgoing", _("Calling out"))
    return {
        "offered": Mark("ringing", "bell-ring", _("Ringing")),
        "answered": Mark("talking", "phone-call", _("Talking")),
        "wrapup": Mark("wrapup", "notebook-pen", _("Wrap-up")),
    }.get(code, Mark("offline", "phone-off", _("Gone")))


def outcome(code: str | None) -> str:
    """The call's fate."""
    return {
        "answered": _("Answered"),
        "missed": _("Missed"),
        "no answer": _("No answer"),
        "busy": _("Busy"),
        "rejected": _("Rejected"),
        "no such number": _("No such number"),
        "failed": _("Failed"),
        "voicemail": _("Voicemail"),
        "congestion": _("Lines busy"),
        "operator did not pick up": _("Own phone not lifted"),
    }.get(code or "", (code or "").capitalize())


def why_missed(code: str | None) -> str:
    """Why nobody answered, as a column beside "Missed" has it."""
    reason = _("No answer") if code == "free" else why(code)
    return reason[:1].upper() + reason[1:]


def why(code: str | None) -> str:
    """Why nobody answered."""
    return {
        "offline": _("phone offline"),
        "busy": _("everybody busy"),
        "rejected": _("rejected"),
        "ivr": _("left in the menu"),
        "closed": _("the PBX ended it"),
        "absent": _("nobody in the queue"),
        "free": _("rang, nobody answered"),
    }.get(code or "", code or "")


def ended_by(code: str | None, direction: str = "inbound") -> str:
    """Who hung up: the log knows the caller's side and the other one."""
    ours = _("The operator hung up")
    theirs = _("The client hung up")
    inbound = direction != "outbound"
    return {
        "caller": theirs if inbound else ours,
        "other side": ours if inbound else theirs,
    }.get(code or "", _("The call ended"))


def match(step: str | None) -> Mark:
    """Why a card was shown for a number."""
    return {
        "exact": Mark("ok", "equal", _("Matched: this very number")),
        "national": Mark("ok", "equal", _("Matched: the same national number")),
        "maybe": Mark("warn", "equal-approximately", _("Maybe: the number ends alike")),
        "chosen": Mark("ok", "check", _("Matched: chosen by a person")),
        "new": Mark("info", "user-plus", _("New card: nobody had this number")),
        "own": Mark("", "building", _("One of our own numbers")),
        "extension": Mark("", "arrow-left-right", _("A colleague’s phone")),
        "anonymous": Mark("", "eye-off", _("The number is withheld")),
    }.get(step or "", Mark("", "circle-question-mark", _("Nobody is known by this number")))


def recording(state: str, cause: str = "") -> Mark:
    """A recording's state, and the sentence when there is no sound."""
    return {
        "present": Mark("", "audio-lines", _("Sound")),
        "partial": Mark("", "audio-lines", _("Part of the sound")),
        "paused": Mark("", "audio-lines", _("Sound with a pause")),
        "writing": Mark("", "loader", _("Writing")),
        "late": Mark("warn", "clock", _("Late: the PBX has not written it yet")),
        "empty": Mark("warn", "file-x", _("Empty: the PBX wrote no sound")),
        "missing": Mark("late", "volume-x", _("Missing: not in the recordings folder")),
        "deleted": Mark("", "trash", _("Deleted by rule")),
        "unknown": Mark("", "circle-question-mark", cause or _("Unknown: no recordings folder is set for this PBX")),
    }.get(state, Mark("", "volume-x", _("None")))


def recording_short(state: str) -> Mark:
    """The same in a word, for a row."""
    mark = recording(state)
    short = {
        "late": _("Late"),
        "empty": _("Empty"),
        "missing": _("Missing"),
        "deleted": _("Deleted"),
        "unknown": _("Unknown"),
        "partial": _("Part"),
        "paused": _("Paused"),
    }
    return Mark(mark.state, mark.icon, short.get(state, mark.word))


def nobody(rang: int) -> str:
    """Nobody answered; how many phones rang."""
    return ngettext("Nobody, %(n)s rang", "Nobody, %(n)s rang", rang) % {"n": rang} if rang else _("Nobody")


def closed_why(code: str | None) -> str:
    """Why a callback closed."""
    return {
        "called_back": _("Kept"),
        "got_through": _("Got through"),
        "by_hand": _("Closed by hand"),
        "cancelled": _("Dropped"),
    }.get(code or "", _("Closed"))


def attempt(kind: str, result: str) -> str:
    """One try at a callback, in a few words."""
    who = {"missed": _("They tried"), "call_back": _("We called")}.get(kind, _("Tried"))
    return f"{who}: {outcome(result).lower()}" if result else who


def link(state: str) -> Mark:
    """How the link to a PBX stands."""
    return {
        "connected": Mark("ok", "check", _("Working")),
        "connecting": Mark("warn", "loader", _("Connecting")),
        "stalled": Mark("warn", "triangle-alert", _("Silent")),
        "gone": Mark("late", "octagon-x", _("Not connected")),
        "closed": Mark("late", "octagon-x", _("Closed")),
        "wrong_password": Mark("late", "octagon-x", _("Password refused")),
        "missing_permission": Mark("late", "octagon-x", _("Rights missing")),
        "not_a_pbx": Mark("late", "octagon-x", _("No PBX there")),
    }.get(state, Mark("late", "octagon-x", _("Not connected")))


def person(state: str, reason: str = "") -> Mark:
    """How an operator stands; a pause with its reason."""
    paused = _("Paused: %(reason)s") % {"reason": reason} if reason else _("Paused")
    return {
        "paused": Mark("paused", "coffee", paused),
        "available": Mark("available", "circle-check", _("Available")),
        "ringing": Mark("ringing", "bell-ring", _("Ringing")),
        "talking": Mark("talking", "phone-call", _("On call")),
        "wrapup": Mark("wrapup", "notebook-pen", _("Wrap-up")),
    }.get(state, Mark("offline", "power", _("Not on shift")))


def pops() -> list[tuple[str, str]]:
    """When a call opens itself, to choose from."""
    return [
        ("ringing", _("by itself, when the phone rings")),
        ("answered", _("by itself, when I have answered")),
        ("hand", _("by hand, with a key")),
    ]


def role(code: str) -> str:
    """What an account may do."""
    return {"operator": _("Operator"), "supervisor": _("Supervisor"), "admin": _("Administrator")}.get(code, code)


def times(n: int) -> str:
    """How often somebody tried."""
    if n == 1:
        return _("Once")
    return _("Twice") if n == 2 else ngettext("%(n)s time", "%(n)s times", n) % {"n": n}


def for_browser() -> dict[str, str]:
    """The sentences that the browser's modules say."""
    return {
        "now": _("now"),
        "left": _("{span} left"),
        "escalated": _("Promise broken, nobody has called back: {who}"),
        "over": _("{span} over"),
        "saving": _("Saving…"),
        "saved": _("Saved"),
        "not_saved": _("Not saved yet; it is kept here and tried again"),
        "saves": _("Saves as you type"),
        "at_second": _("At {at}"),
        "at_this_second": _("At this second"),
        "answers_missing": _("Answer every question first; the next one that waits is marked."),
        "comments_missing": _("A comment is required where it is marked."),
        "chose": _("{who} chose this."),
        "not_reached": _("The server is not reached. What you wrote is kept here and sent later."),
        "answered_by": _("Answered by {who}"),
        "state_ringing": pop_state("offered").word,
        "state_out": pop_state("offered", "outbound").word,
        "state_talking": pop_state("answered").word,
        "state_wrapup": pop_state("wrapup").word,
        "state_offline": pop_state("withdrawn").word,
        "several": _("{n} people share this number"),
        "withheld": _("Number withheld"),
        "to_whom": _("Say to whom the call goes: a name, an extension or a number."),
        "tel_asked": _("The browser asks you now; say yes, and telephone links open here."),
        "tel_none": _("This browser does not let a page take telephone links, or only over https."),
        "queue": _("Queue {queue}"),
        "calls_you": _("{who} is calling"),
        "reminder": _("Reminder: {what}"),
        "lost_server": _("The server is not reached: the sound goes on when it is back. Play again then."),
        "lost_here": _(
            "This browser cannot play the sound. Reload the page; if that does not help, tell the administrator."
        ),
        "news_released": _("A call of yours was scored: look under My quality."),
        "news_kept": _("Your dispute was answered: the score stays. Look under My quality."),
        "news_corrected": _("Your dispute was answered: the score was corrected. Look under My quality."),
        "news_disputed": _("{who} disputes a score: it waits under Quality."),
        "news_given": _("For you to hear, under My quality: {title}"),
        "call_back": _("Call back"),
        "server": _("Server"),
        "server_gone": _("Server not reached: reload"),
        "signed_out": _("Signed out: sign in"),
        "sound": _("Sound"),
        "sound_off": _("Sound off: allow"),
        "alerts": _("Alerts"),
        "alerts_allow": _("Alerts off: allow"),
        "alerts_blocked": _("Alerts blocked: allow"),
        "alerts_none": _("Alerts: this browser has none"),
        "alerts_how": _(
            "This browser blocks alerts from callcrm: open its site settings beside the address and allow them."
        ),
        "match_exact": match("exact").word,
        "match_national": match("national").word,
        "match_maybe": match("maybe").word,
        "match_chosen": match("chosen").word,
        "match_new": match("new").word,
        "match_own": match("own").word,
        "match_extension": match("extension").word,
        "match_anonymous": match("anonymous").word,
        "match_none": match("none").word,
        "check_sound_ok": _("Two tones were just played. Nothing heard? Turn the volume up, then ring again."),
        "check_alerts_ok": _("A test alert was sent. None seen? Switch off the system’s do-not-disturb."),
        "check_alerts_ask": _("Alerts are not allowed yet: answer the browser’s question, then ring again."),
        "check_alerts_none": _("This browser has none: keep callcrm’s window in sight."),
        "check_alerts_body": _("This is how a call is told while you are in another window."),
        "check_server_ok": _("Connected; it answered in {ms} ms."),
        "check_server_gone": _("Not reached: reload the page; if that does not help, tell the administrator."),
        "tested": _("That was the ring. Connection and alerts are shown at the top."),
        "tested_silent": _("The browser does not let this page sound yet: click once on the page and try again."),
    }
