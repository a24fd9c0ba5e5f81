"""The row of tabs above the pages of quality: what this person's role reaches."""

from callcrm.accounts.policy import Actor, Right, may
from webui.i18n import _
from webui.paging import Tab


def tabs(actor: Actor, path: str) -> list[Tab]:
    """The pages of quality; that of `path` is marked."""
    listed = [
        (Right.CALLS, "/quality", _("Evaluations")),
        (Right.SCORE, "/quality/next", _("Next")),
        (Right.SCORE, "/quality/calibration", _("Calibration")),
        (Right.CALLS, "/quality/coaching", _("Coaching")),
        (Right.SCORE, "/quality/forms", _("Forms")),
        (Right.AUDIT, "/quality/listenings", _("Who listened")),
    ]
    return [Tab(href, word, _is_at(path, href)) for right, href, word in listed if may(actor, right)]


def scores(actor: Actor) -> bool:
    """Whether this person scores calls."""
    return may(actor, Right.SCORE)


def _is_at(path: str, href: str) -> bool:
    below = {"/quality/next": ("/quality/plan", "/quality/draws")}.get(href, ())
    if href == "/quality":
        return path == href or path.startswith("/quality/evaluations")
    return any(path == one or path.startswith(f"{one}/") for one in (href, *below))
