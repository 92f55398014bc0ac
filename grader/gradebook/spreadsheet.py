"""Tables from and for a spreadsheet, as CSV or xlsx, in which no cell can compute anything."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.storage import write_atomically
from grader.table_cells import plain_cell, safe_cell

MAX_BYTES = 20 << 20
MAX_UNPACKED_BYTES = 200 << 20
MAX_COLUMNS = 200
_FORMULA = re.compile(r"\s*(?:[=@]|[+-](?![\d\s.,]))")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MAX_CELL = 32_000


@dataclass(frozen=True)
class SheetRow:
    """One line: its number in the file, and its cells by column."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """A table with a header, read from `path`."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]

    def where(self, row: SheetRow) -> str:
        """The place of a line, for messages."""
        return f"{self.path}:{row.number}"


def read_sheet(path: Path) -> Sheet:
    """Read a CSV (comma or semicolon) or an xlsx file.

    Raises:
        UsageError: it can't be read, or holds a formula; with the line.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError("the file is too large for a table of marks", where=path)
        lines = list(_from_xlsx(path) if path.suffix.lower() == ".xlsx" else _from_csv(path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"the table cannot be read: {error}", where=path) from error
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        raise UsageError("the table is empty", where=path)
    number, header = lines[0]
    while header and not header[-1]:
        header.pop()
    if len(set(header)) < len(header) or not all(header) or len(header) > MAX_COLUMNS:
        raise UsageError("the header names a column twice, or not at all", where=f"{path}:{number}")
    rows = [_row(path, header, number, cells) for number, cells in lines[1:]]
    return Sheet(path, tuple(header), tuple(rows))


def write_sheet(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV or an xlsx file, whole or not at all; text stays text in every program."""
    data = _xlsx(columns, rows) if path.suffix.lower() == ".xlsx" else _csv(columns, rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)


def _row(path: Path, header: list[str], number: int, cells: list[str]) -> SheetRow:
    if any(cells[len(header) :]):
        raise UsageError("the line has more cells than the header", where=f"{path}:{number}")
    cells = cells[: len(header)] + [""] * (len(header) - len(cells))
    return SheetRow(number, dict(zip(header, cells, strict=True)))


def _from_csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    text = path.read_text(encoding="utf-8-sig")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    end = 0
    for cells in reader:
        number, end = end + 1, reader.line_num
        for cell in cells:
            if _FORMULA.match(cell):
                raise _formula(path, number, cell)
        yield number, [_plain(cell) for cell in cells]


def _from_xlsx(path: Path) -> Iterator[tuple[int, list[str]]]:
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise UsageError("the file unpacks to too much", where=path)
        book = openpyxl.load_workbook(path, read_only=True, keep_links=False)
        sheet = book.worksheets[0]
        for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1), start=1):
            for cell in cells:
                if cell.data_type == "f":
                    raise _formula(path, number, str(cell.value))
            yield number, [_text(cell.value) for cell in cells]
        book.close()
    except UsageError:
        raise
    except Exception as error:  # a hostile file fails in openpyxl in any way
        raise UsageError(f"this is not a workbook that can be read: {error}", where=path) from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return _plain(f"{Decimal(str(value)):f}".removesuffix(".0"))
    return _plain(value.isoformat() if hasattr(value, "isoformat") else str(value))


def _plain(cell: str) -> str:
    return plain_cell(unicodedata.normalize("NFC", cell.strip()))


def _formula(path: Path, number: int, cell: str) -> UsageError:
    return UsageError(
        f"a cell holds a formula: {cell[:40]!r}",
        where=f"{path}:{number}",
        hint="Put in the value itself. Text that begins with one of = + - @ is written with ' "
        "before it.",
    )


def _neutral(value: object) -> str:
    return safe_cell(_CONTROL.sub("", "" if value is None else str(value))[:_MAX_CELL])


def _csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([_neutral(c) for c in columns])
    writer.writerows([_neutral(cell) for cell in row] for row in rows)
    # Excel reads a CSV as UTF-8 only after this mark.
    return out.getvalue().encode("utf-8-sig", "replace")


def _xlsx(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    import xlsxwriter  # it takes a fifth of openpyxl's time to import, which reads as well

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        look = {"text_wrap": True, "valign": "top"}
        plain, bold = book.add_format(look), book.add_format({**look, "bold": True})
        for row, cells in enumerate([columns, *rows]):
            style = plain if row else bold
            for column, value in enumerate(cells):
                if isinstance(value, Decimal):
                    sheet.write_number(row, column, value, style)
                elif value in (None, ""):
                    sheet.write_blank(row, column, None, style)
                else:  # text, whatever it begins with: neither a formula nor a link
                    text = _neutral(value).encode("utf-8", "replace").decode()
                    sheet.write_string(row, column, text, style)
        for column, width in enumerate(_widths(columns)):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 1)
    return out.getvalue()


def _widths(columns: Sequence[str]) -> list[int]:
    return [60 if c == "answer" else 40 if c.endswith("comment") else 18 for c in columns]
