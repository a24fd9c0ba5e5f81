"""What was called while the daemon was down is in the log after a reconciliation with a real Asterisk's CDR, once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callcrm.calls.tables import CallOperator, CallRow, Pop
from callcrm.check import Finding
from callcrm.reconciling import reconcile
from callcrm.settings import Settings
from tests.live import desk as desks
from tests.live.desk import Desk, opened_desk
from tests.live.test_check import findings
from tests.pbx.instance import Instance
from tests.pbx.lab import Lab
from tests.pbx.scenarios import over

MISSED, TALKED, SEEN = "79161234567", "79031112233", "79262223344"
SOURCES = {"csv": "{folder}/log/cdr-csv/Master.csv", "sqlite": "sqlite:///{folder}/log/master.db"}


def place(asterisk: Instance, kind: str) -> str:
    return SOURCES[kind].format(folder=asterisk.folder)


async def talk(lab: Lab, caller: str, *, to: str = "74950000001") -> None:
    """A client rings operator 101 for two seconds, and they talk for two."""
    (phone,) = await lab.operators("101")
    client = await lab.trunk.call(to, caller=caller)
    own = await phone.incoming()
    await asyncio.sleep(2.0)
    own.answer()
    await client.talking()
    await asyncio.sleep(2.0)
    client.hang_up()
    await over(own)


async def give_up(lab: Lab, caller: str) -> None:
    """A client waits in the queue while 101 rings, and leaves."""
    (phone,) = await lab.operators("101")
    client = await lab.trunk.call("74950000001", caller=caller)
    own = await phone.incoming()
    await asyncio.sleep(2.0)
    client.hang_up()
    await over(own)


async def call_out(lab: Lab) -> None:
    """Operator 101 calls a client, who answers."""
    (phone,) = await lab.operators("101")
    own = await phone.call(TALKED)
    client = await lab.trunk.incoming()
    await asyncio.sleep(2.0)
    client.answer()
    await own.talking()
    await asyncio.sleep(1.0)
    own.hang_up()
    await over(client)


async def calls(desk: Desk) -> list[dict[str, Any]]:
    return await desk.rows(select(CallRow.__table__).order_by(CallRow.at))


@pytest.mark.parametrize("kind", SOURCES)
async def test_calls_made_while_nobody_listened_are_there_once(
    asterisk: Instance,
    lab: Lab,
    tmp_path: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site = with_cdr(desks.settings(asterisk, tmp_path), place(asterisk, kind))
    monkeypatch.setattr(desks, "settings", lambda *_: site)
    async with opened_desk(asterisk, tmp_path) as desk:
        await talk(lab, SEEN)
        (seen,) = await desk.calls(1)
    since = seen["began"].isoformat()
    await give_up(lab, MISSED)
    await talk(lab, TALKED, to="74950000101")
    await call_out(lab)
    await asyncio.sleep(6.0)  # what ended a moment ago may still be written by the daemon
    await reconcile(site, pbx="lab", since=since)
    said = capsys.readouterr().out
    assert said.count("(from the CDR)") == 3, said
    assert "3 more were missing and are now there" in said
    async with opened_desk(asterisk, tmp_path) as desk:
        found = await calls(desk)
        assert found[0] == seen
        await _are_right(desk, found[1:])
        await reconcile(site, pbx="lab", since=since)
        assert await calls(desk) == found
    assert "0 more were missing and are now there" in capsys.readouterr().out


async def _are_right(desk: Desk, found: list[dict[str, Any]]) -> None:
    """The three of them, the callback of the missed one, and no pop of any."""
    fates = [(one["direction"], one["client_raw"], one["called"], one["outcome"], one["missed"]) for one in found]
    assert fates == [
        ("inbound", MISSED, "+74950000001", "missed", True),
        ("inbound", TALKED, "+74950000101", "answered", False),
        ("outbound", TALKED, f"+{TALKED}", "answered", False),
    ]
    assert [one["queue"] for one in found] == ["sales", None, None]
    assert [(one["rang"] and one["rang"][0]["operator"]) for one in found] == ["101", "101", []]
    assert found[1]["operator_id"] == found[2]["operator_id"] == desk.users["op101"]
    assert found[1]["talk_s"] == pytest.approx(2.0, abs=1.1)
    (task,) = await desk.tasks()
    assert (task["number"], task["state"], task["call_id"]) == (f"+{MISSED}", "open", found[0]["id"])
    assert task["created_at"] == found[0]["ended_at"] and task["due_at"] > task["created_at"]
    ids = [one["id"] for one in found]
    assert await desk.rows(select(Pop.id).where(Pop.call_id.in_(ids))) == []
    parts = await desk.rows(select(CallOperator.__table__).where(CallOperator.call_id.in_(ids)))
    assert {(one["extension"], one["user_id"]) for one in parts} == {("101", desk.users["op101"])}


def with_cdr(site: Settings, cdr: str) -> Settings:
    """The same settings with the PBX's records named."""
    lab = site.pbx["lab"].model_copy(update={"cdr": cdr, "cdr_timezone": "UTC"})
    return site.model_copy(update={"pbx": {"lab": lab}})


@pytest.mark.parametrize("kind", SOURCES)
async def test_check_reads_the_cdr(asterisk: Instance, lab: Lab, tmp_path: Path, kind: str) -> None:
    await give_up(lab, MISSED)
    await asyncio.sleep(0.5)
    found: dict[str, list[Finding]] = await findings(tmp_path, asterisk, cdr=place(asterisk, kind), cdr_timezone="UTC")
    (one,) = found["CDR of office"]
    assert one.well and "rows in the last day" in one.words and " 0 rows" not in one.words, one
    (wrong,) = (await findings(tmp_path, asterisk, cdr="/nowhere/Master.csv"))["CDR of office"]
    assert not wrong.well and "is not there" in wrong.words
