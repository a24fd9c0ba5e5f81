"""Addresses of lists: the filters and the place stand in the URL, so that every list can be sent to somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Tab:
    """A saved filter above a list."""

    href: str
    word: str
    here: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list the page stands: the address of what comes next, and of the first page when it is another."""

    next: str = ""
    back: str = ""


def address(path: str, query: Mapping[str, str], **changed: str) -> str:
    """The page's address with some filters changed; an empty one is taken away, and so is the place in the list."""
    kept = {key: value for key, value in query.items() if key != "cursor"} | changed
    written = urlencode({key: value for key, value in kept.items() if value})
    return f"{path}?{written}" if written else path


def place(path: str, query: Mapping[str, str], following: str | None) -> Place:
    """The links at a list's foot."""
    onward = address(path, query, cursor=following) if following else ""
    return Place(onward, address(path, query) if query.get("cursor") else "")
