"""A person's file holds everything of him and nothing of others; erased, he is nowhere, and a certificate says so."""

import hashlib
import json
import zipfile
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, cast, insert, select, update

from callcrm.calls.tables import CallRow, LegRow
from callcrm.custody import erasing, holds, personfile
from callcrm.custody.erasing import Erasing
from callcrm.custody.holdings import HOLDINGS, NOTHING
from callcrm.custody.law_tables import Deletion, Erasure, PersonFile
from callcrm.custody.opening import Opener
from callcrm.custody.personfile import Packing
from callcrm.custody.places import Places
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed
from callcrm.kernel.writer import Unit
from callcrm.quality import disputes, evaluations, forms
from callcrm.quality.sampling_tables import SampledCall
from callcrm.quality.scorable import Subject
from callcrm.quality.scoring import Answer
from callcrm.quality.tables import Evaluation, EvaluationEvent
from callcrm.tables import metadata
from recordings import Folder
from tests.custody.conftest import Office
from tests.people import ADAM, OLGA, VERA
from tests.quality.forms import SALES, best
from tests.webui import office

#: What stands in Marina's rows and in nobody else's.
TRACES = ("Марина", "Коваленко", "79161234567", "instalments")


def test_every_table_is_known_to_hold_data_of_persons_or_not() -> None:
    assert sorted(metadata.tables.keys() - HOLDINGS.keys() - NOTHING.keys()) == [], "say in holdings.py what they hold"
    assert sorted((HOLDINGS.keys() | NOTHING.keys()) - metadata.tables.keys()) == []
    assert HOLDINGS.keys().isdisjoint(NOTHING)
    for name, holding in HOLDINGS.items():
        columns = metadata.tables[name].columns.keys()
        named = {*holding.found, *holding.blank, *holding.hidden, *holding.only, *holding.inside}
        assert named <= set(columns), f"{name}: {named - set(columns)}"
        assert holding.erase != "keep" or holding.why, name


@pytest.fixture
async def marina(house: Office, tmp_path: Path) -> int:
    """A client with calls, a recording, notes and tasks, among others."""
    clients = await office.fill(house.writer, tmp_path / "monitor")
    await house.writer.do(partial(_strangers, client=clients["marina"]), name="strangers")
    return clients["marina"]


async def _strangers(unit: Any, client: int) -> None:
    """The calls that tests make by hand all come from Marina's line: let others' come from theirs."""
    others = select(CallRow.id).where(CallRow.client_id.is_distinct_from(client))
    theirs = LegRow.call_id.in_(others) & (LegRow.side != "operator")
    await unit.db.execute(update(LegRow).where(theirs).values(who="anonymous"))


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    return Opener(Places({"office": Folder(tmp_path / "monitor")}))


async def everywhere(house: Office, words: str) -> set[str]:
    """The tables in which a word stands anywhere."""
    found = set()
    async with house.database.read() as db:
        for name, one in metadata.tables.items():
            for column in one.columns:
                if column.type.python_type is not bytes:
                    said = cast(column, String).like(f"%{words}%")
                    if (await db.execute(select(column).where(said).limit(1))).first() is not None:
                        found.add(name)
    return found


async def packed(house: Office, opener: Opener, folder: Path, client: int) -> dict[str, Any]:
    """The row of a person file that was asked for and packed."""
    ask = partial(personfile.ask, actor=VERA, client_id=client, reason="Request of 3 May")
    await house.writer.do(ask, name="ask")
    assert await Packing(house.database, house.writer, opener, folder, 7).run_once() == 1
    (row,) = await house.rows(PersonFile)
    return row


async def test_the_file_holds_everything_of_the_person_and_nothing_of_others(
    house: Office, marina: int, opener: Opener, tmp_path: Path
) -> None:
    row = await packed(house, opener, tmp_path / "files", marina)
    assert (row["state"], row["words"]) == ("ready", "")
    path = tmp_path / "files" / row["file"]
    assert path.stat().st_mode & 0o077 == 0
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
        data = json.loads(file.read("data.json"))
        sums = dict(reversed(line.split("  ")) for line in file.read("SHA256SUMS").decode().splitlines())
        assert {name: hashlib.sha256(file.read(name)).hexdigest() for name in names if name != "SHA256SUMS"} == sums
        readme = file.read("README.txt").decode()
        calls = file.read("calls.csv").decode()
    assert data["clients"][0]["name"] == "Марина Коваленко"
    assert {one["id"] for one in data["calls"]} >= {"talked", "moved", "unheard"}
    assert "instalments" in json.dumps(data["call_notes"])
    assert [one["title"] for one in data["tasks"]] == ["Send the new price list"]
    assert [name for name in names if name.startswith("sound/")] and "Request of 3 May" in readme
    assert "Budi" not in json.dumps(data, ensure_ascii=False) and "+79161234567" in calls


