"""Sound out of a store as it was before it was encrypted: a stretch, the whole as a file, or its checksum."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from recordings.ranges import Part
from recordings.vault.errors import Damaged, of_os
from recordings.vault.sealing import BLOCK, HEAD, KeyRing, Seal
from recordings.vault.stores import Store

#: So many bytes are read at a time.
STEP = 16 * BLOCK


async def plain_blocks(store: Store, name: str, part: Part, ring: KeyRing | None = None) -> AsyncIterator[bytes]:
    """The bytes of a part, some at a time; `ring` opens a sealed file. Raises VaultError."""
    if ring is None:
        for at in range(part.begin, part.end, STEP):
            yield await store.read(name, at, min(part.end, at + STEP))
        return
    seal = Seal(await store.read(name, 0, HEAD), ring)
    if part.end > seal.size:
        raise Damaged("The sound is shorter than it was when it was kept.")
    for at in range(part.begin - part.begin % STEP, part.end, STEP):
        first, last = at // BLOCK, (min(part.end, at + STEP) - 1) // BLOCK
        block = seal.open(first, last, await store.read(name, *seal.span(first, last)))
        yield block[max(0, part.begin - at) : part.end - at]


async def plain_size(store: Store, name: str, ring: KeyRing | None = None) -> int:
    """How many bytes of sound lie there."""
    return await store.size(name) if ring is None else Seal(await store.read(name, 0, HEAD), ring).size


async def plain_checksum(store: Store, name: str, ring: KeyRing | None = None) -> str:
    """The SHA-256 of the sound that lies there. Raises VaultError."""
    digest = hashlib.sha256()
    size = await plain_size(store, name, ring)
    async for block in plain_blocks(store, name, Part(0, size, size, whole=True), ring):
        digest.update(block)
    return digest.hexdigest()


async def plain_file(store: Store, name: str, target: Path, ring: KeyRing | None = None) -> None:
    """The whole sound into a file that is there. Raises VaultError."""
    size = await plain_size(store, name, ring)
    try:
        with target.open("wb") as file:
            async for block in plain_blocks(store, name, Part(0, size, size, whole=True), ring):
                file.write(block)
    except OSError as error:
        raise of_os(error, target.parent) from error
