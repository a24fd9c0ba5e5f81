"""Files over HTTP: asked for only when they changed, and taken only whole."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

import aiohttp

from recordings.vault.fetching import FetchFailed, Remote, changed_at, receive

_BLOCK = 256 << 10


@dataclass(frozen=True, slots=True)
class WebAddress:
    """The folder's address, who asks, and what an https server is checked against (`tls_ca`, else the system's)."""

    url: str
    username: str = ""
    password: str = ""
    tls_ca: str = ""
    timeout_s: float = 30.0


class WebSource:
    """See Source."""

    def __init__(self, address: WebAddress) -> None:
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, name: str, target: Path) -> bool:
        """See Source."""
        headers = {"Accept-Encoding": "identity"}
        known = await asyncio.to_thread(changed_at, target)
        if known is not None:
            headers["If-Modified-Since"] = formatdate(known, usegmt=True)
        url = f"{self._address.url}/{quote(name)}"
        try:
            # Whoever serves recordings sends nobody on to another place.
            async with self._opened().get(url, headers=headers, allow_redirects=False) as answer:
                return await self._taken(answer, name, target)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = str(error) or type(error).__name__
            raise FetchFailed(
                f"{self._address.url} does not answer ({said[:80]}); it is tried again by itself."
            ) from error

    def files(self) -> None:
        """HTTP has no list of a folder; what servers show of one is a page for people, each another."""

    async def _taken(self, answer: aiohttp.ClientResponse, name: str, target: Path) -> bool:
        if answer.status == 304:
            return True
        if answer.status in (404, 410):
            return False
        if answer.status in (401, 403):
            raise FetchFailed(f"{self._address.url} lets us not in: check vault.fetch's username and password.")
        if answer.status != 200:
            raise FetchFailed(f"{self._address.url} answers {answer.status} for {name}: look into its log.")
        remote = Remote(answer.content_length, _changed(answer))
        await receive(_blocks(answer), target, remote)
        return True

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            at = self._address
            context: ssl.SSLContext | bool = ssl.create_default_context(cafile=at.tls_ca) if at.tls_ca else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context, limit=2),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=at.timeout_s, sock_read=at.timeout_s),
                headers=_let_in(at),
            )
        return self._session

    async def close(self) -> None:
        """See Source."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _let_in(at: WebAddress) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(at.username, at.password)} if at.username else {}


async def _blocks(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for block in answer.content.iter_chunked(_BLOCK):
        yield block


def _changed(answer: aiohttp.ClientResponse) -> float:
    try:
        return parsedate_to_datetime(answer.headers.get("Last-Modified", "")).timestamp()
    except ValueError:
        return 0.0
