"""What `callcrm check` says of the vault: whether its store takes and gives files, and PBXes let us fetch theirs."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from callcrm.custody.fetching import sources_of
from callcrm.custody.places import Places
from callcrm.settings import Settings
from recordings.vault import VaultError

#: A name that no PBX gives: it is asked for only to see whether one is let in.
_TRIAL = ".callcrm-trial"


class Found(NamedTuple):
    """How much it matters (as `check.Grade` names it), what it is about, and the words with the mend."""

    grade: Literal["ok", "hint", "MEND"]
    subject: str
    words: str


async def findings(settings: Settings) -> AsyncIterator[Found]:
    """The vault, then each PBX whose files are fetched."""
    yield await _store(settings)
    if settings.vault.store and not settings.vault.key.get_secret_value():
        yield Found("hint", "vault", "what is stored is not encrypted; `callcrm vault-key` makes a key for vault.key")
    for name, source in sources_of(settings.vault).items():
        subject = f"recordings of {name}"
        try:
            with TemporaryDirectory() as folder:
                await source.fetch(_TRIAL, Path(folder) / "trial")
            yield Found("ok", subject, f"{settings.vault.fetched[name].url} lets us in")
        except VaultError as error:
            yield Found("MEND", subject, str(error))
        finally:
            await source.close()


async def _store(settings: Settings) -> Found:
    if not settings.vault.store:
        return Found("ok", "vault", "recordings stay in the PBX's folder")
    places = Places.of(settings)
    store = places.store(places.current)
    try:
        await store.probe()
    except VaultError as error:
        return Found("MEND", "vault", str(error))
    return Found("ok", "vault", f"{store.place} takes and gives files")
