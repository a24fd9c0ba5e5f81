"""Whose queues are whose: from the settings, by account name."""

from callcrm.accounts.policy import Actor
from webui.parts import Parts


def queues_of(parts: Parts, actor: Actor) -> list[str]:
    """The queues whose callbacks are this person's, too."""
    return [name for name, queue in parts.settings.queues.items() if actor.name in queue.people]


def line_of(parts: Parts, called: str | None, queue: str | None) -> str:
    """The line's label, else the queue's, else the number."""
    line, named = parts.settings.lines.get(called or ""), parts.settings.queues.get(queue or "")
    return (line.label if line else "") or (named.label if named else "") or queue or called or ""
