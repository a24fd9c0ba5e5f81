"""A real S3 API server for tests (it checks signatures), on a free port, its objects in a folder."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn
from nanio.app import build_app
from nanio.auth.credentials import StaticCredentialResolver
from nanio.config import Settings

from recordings.vault.bucket import BucketAddress

BUCKET, ACCESS, SECRET = "sounds", "callcrm", "a-secret-of-tests"


@dataclass
class S3Server:
    """Where it is, and the folder of its objects."""

    root: Path
    port: int

    @property
    def address(self) -> BucketAddress:
        """The bucket as the vault is told of it."""
        endpoint = f"http://127.0.0.1:{self.port}"
        return BucketAddress(BUCKET, endpoint, access_key=ACCESS, secret_key=SECRET, timeout_s=3)

    def prefixed(self, prefix: str) -> BucketAddress:
        """The same with a folder within it."""
        return replace(self.address, prefix=prefix)

    def objects(self) -> dict[str, Path]:
        """What lies in the bucket, by name."""
        bucket = self.root / BUCKET
        files = (path for path in bucket.rglob("*") if path.is_file())
        return {str(path.relative_to(bucket)): path for path in files if ".nanio" not in str(path)}


@contextlib.contextmanager
def s3_server(root: Path) -> Iterator[S3Server]:
    """One while the block lasts, in a thread of its own."""
    (root / BUCKET).mkdir(parents=True)
    app = build_app(Settings(data_dir=root, credentials=StaticCredentialResolver({ACCESS: SECRET}), access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", loop="asyncio"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield S3Server(root, bound.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(10)
