"""The settings of the vault: where recordings are kept, as what, and how they are brought without a mount."""

from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

if TYPE_CHECKING:
    from recordings.vault import KeyRing

SCHEMES = ("sftp", "http", "https")


def _source(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in SCHEMES or not parts.hostname or parts.query or parts.fragment or parts.password):
        raise ValueError(
            f"{text!r} is no address of recordings: write sftp://user@host/folder or https://host/folder, "
            "without a password, which has its own key"
        )
    return text.rstrip("/")


class _Section(BaseModel):
    """One table of the file: it takes no unknown key and is not changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FetchSettings(_Section):
    """How one PBX's recordings are brought here when its folder is not mounted."""

    url: Annotated[str, AfterValidator(_source)] = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    key_file: str = ""
    host_key: str = ""
    tls_ca: str = ""
    timeout_s: float = Field(default=30, gt=0, le=600)


class BucketSettings(_Section):
    """An S3-compatible bucket; `endpoint` empty is AWS."""

    name: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    prefix: str = ""
    access_key: str = ""
    secret_key: SecretStr = SecretStr("")


class VaultSettings(_Section):
    """What becomes of a finished recording."""

    store: Literal["", "folder", "bucket"] = ""
    folder: str = "data/recordings"
    work: str = "data/work"
    form: Literal["as it is", "flac", "opus"] = "as it is"
    originals: Literal["keep", "remove"] = "keep"
    settle_s: float = Field(default=60, ge=0, le=24 * 3600)
    verify_days: float = Field(default=30, ge=0, le=3660)
    key: SecretStr = SecretStr("")
    old_keys: tuple[SecretStr, ...] = ()
    strays_h: float = Field(default=6, ge=0, le=24 * 30)
    link_strays: bool = False
    bucket: BucketSettings = BucketSettings()
    fetch: dict[str, FetchSettings] = {}

    @model_validator(mode="after")
    def _complete(self) -> "VaultSettings":
        if self.store == "bucket" and not self.bucket.name:
            raise ValueError("vault.store is bucket, and vault.bucket.name is not set: name the bucket")
        if self.originals == "remove" and not self.store:
            raise ValueError("vault.originals is remove, and vault.store is not set: there would be no recording left")
        if self.bucket.endpoint and urlsplit(self.bucket.endpoint).scheme not in ("http", "https"):
            raise ValueError(f"vault.bucket.endpoint is {self.bucket.endpoint!r}: write one such as https://s3.host")
        if self.key.get_secret_value() or self.old_keys:
            self.ring()
        return self

    @property
    def fetched(self) -> dict[str, FetchSettings]:
        """The PBXes whose files are fetched, by name."""
        return {name: one for name, one in self.fetch.items() if one.url}

    def ring(self) -> "KeyRing":
        """The keys of encryption, the current one first; without `key` nothing new is encrypted."""
        from recordings.vault.sealing import KeyRing

        old = [key.get_secret_value() for key in self.old_keys]
        current = self.key.get_secret_value()
        ring = KeyRing.of([current, *old] if current else old)
        return ring if current else KeyRing(ring.keys)
