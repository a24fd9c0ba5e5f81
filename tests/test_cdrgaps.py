"""The calls that a CDR has and the log has not: whole ones only, and none that the log knows under another name."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from callcrm.calls import service
from callcrm.calls.call import Call, Change
from callcrm.calls.model import call_id
from callcrm.calls.rows import Context, site
from callcrm.calls.tables import CallRow
from callcrm.cdrgaps import Missing, missing
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.writer import Writer
from callcrm.reconciling import reconcile
from callcrm.settings import PbxSettings, Settings
from callcrm.tasks.tables import Task
from callcrm.telephony.cdrsource import CdrSource
from tests.calls import cdr_rows
from tests.calls.cdr_rows import row
from tests.telephony.test_cdrsource import CUSTOM, written_rows
from tests.test_daemon import settings

SINCE = datetime(2026, 11, 21, tzinfo=UTC)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PBX = PbxSettings(host="pbx", username="callcrm", trunks="PJSIP/trunk", operators=r"PJSIP/1\d\d")


async def look(
    database: Database, folder: Path, rows: Sequence[dict[str, Any]], *, since: datetime = SINCE, now: datetime = NOON
) -> Missing:
    file = written_rows(folder / "Master.csv", [*CUSTOM, "linkedid"], rows)
    return await missing(database, CdrSource("office", str(file), zone=UTC), PBX, since, now)


async def store(writer: Writer, *calls: Call) -> None:
    changes = [Change("call.ended", call, call.ended_at or 0.0) for call in calls]
    await writer.do(lambda unit: service.record(unit, changes, Context({"office": site("RU")})), name="calls")


def made(*rows: dict[str, Any]) -> Call:
    (call,) = cdr_rows.calls(rows, pbx="office")
    return call


async def test_what_the_log_has_is_not_missing(database: Database, writer: Writer, tmp_path: Path) -> None:
    other = row(uniqueid="1795251700.9", linkedid="1795251700.9", calldate="2026-11-21 09:01:40")
    assert [one.uniqueid for one in (await look(database, tmp_path, [row(), other])).calls] == [
        "1795251600.1",
        "1795251700.9",
    ]
    await store(writer, made(row()))
    assert [one.uniqueid for one in (await look(database, tmp_path, [row(), other])).calls] == ["1795251700.9"]


async def test_a_call_under_another_first_channel_is_not_doubled(
    database: Database, writer: Writer, tmp_path: Path
) -> None:
    """The PBX says now that the conversation began with another channel; one of its legs is in the log."""
    filed = call_id("office", "1795251580.3")
    await store(writer, dataclasses.replace(made(row()), id=filed, uniqueid="1795251580.3"))
    moved = [row(linkedid="1795251590.7"), row(uniqueid="1795251590.7", linkedid="1795251590.7", channel="PJSIP/102-9")]
    assert (await look(database, tmp_path, moved)).calls == []
    async with database.transaction() as db:
        await db.execute(update(CallRow).values(pbx="elsewhere"))
    assert len((await look(database, tmp_path, moved)).calls) == 1


async def test_what_goes_on_and_what_was_before_is_left_alone(database: Database, tmp_path: Path) -> None:
    part = row(uniqueid="1795251601.4", linkedid="1795251600.1", channel="PJSIP/102-00000005")
    found = await look(database, tmp_path, [part])
    assert (list(found.calls), found.going_on) == ([], 1)
    just = datetime(2026, 11, 21, 9, 0, 27, tzinfo=UTC)
    assert (await look(database, tmp_path, [row()], now=just)).going_on == 1
    assert len((await look(database, tmp_path, [part], now=NOON + timedelta(days=2))).calls) == 1
    assert (await look(database, tmp_path, [row()], since=NOON)).told == 0


async def test_a_call_whose_end_nobody_heard_has_it_from_the_cdr_and_another_is_left_alone(
    database: Database, writer: Writer, tmp_path: Path
) -> None:
    """Without its length it stands as missed, and somebody would call back who was served."""
    call = made(row())
    endless = dataclasses.replace(call, total_s=None, answered_by=(), talks=(), outcome="missed", missed=True)
    await store(writer, dataclasses.replace(endless, id=call_id("office", "1795251580.3"), uniqueid="1795251580.3"))
    assert (await look(database, tmp_path, [row()])).calls == []
    await store(writer, endless)
    (found,) = (await look(database, tmp_path, [row()])).calls
    assert (found.id, found.outcome, found.missed) == (call.id, "answered", False)
    await store(writer, found)
    assert (await look(database, tmp_path, [row()])).calls == []
    async with database.transaction() as db:
        await db.execute(update(CallRow).where(CallRow.id == call.id).values(state="talking", total_s=None))
    assert (await look(database, tmp_path, [row()])).calls == []


async def test_a_thousand_calls_are_looked_up_in_batches(database: Database, writer: Writer, tmp_path: Path) -> None:
    rows = [row(uniqueid=f"17952516{n % 60:02}.{n}", linkedid="", channel=f"PJSIP/trunk-{n:08x}") for n in range(1000)]
    rows = [{**one, "dstchannel": f"PJSIP/101-{n + 2000:08x}"} for n, one in enumerate(rows)]
    calls = cdr_rows.calls(rows, pbx="office")
    await store(writer, *calls[:500])
    assert [one.id for one in (await look(database, tmp_path, rows)).calls] == [one.id for one in calls[500:]]


# ---- the command -----------------------------------------------------------------------------


def with_cdr(folder: Path, cdr: Path) -> Settings:
    site = settings(folder)
    office = site.pbx["office"].model_copy(update={"cdr": str(cdr), "cdr_timezone": "UTC"})
    return site.model_copy(update={"pbx": {"office": office}})


async def test_the_command_opens_callbacks_of_whom_nobody_called_back_and_twice_is_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missed = {"disposition": "NO ANSWER", "billsec": 0, "linkedid": ""}
    back = {"channel": "PJSIP/101-00000009", "dstchannel": "PJSIP/trunk-0000000a", "dst": "79031112233", "linkedid": ""}
    rows = [
        row(**missed),
        row(
            **missed,
            uniqueid="1795251700.5",
            calldate="2026-11-21 09:01:40",
            src="79031112233",
            channel="PJSIP/trunk-5",
        ),
        row(**back, uniqueid="1795252200.8", calldate="2026-11-21 09:10:00", lastdata="PJSIP/79031112233@trunk"),
    ]
    site = with_cdr(tmp_path, written_rows(tmp_path / "Master.csv", CUSTOM, rows))
    await reconcile(site, pbx="office", since="2026-11-21")
    said = capsys.readouterr().out
    assert "2026-11-21 09:00:00 inbound 79161234567 to 74950000101: missed (from the CDR)" in said
    assert (
        "3 rows of the CDR since 2026-11-21 00:00 UTC tell of 3 calls; 3 more were missing and are now there." in said
    )
    first = await everything(site)
    tasks = {one["number"]: (one["state"], one["closed_why"], one["attempts"]) for one in first[1]}
    assert tasks == {"+79161234567": ("open", None, 1)}
    await reconcile(site, pbx="office", since="2026-11-21")
    assert "0 more were missing and are now there" in capsys.readouterr().out
    assert await everything(site) == first


async def everything(site: Settings) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    database = await Database.open(site.database.url)
    async with database.read() as db:
        calls = (await db.execute(select(CallRow.__table__).order_by(CallRow.at))).mappings().all()
        tasks = (await db.execute(select(Task.__table__).order_by(Task.id))).mappings().all()
    await database.close()
    return [dict(one) for one in calls], [dict(one) for one in tasks]


async def test_a_cdr_that_cannot_be_read_is_told_after_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CallcrmError, match=r"office: .*Master\.csv is not there"):
        await reconcile(with_cdr(tmp_path, tmp_path / "Master.csv"), pbx="", since="2026-11-21")
    assert "0 events since 2026-11-21 00:00 UTC tell of 0 calls" in capsys.readouterr().out
