"""Clients in and out of files: nothing is doubled, nothing hostile is run, what is wrong is told by its line."""

from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

from callcrm.accounts.policy import Actor
from callcrm.clients import consents, sheets
from callcrm.clients.exchange import export_clients, import_clients
from callcrm.clients.tables import Client, ClientMail, ClientNumber, Organisation
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Writer

ADMIN = Actor(0, "command", "admin", via="command")
BOOK = """name;phone;company;tags
Анна Орлова;8 916 123-45-67;ООО Ромашка;vip, new
=HYPERLINK("http://evil");+44 20 7946 0958;;
Nobody;not a number;;
"""


async def count(database: Database, table: type[Client] | type[ClientNumber] | type[Organisation]) -> int:
    async with database.read() as db:
        return int(await db.scalar(select(func.count()).select_from(table)) or 0)


async def test_a_file_opens_cards_and_tells_the_lines_it_could_not_take(
    database: Database, writer: Writer, tmp_path: Path
) -> None:
    (tmp_path / "book.csv").write_text(BOOK)
    report = await import_clients(writer, tmp_path / "book.csv", actor=ADMIN, country="RU")
    assert (report.added, report.completed, report.known) == (2, 0, 0)
    assert [line for line, _ in report.refused] == [4]
    async with database.read() as db:
        numbers = set(await db.scalars(select(ClientNumber.e164)))
    assert numbers == {"+79161234567", "+442079460958"}
    assert await count(database, Organisation) == 1


async def test_the_same_file_twice_changes_nothing(database: Database, writer: Writer, tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text(BOOK)
    await import_clients(writer, tmp_path / "book.csv", actor=ADMIN, country="RU")
    again = await import_clients(writer, tmp_path / "book.csv", actor=ADMIN, country="RU")
    assert (again.added, again.completed, again.known) == (0, 0, 2)
    assert await count(database, Client) == 2


async def test_a_known_client_gets_what_his_card_lacked(database: Database, writer: Writer, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("name,phone\nAnna,+79161234567\n")
    (tmp_path / "two.csv").write_text('name,phone,email\nOther,"+79161234567, +79262345678",a@example.com\n')
    await import_clients(writer, tmp_path / "one.csv", actor=ADMIN)
    report = await import_clients(writer, tmp_path / "two.csv", actor=ADMIN)
    assert report.completed == 1
    async with database.read() as db:
        card = (await db.execute(select(Client.name, ClientMail.address).join(ClientMail))).one()
    assert tuple(card) == ("Anna", "a@example.com")
    assert await count(database, ClientNumber) == 2


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_what_goes_out_comes_in_again(database: Database, writer: Writer, tmp_path: Path, kind: str) -> None:
    (tmp_path / "book.csv").write_text(BOOK)
    await import_clients(writer, tmp_path / "book.csv", actor=ADMIN, country="RU")
    out = tmp_path / f"out.{kind}"
    assert await export_clients(database, writer, out, actor=ADMIN) == 2
    report = await import_clients(writer, out, actor=ADMIN)
    assert (report.added, report.known, report.refused) == (0, 2, [])
    async with database.read() as db:
        assert await db.scalar(select(func.count()).select_from(Audit).where(Audit.act == "export")) == 1


async def test_consents_and_do_not_call_go_out_and_come_in(database: Database, writer: Writer, tmp_path: Path) -> None:
    """What was taken back goes out too, ends what holds where it comes in, and opens nothing by itself."""
    purposes = ["Offers by phone", "Offers by mail"]
    book, out, back = (tmp_path / name for name in ("book.csv", "out.csv", "back.csv"))
    book.write_text(
        "name;phone;do not call;consents\n"
        'Anna;+79161234567;yes;"Offers by phone | 05.01.2026 | on the call\nOffers by mail"\n'
        "Bob;+79161234568;;Selling him\nEve;+79161234569;;Offers by mail | soon\n"
    )
    taken = {"actor": ADMIN, "country": "RU", "purposes": purposes}
    report = await import_clients(writer, book, **taken)
    assert (report.added, [line for line, _ in report.refused]) == (1, [3, 4])
    assert "is no moment of a consent" in report.refused[1][1]
    anna = 1
    (mail,) = [one.id for one in await held(database, anna) if one.purpose == "Offers by mail"]
    assert await export_clients(database, writer, out, actor=ADMIN) == 1
    told = out.read_text()
    assert "Offers by phone | 2026-01-05T00:00:00+00:00 | on the call" in told and ",yes," in told
    assert (await import_clients(writer, out, **taken)).known == 1
    await writer.do(lambda unit: consents.withdraw(unit, ADMIN, anna, mail, "by letter"), name="withdraw")
    await export_clients(database, writer, back, actor=ADMIN)
    assert "by letter" in back.read_text()
    assert (await import_clients(writer, back, **taken)).known == 1
    assert (await import_clients(writer, out, **taken)).completed == 1, "he agreed once more"
    ended = (
        "Offers by phone | 2026-01-01 | | 2026-02-01 | by mail\nOffers by mail | 2026-01-01 | | 2026-02-01 | by mail"
    )
    back.write_text(f'name,phone,consents\nAnna,+79161234567,"{ended}"\n')
    assert (await import_clients(writer, back, **taken)).completed == 1
    assert [one.purpose for one in await held(database, anna) if one.holds] == ["Offers by mail"]


async def held(database: Database, client: int) -> tuple[consents.ConsentLine, ...]:
    async with database.read() as db:
        return await consents.of(db, client)


async def test_no_cell_of_an_export_is_a_formula(database: Database, writer: Writer, tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text(BOOK)
    await import_clients(writer, tmp_path / "book.csv", actor=ADMIN, country="RU")
    await export_clients(database, writer, tmp_path / "out.csv", actor=ADMIN)
    assert "'=HYPERLINK" in (tmp_path / "out.csv").read_text()
    await export_clients(database, writer, tmp_path / "out.xlsx", actor=ADMIN)
    book = CalamineWorkbook.from_path(str(tmp_path / "out.xlsx"))
    assert book.get_sheet_by_index(0).to_python()[2][0] == '=HYPERLINK("http://evil")'


def test_only_what_a_spreadsheet_would_run_is_guarded() -> None:
    assert sheets.guarded("+79161234567") == "+79161234567"
    assert sheets.guarded("+79161234567, +79262345678") == "+79161234567, +79262345678"
    for bad in ("=1+1", "+1+1", "-2", "@SUM(A1)", "\t=1"):
        assert sheets.guarded(bad) == f"'{bad}"


async def test_a_sheet_of_numbers_keeps_them_whole(writer: Writer, tmp_path: Path, database: Database) -> None:
    with sheets.written(tmp_path / "n.xlsx") as sheet:
        sheet.row(["name", "phone"])
        sheet.row(["Anna", "79161234567.0"])
    assert sheets._plain(79161234567.0) == "79161234567"
    assert next(iter(sheets.read(tmp_path / "n.xlsx"))) == ["name", "phone"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"name\n", "neither"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"colour\nred\n", "no column"),
        ("a.xlsx", b"PK\x03\x04rubbish", "no workbook"),
        ("a.csv", b'name\n"' + b"x" * 200_000 + b'"\n', "no CSV"),
    ],
)
async def test_a_bad_file_is_refused_in_a_sentence(
    writer: Writer, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=words):
        await import_clients(writer, tmp_path / name, actor=ADMIN)
