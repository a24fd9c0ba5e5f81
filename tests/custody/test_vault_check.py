"""What `callcrm check` and `callcrm vault-key` say of the vault."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from callcrm.cli import app
from callcrm.settings import PbxSettings, Settings
from callcrm.vaultcheck import findings
from callcrm.vaultsettings import VaultSettings
from recordings.vault import KeyRing
from tests.s3 import ACCESS, BUCKET, SECRET, S3Server, s3_server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


async def said(tmp_path: Path, **vault: Any) -> list[tuple[str, str]]:
    folders = {"folder": str(tmp_path / "kept"), "work": str(tmp_path / "work")}
    pbx = {"office": PbxSettings(host="pbx", username="x")}
    settings = Settings(pbx=pbx, vault=VaultSettings(**folders, **vault))
    return [(found.grade, found.words) async for found in findings(settings)]


async def test_the_check_tries_the_store_and_whoever_gives_files(tmp_path: Path, s3: S3Server) -> None:
    assert await said(tmp_path) == [("ok", "recordings stay in the PBX's folder")]
    key = CliRunner().invoke(app, ["vault-key"]).output.strip()
    assert KeyRing.of([key]).current
    (ok,) = await said(tmp_path, store="folder", key=key)
    assert ok == ("ok", f"{tmp_path / 'kept'} takes and gives files")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == []
    where = {"name": BUCKET, "endpoint": s3.address.endpoint, "access_key": ACCESS}
    bucket = await said(tmp_path, store="bucket", bucket={**where, "secret_key": SECRET})
    assert [grade for grade, _ in bucket] == ["ok", "hint"]
    ((grade, words), *_) = await said(tmp_path, store="bucket", bucket={**where, "secret_key": "wrong"})
    assert (grade, "lets us not in" in words) == ("MEND", True)
    fetch = {"office": {"url": "http://127.0.0.1:1/monitor", "timeout_s": 1}}
    assert [grade for grade, _ in await said(tmp_path, fetch=fetch)] == ["ok", "MEND"]


@pytest.mark.parametrize(
    ("vault", "words"),
    [
        ({"store": "bucket"}, "name the bucket"),
        ({"originals": "remove"}, "no recording left"),
        ({"key": "short"}, "32 random bytes"),
        ({"fetch": {"office": {"url": "ftp://host/x"}}}, "no address of recordings"),
        ({"fetch": {"office": {"url": "sftp://user:password@host/x"}}}, "without a password"),
        ({"bucket": {"endpoint": "s3.host"}}, "write one such as"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_in_words(vault: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        VaultSettings(**vault)


def test_a_pbx_is_mounted_or_fetched_but_not_both() -> None:
    fetch = {"office": {"url": "https://host/x"}}
    with pytest.raises(ValidationError, match="take one of them away"):
        Settings(pbx={"office": PbxSettings(host="pbx", username="x", recordings="/x")}, vault={"fetch": fetch})
    with pytest.raises(ValidationError, match="names no PBX"):
        Settings(vault={"fetch": fetch})
