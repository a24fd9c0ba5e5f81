"""Files over SFTP: one connection that is kept while it is used, and made anew when it was lost."""

import asyncio
import posixpath
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from recordings.vault.fetching import FetchFailed, Remote, receive, unchanged
from recordings.vault.strays import DEEPEST, File, is_sound

_BLOCK = 256 << 10


@dataclass(frozen=True, slots=True)
class SftpAddress:
    """Where, as whom, and how the server proves who it is (`host_key`, else the user's known_hosts)."""

    host: str
    folder: str
    port: int = 22
    username: str = ""
    password: str = ""
    key_file: str = ""
    host_key: str = ""
    timeout_s: float = 30.0


class SftpSource:
    """See Source."""

    def __init__(self, address: SftpAddress) -> None:
        self._address = address
        self._place = f"the SFTP server {address.host}"
        self._link: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None
        self._lock = asyncio.Lock()

    async def fetch(self, name: str, target: Path) -> bool:
        """See Source."""
        try:
            async with self._worded(name):
                return await self._fetch(await self._connected(), name, target)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return False

    async def files(self) -> AsyncIterator[File]:
        """See Source; links and hidden names are passed over."""
        waiting = [("", 0)]
        while waiting:
            prefix, depth = waiting.pop()
            found = await self._listed(prefix)
            if depth < DEEPEST:
                waiting += [(f"{prefix}{name}/", depth + 1) for name, attrs in reversed(found) if _is_folder(attrs)]
            for name, attrs in found:
                if attrs.type == asyncssh.FILEXFER_TYPE_REGULAR and is_sound(name):
                    yield File(prefix + name, attrs.size or 0, float(attrs.mtime or 0))

    async def _listed(self, prefix: str) -> list[tuple[str, asyncssh.SFTPAttrs]]:
        """What lies in a folder, by name."""
        try:
            async with self._worded(prefix or "its folder"), asyncio.timeout(self._address.timeout_s):
                told = await (await self._connected()).readdir(posixpath.join(self._address.folder, prefix))
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
            raise FetchFailed(f"{self._begins} has no folder {prefix or self._address.folder}.") from error
        found = [(str(one.filename), one.attrs) for one in told]
        return sorted((one for one in found if not one[0].startswith(".")), key=lambda one: one[0])

    @asynccontextmanager
    async def _worded(self, name: str) -> AsyncIterator[None]:
        """What goes wrong in words, but that there is no such file."""
        try:
            yield
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise
        except asyncssh.SFTPPermissionDenied as error:
            raise FetchFailed(f"{self._begins} may not read {name}: give {self._who} the right.") from error
        except asyncssh.PermissionDenied as error:
            raise FetchFailed(
                f"{self._begins} lets {self._who} not in: check vault.fetch's key or password."
            ) from error
        except asyncssh.HostKeyNotVerifiable as error:
            raise FetchFailed(
                f"{self._begins} shows a key that is not known: set vault.fetch's host_key, once you have compared it."
            ) from error
        except (asyncssh.Error, TimeoutError, OSError) as error:
            await self.close()
            raise self._away(error) from error

    async def _fetch(self, sftp: asyncssh.SFTPClient, name: str, target: Path) -> bool:
        async with asyncio.timeout(self._address.timeout_s):
            root = await sftp.realpath(self._address.folder)
            path = await sftp.realpath(posixpath.join(self._address.folder, name))
            if not str(path).startswith(f"{str(root).rstrip('/')}/"):
                raise FetchFailed(f"{name} leads out of the recordings folder, through a link.")
            told = await sftp.stat(path)
        remote = Remote(told.size, float(told.mtime or 0))
        if not await asyncio.to_thread(unchanged, target, remote):
            await receive(self._blocks(sftp, str(path)), target, remote)
        return True

    async def _blocks(self, sftp: asyncssh.SFTPClient, path: str) -> AsyncIterator[bytes]:
        async with sftp.open(path, "rb") as file:
            while True:
                async with asyncio.timeout(self._address.timeout_s):
                    block = await file.read(_BLOCK)
                if not block:
                    return
                yield block.encode() if isinstance(block, str) else bytes(block)

    async def _connected(self) -> asyncssh.SFTPClient:
        async with self._lock:
            return await self._link_up()

    async def _link_up(self) -> asyncssh.SFTPClient:
        if self._sftp is not None and self._link is not None and not self._link.is_closed():
            return self._sftp
        at = self._address
        how: dict[str, object] = {}
        if at.host_key:
            where = at.host if at.port == 22 else f"[{at.host}]:{at.port}"
            how["known_hosts"] = asyncssh.import_known_hosts(f"{where} {at.host_key}\n")
        if at.username:
            how["username"] = at.username
        if at.password:
            how["password"] = at.password
        if at.key_file:
            how["client_keys"] = [at.key_file]
        self._link = await asyncssh.connect(
            at.host, at.port, connect_timeout=at.timeout_s, keepalive_interval=30, config=None, agent_path=None, **how
        )
        self._sftp = await self._link.start_sftp_client()
        return self._sftp

    async def close(self) -> None:
        """See Source."""
        link, self._link, self._sftp = self._link, None, None
        if link is not None:
            link.abort()
            with suppress(TimeoutError, OSError, asyncssh.Error):
                async with asyncio.timeout(2):
                    await link.wait_closed()

    @property
    def _begins(self) -> str:
        return self._place[0].upper() + self._place[1:]

    @property
    def _who(self) -> str:
        return self._address.username or "us"

    def _away(self, error: Exception) -> FetchFailed:
        said = str(error) or type(error).__name__
        return FetchFailed(f"{self._begins} does not answer ({said[:80]}); it is tried again by itself.")


def _is_folder(attrs: asyncssh.SFTPAttrs) -> bool:
    return bool(attrs.type == asyncssh.FILEXFER_TYPE_DIRECTORY)
