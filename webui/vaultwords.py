"""The vault in words: what the settings make of recordings, what each state means and what to do about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from callcrm.custody.health import Count
from webui import words
from webui.i18n import _, ngettext
from webui.words import Mark

if TYPE_CHECKING:
    from callcrm.vaultsettings import VaultSettings


@dataclass(frozen=True, slots=True)
class StateLine:
    """A state of recordings: how many of each PBX, and what to do."""

    mark: Mark
    total: int
    counts: tuple[tuple[str, int], ...]
    words: str


def policy(vault: "VaultSettings") -> list[str]:
    """What becomes of a finished recording, as sentences."""
    if not vault.store:
        said = [_("Recordings stay in the PBX’s folder; a checksum of each is kept.")]
    elif vault.store == "folder":
        said = [_("Finished recordings are stored in the folder %(folder)s.") % {"folder": vault.folder}]
    else:
        said = [_("Finished recordings are stored in the bucket %(bucket)s.") % {"bucket": vault.bucket.name}]
    if vault.store:
        said += _stored(vault)
    if vault.verify_days:
        days = round(vault.verify_days)
        every = ngettext("every day", "every %(n)s days", days) % {"n": days}
        said.append(_("Each is compared with its checksum %(every)s.") % {"every": every})
    return said


def unlisted(vault: "VaultSettings") -> str:
    """Why some files without a call are not found, where a PBX's server gives no list of what it has; else ""."""
    names = sorted(name for name, one in vault.fetched.items() if one.url.startswith("http"))
    if not names:
        return ""
    said = _(
        "Not looked through: %(names)s. HTTP gives no list of a folder; fetch over SFTP, or mount it, "
        "to see such files there."
    )
    return said % {"names": ", ".join(names)}


def _stored(vault: "VaultSettings") -> list[str]:
    forms = {
        "as it is": _("They stay as they are; what no browser plays becomes FLAC."),
        "flac": _("They become FLAC, which keeps every sample."),
        "opus": _("They become Opus, which keeps what is heard."),
    }
    sealed = (
        _("They are encrypted.")
        if vault.key.get_secret_value()
        else _("They are not encrypted: set vault.key to change that.")
    )
    originals = (
        _("The PBX’s file is removed once the stored one was read back.")
        if vault.originals == "remove"
        else _("The PBX’s file stays.")
    )
    return [forms[vault.form], sealed, originals]


def states(counts: Iterable[Count]) -> list[StateLine]:
    """Each state that there is, the ones that need somebody first."""
    order = ("missing", "partial", "unknown", "late", "empty", "writing", "present", "paused", "deleted")
    ordered = sorted(counts, key=lambda one: (order.index(one.state) if one.state in order else 99, one.pbx))
    found = []
    for state, group in groupby(ordered, key=lambda one: one.state):
        each = tuple((one.pbx, one.count) for one in group)
        found.append(StateLine(_mark(state), sum(n for _pbx, n in each), each, _mend(state)))
    return found


def _mark(state: str) -> Mark:
    mark = words.recording_short(state)
    tone = {"present": "ok", "paused": "ok", "partial": "warn", "unknown": "warn"}
    return Mark(tone.get(state, mark.state), mark.icon, mark.word)


def _mend(state: str) -> str:
    return {
        "missing": _(
            "The PBX told of a file that never came. Compare the names below, and look for the file among the strays."
        ),
        "partial": _("Some of the talk is not in the file, or the file is damaged. The call says how much."),
        "unknown": _("The folder cannot be read. Check its mount and rights; “callcrm check” says which."),
        "late": _("The file has not come yet; it is looked for during a day."),
        "empty": _("The PBX wrote a file without sound, as it does when nobody was connected."),
        "writing": _("The call goes on, or ended a moment ago."),
        "present": _("All is well."),
        "paused": _("The recording has a gap, for card data."),
        "deleted": _("A rule deleted the sound; the log of deletions says which."),
    }.get(state, "")


def custody(kept: Mapping[str, int], waiting: int) -> list[tuple[Mark, int]]:
    """Sounds by their state in custody."""
    marks = {
        "kept": Mark("ok", "lock", _("In the vault")),
        "checked": Mark("ok", "check", _("Checked, in the PBX’s folder")),
        "waiting": Mark("warn", "clock", _("Could not be kept yet")),
        "damaged": Mark("late", "triangle-alert", _("Damaged")),
        "gone": Mark("late", "file-x", _("Taken away")),
    }
    found = [(mark, kept[state]) for state, mark in marks.items() if kept.get(state)]
    return [*found, (Mark("", "loader", _("Waiting for their turn")), waiting)] if waiting else found


def why(reasons: Sequence[str]) -> str:
    """Why a file may belong to a call, in a line."""
    said = {
        "id": _("its name holds the call’s id"),
        "number": _("its name holds the client’s number"),
        "end": _("it ended when the call did"),
        "length": _("it is as long as the talk"),
        "time": _("its name holds the call’s time"),
        "extension": _("its name holds the extension"),
        "missing": _("the call misses a file"),
        "silent": _("the call has no sound"),
        "heard": _("but the call has its sound"),
    }
    return ", ".join(said[one] for one in reasons if one in said)
