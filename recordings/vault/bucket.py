"""An S3-compatible bucket (AWS, MinIO, Ceph, Garage …) as a store; obstore speaks to it outside Python's threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from recordings.vault.errors import Damaged, NotStored, StoreAway, StoreFull, VaultError, of_os

if TYPE_CHECKING:
    from obstore.store import S3Config

_PART = 8 << 20
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """Where a bucket is and who may use it; `endpoint` empty is AWS, `prefix` a folder within the bucket."""

    bucket: str
    endpoint: str = ""
    region: str = "us-east-1"
    prefix: str = ""
    access_key: str = ""
    secret_key: str = ""
    timeout_s: float = 30.0


class BucketStore:
    """Files in a bucket: S3 itself makes them appear whole or not at all."""

    kind = "bucket"

    def __init__(self, address: BucketAddress) -> None:
        self.place = f"the bucket {address.bucket}" + (f" at {address.endpoint}" if address.endpoint else "")
        limit = timedelta(seconds=address.timeout_s)
        config: S3Config = {"bucket": address.bucket, "region": address.region}
        if address.endpoint:
            config["endpoint"] = address.endpoint
        if address.access_key:
            config["access_key_id"] = address.access_key
            config["secret_access_key"] = address.secret_key
        self._store = S3Store(
            prefix=address.prefix.strip("/") or None,
            config=config,
            client_options={
                "allow_http": address.endpoint.startswith("http://"),
                "timeout": limit,
                "connect_timeout": min(limit, timedelta(seconds=5)),
            },
            retry_config={
                "max_retries": 2,
                "retry_timeout": limit,
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=2),
                    "base": 2,
                },
            },
        )

    def path(self, name: str) -> None:  # noqa: ARG002 - as every store
        """A bucket's files are none of this machine's."""
        return

    async def put(self, name: str, path: Path) -> None:
        """See Store."""
        with self._told():
            await self._store.put_async(name, path, chunk_size=_PART, max_concurrency=_AT_ONCE)

    async def size(self, name: str) -> int:
        """See Store."""
        with self._told():
            return int((await self._store.head_async(name))["size"])

    async def read(self, name: str, begin: int, end: int) -> bytes:
        """See Store."""
        if end <= begin:
            return b""
        try:
            with self._told():
                data = bytes(await self._store.get_range_async(name, start=begin, end=end))
        except StoreAway:
            # A range that the file does not reach is refused by each kind of server in its own words.
            if await self.size(name) >= end:
                raise
            data = b""
        if len(data) != end - begin:
            raise Damaged("The file is shorter than it was when it was kept.")
        return data

    async def remove(self, name: str) -> None:
        """See Store."""
        try:
            with self._told():
                await self._store.delete_async(name)
        except NotStored:
            return

    async def probe(self) -> None:
        """See Store."""
        with self._told():
            await self._store.put_async(".callcrm-trial", b"trial")
            await self._store.delete_async(".callcrm-trial")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise self._absent(str(error)) from error
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StoreAway(f"{self._begins} lets us not in: check vault.bucket's keys and their rights.") from error
        except OSError as error:
            raise of_os(error, self.place) from error
        except BaseError as error:
            raise self._trouble(str(error)) from error

    @property
    def _begins(self) -> str:
        return self.place[0].upper() + self.place[1:]

    def _absent(self, said: str) -> VaultError:
        if "NoSuchBucket" in said:
            return StoreAway(f"{self._begins} is not there: make it, or mend vault.bucket.")
        return NotStored(f"The file is not in {self.place} any more.")

    def _trouble(self, said: str) -> VaultError:
        if "QuotaExceeded" in said or "InsufficientStorage" in said or "status code: 507" in said:
            return StoreFull(f"There is no room left in {self.place}: free some; it is tried again by itself.")
        return StoreAway(
            f"{self._begins} does not answer: check that it runs and can be reached; it is tried again by itself."
        )
