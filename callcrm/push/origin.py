"""Whose page may open the push socket: a browser says so in `Origin`, and no other site's may.

A page of another site can open a socket to us and the browser adds our cookie to it; the
Origin is what tells it apart. A program sends none, and then must bring a token.
"""

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def is_own(origin: str, host: str, *, public: Iterable[str], ports: Iterable[int]) -> bool:
    """Whether a page of `origin` is ours.

    `public` are the addresses from the settings; with none of them set, the page must come from
    the host that the socket was opened to (`host`), on its port or on one of our `ports`.
    """
    page = _split(origin)
    if page is None or page.scheme not in ("http", "https"):
        return False
    known = {_place(split) for split in map(_split, public) if split is not None}
    if known:
        return _place(page) in known
    asked = _split(f"{page.scheme}://{host}")
    if asked is None or page.hostname != asked.hostname:
        return False
    return _port(page) in {_port(asked), *ports}


def _split(address: str) -> SplitResult | None:
    try:
        split = urlsplit(address)
        named = bool(split.hostname) and (split.port is None or split.port > 0)
    except ValueError:
        return None
    return split if named else None


def _port(split: SplitResult) -> int | None:
    return split.port or _DEFAULT_PORTS.get(split.scheme)


def _place(split: SplitResult) -> tuple[str, str | None, int | None]:
    secure = "https" if split.scheme in ("https", "wss") else "http"
    return secure, split.hostname, _port(split)
