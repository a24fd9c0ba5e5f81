"""The links to the PBXes, each as a state in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callcrm.telephony import queries
from webui import words
from webui.coretexts import said
from webui.i18n import _
from webui.parts import Parts
from webui.words import Mark


@dataclass(frozen=True, slots=True)
class Link:
    """One PBX's link as people see it."""

    pbx: str
    mark: Mark
    words: str
    since: datetime | None
    seen_at: datetime | None
    version: str


async def all_links(parts: Parts) -> list[Link]:
    """Every link, in the order of names; one that the settings name and nobody has tried yet is told, too."""
    async with parts.database.glance() as db:
        rows = {row.pbx: row for row in await queries.links(db)}
    return [_link(name, rows.get(name)) for name in sorted({*rows, *parts.settings.pbx})]


def _link(name: str, row: queries.LinkLine | None) -> Link:
    if row is None:
        return Link(name, words.link("gone"), _("The listener has not tried this PBX yet."), None, None, "")
    return Link(name, words.link(row.state), said(row.words), row.since, row.seen_at, row.version)


def worst(links: Sequence[Link]) -> Link:
    """What the light at the top shows: the link that needs somebody most."""
    order = {"late": 0, "warn": 1, "ok": 2}
    if not links:
        return Link("", Mark("warn", "triangle-alert", _("none set up")), _("No PBX is set up yet."), None, None, "")
    return min(links, key=lambda link: order.get(link.mark.state, 1))
