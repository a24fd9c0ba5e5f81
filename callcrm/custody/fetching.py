"""Brings recordings from PBXes whose folder is not mounted into a folder here, when somebody looks for them."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog

from callcrm.custody.places import Places
from recordings import Outside
from recordings.vault.errors import VaultError
from recordings.vault.fetching import FetchFailed, Source

if TYPE_CHECKING:
    from callcrm.vaultsettings import FetchSettings, VaultSettings

log = structlog.get_logger(__name__)

#: Files that are fetched from one PBX at once; and how long one that does not answer is left alone.
AT_ONCE = 2
QUIET_S = 20.0


class Fetching:
    """Fetches files by the names that PBXes told of; a PBX without a source has its folder here. `close` hangs up."""

    def __init__(self, places: Places, sources: Mapping[str, Source]) -> None:
        self._places, self.sources = places, sources
        self._turns = {name: asyncio.Semaphore(AT_ONCE) for name in sources}
        self._trouble: dict[str, tuple[float, str]] = {}
        for name in sources:
            if folder := places.folder(name):
                folder.root.mkdir(mode=0o750, parents=True, exist_ok=True)

    async def bring(self, pbx: str, file: str) -> str:
        """Have the file here if it is there; in words why it could not be asked for, else ""."""
        source, folder = self.sources.get(pbx), self._places.folder(pbx)
        if source is None or folder is None:
            return ""
        try:
            target = folder.path_of(file)
        except Outside:
            return ""
        async with self._turns[pbx]:
            until, trouble = self._trouble.get(pbx, (0.0, ""))
            now = asyncio.get_running_loop().time()
            if now < until:
                return trouble
            try:
                await source.fetch(target.relative_to(folder.root.resolve()).as_posix(), target)
            except VaultError as error:
                if isinstance(error, FetchFailed):
                    self._trouble[pbx] = (now + QUIET_S, str(error))
                log.warning("recording cannot be fetched", pbx=pbx, file=file, error=str(error))
                return str(error)
            self._trouble.pop(pbx, None)
            return ""

    async def close(self) -> None:
        """Hang up everywhere."""
        for source in self.sources.values():
            await source.close()


def sources_of(vault: "VaultSettings") -> dict[str, Source]:
    """The sources that the settings name, by PBX."""
    return {name: _source(settings) for name, settings in vault.fetched.items()}


def _source(settings: "FetchSettings") -> Source:
    parts = urlsplit(settings.url)
    username = settings.username or unquote(parts.username or "")
    password = settings.password.get_secret_value()
    if parts.scheme == "sftp":
        from recordings.vault.sftp import SftpAddress, SftpSource

        port = parts.port or 22
        keys = {"key_file": settings.key_file, "host_key": settings.host_key}
        return SftpSource(
            SftpAddress(
                parts.hostname or "",
                unquote(parts.path) or ".",
                port,
                username,
                password,
                **keys,
                timeout_s=settings.timeout_s,
            )
        )
    from recordings.vault.web import WebAddress, WebSource

    host = parts.netloc.rpartition("@")[2]
    url = f"{parts.scheme}://{host}{parts.path}".rstrip("/")
    return WebSource(WebAddress(url, username, password, settings.tls_ca, settings.timeout_s))
