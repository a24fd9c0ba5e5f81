"""Encryption at rest, of which any stretch can be read without the rest: AES-256-GCM in blocks of 64 KiB.

A sealed file is a head (magic, the master key's id, 16 random bytes, the sound's size) and the blocks, each with its
tag. The file's own key is derived from the master key and the head (HKDF-SHA-256), so that the head cannot be changed
unseen; a block's nonce is its number, so that none can be moved, left out or cut off unseen.
"""

import base64
import binascii
import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from recordings.vault.errors import Damaged

BLOCK = 64 << 10
TAG = 16
_HEAD = struct.Struct(">4s8s16sQ")
HEAD = _HEAD.size
_MAGIC = b"ccv1"
_PURPOSE = b"callcrm recording 1 "
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Master keys by their ids; new files are sealed with the `current` one (empty: not at all)."""

    keys: Mapping[str, bytes]
    current: str = ""

    @classmethod
    def of(cls, keys: Sequence[str]) -> "KeyRing":
        """From keys in base64, the current one first. Raises ValueError, in one sentence."""
        ring = {}
        for text in keys:
            try:
                key = base64.b64decode(text, validate=True)
            except binascii.Error:
                key = b""
            if len(key) != KEY_BYTES:
                raise ValueError("a key of the vault is 32 random bytes in base64: make one with `callcrm vault key`")
            ring[hashlib.sha256(key).hexdigest()[:16]] = key
        return cls(ring, next(iter(ring), ""))

    def key(self, key_id: str) -> bytes:
        """A master key. Raises Damaged when it is not in the ring."""
        try:
            return self.keys[key_id]
        except KeyError:
            raise Damaged(f"The key {key_id} is not among vault.keys: put it back behind the current one.") from None


def make_key() -> str:
    """A new master key in base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def sealed_size(size: int) -> int:
    """How many bytes a sound of `size` bytes takes when it is sealed."""
    return HEAD + size + TAG * blocks_of(size)


def blocks_of(size: int) -> int:
    """How many blocks a sound of so many bytes has."""
    return -(-size // BLOCK)


def seal(source: BinaryIO, size: int, target: BinaryIO, ring: KeyRing) -> None:
    """Encrypt `size` bytes with the ring's current key. Raises Damaged when there are fewer; blocks: use a thread."""
    head = _HEAD.pack(_MAGIC, bytes.fromhex(ring.current), os.urandom(16), size)
    cipher = _cipher(head, ring)
    target.write(head)
    for number in range(blocks_of(size)):
        wanted = min(BLOCK, size - number * BLOCK)
        block = source.read(wanted)
        if len(block) != wanted:
            raise Damaged("The file became shorter while it was encrypted.")
        target.write(cipher.encrypt(_nonce(number), block, None))


class Seal:
    """A sealed file's head, understood: `size` bytes of sound, and how blocks of it are opened."""

    def __init__(self, head: bytes, ring: KeyRing) -> None:
        if len(head) != HEAD or not head.startswith(_MAGIC):
            raise Damaged("The file is not one that the vault encrypted, or its head is damaged.")
        self.size: int = _HEAD.unpack(head)[3]
        self._cipher = _cipher(head, ring)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where the blocks from `first` up to and with `last` lie in the sealed file."""
        return HEAD + first * (BLOCK + TAG), min(HEAD + (last + 1) * (BLOCK + TAG), sealed_size(self.size))

    def open(self, first: int, last: int, sealed: bytes) -> bytes:
        """The blocks from `first` up to and with `last`, decrypted. Raises Damaged, also when some are not there."""
        step = BLOCK + TAG
        begin, end = self.span(first, last)
        if len(sealed) != end - begin:
            raise Damaged("The sound is damaged: a part of it is not there any more.")
        parts = [sealed[at : at + step] for at in range(0, len(sealed), step)]
        try:
            return b"".join(self._cipher.decrypt(_nonce(first + n), part, None) for n, part in enumerate(parts))
        except (InvalidTag, ValueError):
            raise Damaged("The sound is damaged: what lies there is not what was encrypted.") from None


def _cipher(head: bytes, ring: KeyRing) -> AESGCM:
    _, key_id, salt, _ = _HEAD.unpack(head)
    master = ring.key(key_id.hex())
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt=salt, info=_PURPOSE + head).derive(master))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
