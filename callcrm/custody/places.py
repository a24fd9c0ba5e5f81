"""The places where sounds lie, as the settings name them: the folders of the PBXes, and the vault."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from recordings import Folder
from recordings.vault import FolderStore, KeyRing, NotStored, Store

if TYPE_CHECKING:
    from callcrm.settings import Settings
    from callcrm.vaultsettings import BucketSettings


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of the PBXes by name; stores by kind, of which `current` ("": none) takes what is new; and the keys.

    `work` is for files that are half made; `fetched` is where files of PBXes without a mount are brought.
    """

    folders: Mapping[str, Folder | None]
    stores: Mapping[str, Store] = field(default_factory=dict)
    current: Literal["", "folder", "bucket"] = ""
    ring: KeyRing = field(default_factory=lambda: KeyRing({}))
    work: Path = Path("data/work")

    @classmethod
    def of(cls, settings: "Settings") -> "Places":
        """Those that the settings name. A store that is no longer the current one still gives what lies in it."""
        vault = settings.vault
        work = Path(vault.work)
        folders = {
            name: _folder(pbx.recordings, pbx.recordings_from)
            if name not in vault.fetched
            else Folder(fetched(work, name), urlsplit(vault.fetched[name].url).path or "/")
            for name, pbx in settings.pbx.items()
        }
        stores: dict[str, Store] = {"folder": FolderStore(Path(vault.folder))}
        if vault.bucket.name:
            stores["bucket"] = _bucket(vault.bucket)
        return cls(folders, stores, vault.store, vault.ring(), work)

    def folder(self, pbx: str) -> Folder | None:
        """The folder of a PBX's recordings, if one is set."""
        return self.folders.get(pbx)

    def store(self, kind: str) -> Store:
        """A store by its kind. Raises NotStored, in words, for one that is not set any more."""
        try:
            return self.stores[kind]
        except KeyError:
            raise NotStored(f"The sound lies in a {kind}, and the settings name none: set vault.{kind}.") from None

    def ring_for(self, key_id: str) -> KeyRing | None:
        """The keys for a sound that is encrypted; None for one that is not."""
        return self.ring if key_id else None


def fetched(work: Path, pbx: str) -> Path:
    """Where the files of a PBX without a mount are brought."""
    return work / "fetched" / pbx


def _folder(here: str, reported_as: str) -> Folder | None:
    return Folder(Path(here), reported_as) if here else None


def _bucket(settings: "BucketSettings") -> Store:
    from recordings.vault.bucket import BucketAddress, BucketStore  # who has no bucket need not load its client

    address = BucketAddress(
        settings.name,
        settings.endpoint,
        settings.region,
        settings.prefix,
        settings.access_key,
        settings.secret_key.get_secret_value(),
    )
    return BucketStore(address)
