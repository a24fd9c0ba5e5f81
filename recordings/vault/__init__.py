"""The vault: sound files checked, converted with a look back, encrypted, and stored in a folder or an S3 bucket."""

from recordings.vault.checking import Checked, StillWritten, check, checksum
from recordings.vault.converting import Unfit, convert, same_sound
from recordings.vault.errors import Damaged, NotStored, StoreAway, StoreFull, VaultError
from recordings.vault.reading import plain_blocks, plain_checksum, plain_file
from recordings.vault.sealing import KeyRing, make_key, seal, sealed_size
from recordings.vault.stores import FolderStore, Store

__all__ = [
    "Checked",
    "Damaged",
    "FolderStore",
    "KeyRing",
    "NotStored",
    "StillWritten",
    "Store",
    "StoreAway",
    "StoreFull",
    "Unfit",
    "VaultError",
    "check",
    "checksum",
    "convert",
    "make_key",
    "plain_blocks",
    "plain_checksum",
    "plain_file",
    "same_sound",
    "seal",
    "sealed_size",
]
