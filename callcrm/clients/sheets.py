"""Sheets: rows of cells from and to CSV and XLSX files. What a spreadsheet would run as a formula never leaves so.

A sheet's first row names its columns. Everything in a file is hostile: sizes are bounded, kinds are checked.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

from callcrm.kernel.errors import Invalid

KINDS = (".csv", ".xlsx")
MOST_ROWS = 1_000_000
MOST_BYTES = 500_000_000
CELL = 32_000
_RUNS = ("=", "+", "-", "@", "\t", "\r")
_PHONE = re.compile(r"\+\d{1,20}(, \+\d{1,20})*")


class Sheet(Protocol):
    """A sheet that is being written."""

    def row(self, cells: Sequence[str]) -> None: ...


def kind_of(path: Path) -> str:
    """The file's kind by its name; Invalid for one we do not know."""
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise Invalid(f"{path.name} is neither .csv nor .xlsx; save it as one of these.")
    return kind


def read(path: Path) -> Iterator[list[str]]:
    """The rows of a file as text, empty ones left out. Raises Invalid with what is wrong."""
    kind = kind_of(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Invalid(f"{path.name} is bigger than {MOST_BYTES // 1_000_000} MB; cut it into several files.")
        rows = _read_xlsx(path) if kind == ".xlsx" else _read_csv(path)
        for n, row in enumerate(rows):
            if n > MOST_ROWS:
                raise Invalid(f"{path.name} has more than {MOST_ROWS} rows; cut it into several files.")
            yield [_plain(cell) for cell in row]
    except OSError as error:
        raise Invalid(f"{path} cannot be read ({error.strerror or error}); give a file that exists.") from error


@contextmanager
def written(path: Path) -> Iterator[Sheet]:
    """A new sheet at `path`; it appears there only when the block ends well."""
    part = path.with_name(path.name + ".part")
    try:
        with _Xlsx(part) if kind_of(path) == ".xlsx" else _Csv(part) as sheet:
            yield sheet
        part.replace(path)
    except OSError as error:
        raise Invalid(f"{path} cannot be written ({error.strerror or error}); give another place.") from error
    finally:
        part.unlink(missing_ok=True)


def guarded(cell: str) -> str:
    """The cell as a spreadsheet may have it from a CSV: what it would run gets a quotation mark in front."""
    return f"'{cell}" if cell.startswith(_RUNS) and not _PHONE.fullmatch(cell) else cell


class _Csv:
    """CSV that spreadsheets open as it is meant: UTF-8 with its mark, one kind of separator."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "_Csv":
        self._file = self._path.open("w", encoding="utf-8-sig", newline="")
        self._path.chmod(0o600)
        self._writer = csv.writer(self._file)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def row(self, cells: Sequence[str]) -> None:
        self._writer.writerow([guarded(_plain(cell)) for cell in cells])


class _Xlsx:
    """A workbook of one sheet; every cell is a string, so none is a formula."""

    def __init__(self, path: Path) -> None:
        import xlsxwriter

        path.touch(0o600)
        self._book = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        self._sheet = self._book.add_worksheet("callcrm")
        self._next = 0

    def __enter__(self) -> "_Xlsx":
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def row(self, cells: Sequence[str]) -> None:
        for n, cell in enumerate(cells):
            self._sheet.write_string(self._next, n, _plain(cell))
        self._next += 1


def _plain(cell: object) -> str:
    """A cell as text: whole numbers without a point, control characters gone, our own guard taken off."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = "" if cell is None else str(cell)
    text = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text[:CELL]).strip()
    return text[1:] if text[:1] == "'" and text[1:2] in _RUNS else text


def _read_csv(path: Path) -> Iterator[list[str]]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1251", "replace")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    csv.field_size_limit(CELL * 4)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise Invalid(f"{path.name} is no CSV that can be read ({error}); save it again as CSV.") from error


def _read_xlsx(path: Path) -> Iterator[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with path.open("rb") as file:
            sheet = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0)
            for row in sheet.iter_rows():
                if any(cell not in ("", None) for cell in row):
                    yield row  # type: ignore[misc]
    except (CalamineError, BadZipFile, ValueError, IndexError) as error:
        raise Invalid(f"{path.name} is no workbook that can be read ({error}); save it again as .xlsx.") from error
