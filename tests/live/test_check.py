"""`callcrm check` against a real Asterisk: what is there is told, what lacks is named with its mend."""

from pathlib import Path

import pytest

from callcrm.check import Finding, Grade, check
from callcrm.kernel.database import Database
from tests.pbx.instance import Instance


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CALLCRM_CONFIG", raising=False)


async def findings(folder: Path, asterisk: Instance, **changes: str) -> dict[str, list[Finding]]:
    database = await Database.open(f"sqlite:///{folder / 'desk.db'}")
    await database.close()
    values = {"host": asterisk.host, "port": str(asterisk.ami_port), "username": "callcrm", "secret": "callcrm-secret"}
    values |= {"recordings": str(asterisk.recordings), **changes}
    lines = [f"{key} = {value if key == 'port' else repr(value)}" for key, value in values.items()]
    file = folder / "callcrm.toml"
    file.write_text(f'[database]\nurl = "sqlite:///{folder / "desk.db"}"\n[pbx.office]\n' + "\n".join(lines) + "\n")
    found: dict[str, list[Finding]] = {}
    async for finding in check(file):
        found.setdefault(finding.subject, []).append(finding)
    return found


async def test_a_pbx_that_is_set_up_as_told_is_found_well(asterisk: Instance, tmp_path: Path) -> None:
    found = await findings(tmp_path, asterisk)
    assert {finding.grade for finding in found["PBX office"]} == {Grade.OK}, [*map(str, found["PBX office"])]
    said = " ".join(map(str, found["PBX office"]))
    assert "Asterisk 22." in said
    assert "sales" in said
    assert "channelvars tells" in said
    assert "CDRs are told" in said
    assert [finding.grade for finding in found["recordings of office"]] == [Grade.OK]
    assert [finding.grade for finding in found["accounts"]] == [Grade.MEND]


async def test_a_wrong_password_is_one_line_with_the_mend(asterisk: Instance, tmp_path: Path) -> None:
    found = await findings(tmp_path, asterisk, secret="wrong")
    assert [finding.grade for finding in found["PBX office"]] == [Grade.MEND]
    assert "callcrm" in found["PBX office"][0].words


async def test_a_user_that_sees_no_calls_is_told_what_to_add(asterisk: Instance, tmp_path: Path) -> None:
    found = await findings(tmp_path, asterisk, username="blind", secret="blind-secret")
    said = " ".join(str(finding) for finding in found["PBX office"] if not finding.well)
    assert "write=originate" in said
    assert "add call to read=" in said


async def test_a_folder_that_is_not_there_is_told(asterisk: Instance, tmp_path: Path) -> None:
    found = await findings(tmp_path, asterisk, recordings="/nowhere/monitor")
    assert [finding.grade for finding in found["recordings of office"]] == [Grade.MEND]


async def test_a_pbx_that_is_not_there_is_told(asterisk: Instance, tmp_path: Path) -> None:
    found = await findings(tmp_path, asterisk, port="1")
    assert [finding.grade for finding in found["PBX office"]] == [Grade.MEND]