async def test_a_file_whose_days_are_over_is_deleted(
    house: Office, marina: int, opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await packed(house, opener, tmp_path / "files", marina)
    later = clock.now() + timedelta(days=8)
    monkeypatch.setattr(clock, "now", lambda: later)
    await Packing(house.database, house.writer, opener, tmp_path / "files", 7).run_once()
    (row,) = await house.rows(PersonFile)
    assert row["state"] == "gone" and list((tmp_path / "files").iterdir()) == []


async def erased(house: Office, opener: Opener, client: int) -> dict[str, Any]:
    """The row of an erasure that was asked for and done."""
    ask = partial(erasing.ask, actor=ADAM, client_id=client, reason="Request of 3 May")
    await house.writer.do(ask, name="ask")
    await Erasing(house.database, house.writer, opener, 7, "1.0").run_once()
    return (await house.rows(Erasure))[-1]


async def test_an_erased_person_stands_nowhere_and_the_certificate_says_what_was_kept(
    house: Office, marina: int, opener: Opener, tmp_path: Path
) -> None:
    before = {words: await everywhere(house, words) for words in TRACES}
    assert before["Коваленко"] >= {"clients"}
    assert "calls" in before["79161234567"] and "call_notes" in before["instalments"]
    row = await erased(house, opener, marina)
    assert (row["state"], row["words"]) == ("done", "")
    assert {words: await everywhere(house, words) for words in TRACES} == {words: set() for words in TRACES}
    assert not (tmp_path / "monitor" / "talk.wav").exists()
    certificate = row["certificate"]
    assert hashlib.sha256(erasing.text_of(certificate).encode()).hexdigest() == row["sha256"]
    assert certificate["sounds"]["deleted"] == 1
    assert {one["what"] for one in certificate["erased"]} >= {
        "clients",
        "client_numbers",
        "calls",
        "call_notes",
        "tasks",
    }
    assert all(one["why"] for one in certificate["kept"]) and certificate["kept"]
    assert "Марина" not in json.dumps(certificate, ensure_ascii=False)
    assert await everywhere(house, "Budi") >= {"clients"}
    assert {one["why"] for one in await house.rows(Deletion)} == {"erasure"}


async def test_what_was_written_with_a_score_goes_and_the_score_stays(
    house: Office, marina: int, opener: Opener
) -> None:
    await house.writer.do(_score, name="score")
    assert await everywhere(house, "Марина") >= {"evaluations", "evaluation_events", "disputes", "sampled_calls"}
    (before,) = await house.rows(Evaluation)
    certificate = (await erased(house, opener, marina))["certificate"]
    assert await everywhere(house, "Марина") == set()
    (after,) = await house.rows(Evaluation)
    same = ("score", "compliance", "band", "state", "subject_id", "released_at")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert {key: one["value"] for key, one in after["answers"].items()} == {
        key: one["value"] for key, one in before["answers"].items()
    }
    assert after["answers"]["hold"] == {"value": "no", "comment": "", "at_s": 12.5}
    assert [row["act"] for row in await house.rows(EvaluationEvent)][-2:] == ["disputed", "emptied"]
    told = {one["what"]: one for one in certificate["erased"]}
    assert told["evaluations"]["how"] == "emptied: comment, comment in answers" and told["disputes"]["why"]


async def _score(unit: Unit) -> None:
    """Olga's call with Marina scored, disputed, and passed over in a draw, each in words that name the client."""
    form_id = await forms.add(unit, VERA, "Sales", SALES)
    await forms.publish(unit, VERA, form_id, 1)
    given = best(SALES) | {"hold": Answer("no", "Марина waited", 12.5)}
    subject = Subject("talked", OLGA.user_id, form_id, 1)
    saved = await evaluations.save(unit, VERA, subject, given, "Марина was told the price twice.")
    await evaluations.submit(unit, VERA, saved.id, version=1)
    await disputes.dispute(unit, OLGA, saved.id, "Марина asked me to wait.", ["hold"])
    began = (await unit.db.execute(select(CallRow.began).where(CallRow.id == "talked"))).scalar_one()
    row = {"draw_id": 1, "week": "2026-11-16", "operator_id": 8, "began": began, "call_id": "talked", "by": "lot"}
    row |= {"place": 1, "of": 3, "ticket": "0a", "state": "skipped", "reason": "Марина is a friend"}
    await unit.db.execute(insert(SampledCall), row)


async def test_a_hold_forbids_it_also_when_it_comes_after_the_wish(house: Office, marina: int, opener: Opener) -> None:
    hold = partial(holds.place, actor=ADAM, what="call", which="talked", reason="Court case 12")
    await house.writer.do(partial(erasing.ask, actor=ADAM, client_id=marina, reason="Request"), name="ask")
    hold_id = await house.writer.do(hold, name="hold")
    await Erasing(house.database, house.writer, opener, 7, "1.0").run_once()
    (row,) = await house.rows(Erasure)
    assert (row["state"], row["words"]) == ("refused", "A legal hold forbids it: Court case 12")
    assert "clients" in await everywhere(house, "Коваленко")
    with pytest.raises(Conflict, match="Court case 12"):
        await house.writer.do(partial(erasing.ask, actor=ADAM, client_id=marina, reason="Request"), name="ask")
    await house.writer.do(partial(holds.lift, actor=ADAM, hold_id=hold_id, why="Settled"), name="lift")
    assert (await erased(house, opener, marina))["state"] == "done"


async def test_only_who_may_asks_and_says_why(house: Office, marina: int) -> None:
    for work in (
        partial(erasing.ask, actor=VERA, client_id=marina, reason="Request"),
        partial(personfile.ask, actor=OLGA, client_id=marina, reason="Request"),
    ):
        with pytest.raises(NotAllowed):
            await house.writer.do(work, name="ask")
    for work in (
        partial(erasing.ask, actor=ADAM, client_id=marina, reason=" "),
        partial(personfile.ask, actor=VERA, client_id=marina, reason=" "),
    ):
        with pytest.raises(Invalid):
            await house.writer.do(work, name="ask")
