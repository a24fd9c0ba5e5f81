"""Reading how the links to the PBXes stand, and which extensions belong to nobody."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from callcrm.kernel.prepared import Db, Prepared
from callcrm.kernel.tables import LinkState


@dataclass(frozen=True, slots=True)
class LinkLine:
    """One PBX's link: `state` as the listener tells it, `words` for a person, `version` of the PBX."""

    pbx: str
    state: str
    words: str
    since: datetime
    seen_at: datetime | None
    version: str


_LINKS = Prepared(
    select(
        LinkState.pbx,
        LinkState.state,
        LinkState.words,
        LinkState.since,
        LinkState.seen_at,
        LinkState.version,
    ).order_by(LinkState.pbx)
)


async def links(db: Db) -> list[LinkLine]:
    """Every link, in the order of names."""
    return [LinkLine(*row) for row in await _LINKS.all(db)]
