"""A table that a system exported, changed in single cells; all else stays byte for byte."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from grader.errors import UsageError

MAX_BYTES = 20 << 20
MAX_CELLS = 2_000_000
_DELIMITERS = (",", ";", "\t")
# Longer marks first: that of UTF-32-LE begins like that of UTF-16-LE, and is not taken.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass
class LmsLine:
    """One line: its number in the file, its cells as they stand there, and how it ends."""

    number: int
    raw: list[str]
    end: str

    def cell(self, column: int | None) -> str:
        """Return a cell's text; empty where the line is too short or there is no such column."""
        if column is None or column >= len(self.raw):
            return ""
        return _text(self.raw[column]).strip()


@dataclass
class LmsTable:
    """A header and lines, with the dialect of the file; a preamble before the header stays.

    Raises nothing when cells are set; `to_bytes` gives the file back.
    """

    mark: bytes
    encoding: str
    delimiter: str
    header: LmsLine
    lines: list[LmsLine] = field(default_factory=list)
    preamble: list[LmsLine] = field(default_factory=list)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The header's cells."""
        return tuple(self.header.cell(i) for i in range(len(self.header.raw)))

    def column(self, *names: str) -> int | None:
        """Return the place of the first of these columns that is there, whatever its case."""
        lowered = [name.casefold() for name in self.columns]
        return next((lowered.index(n) for n in names if n in lowered), None)

    def start_at(self, header: LmsLine) -> None:
        """Take one of the lines for the header, and those before it for no one's."""
        place = self.lines.index(header)
        self.preamble += [self.header, *self.lines[:place]]
        self.header, self.lines = header, self.lines[place + 1 :]
        self.__dict__.pop("columns", None)  # what `cached_property` keeps

    def set(self, line: LmsLine, column: int, text: str) -> None:
        """Put plain text into one cell, quoted where the old one was or where it must be."""
        line.raw += [""] * (column + 1 - len(line.raw))
        must = any(c in text for c in (self.delimiter, '"', "\r", "\n"))
        if must or line.raw[column].startswith('"'):
            text = '"{}"'.format(text.replace('"', '""'))
        line.raw[column] = text

    def to_bytes(self) -> bytes:
        """Return the file."""
        text = "".join(
            self.delimiter.join(line.raw) + line.end
            for line in (*self.preamble, self.header, *self.lines)
        )
        return self.mark + text.encode(self.encoding)


def read_table(path: Path) -> LmsTable:
    """Read a CSV (comma, semicolon or tab; UTF-8 or UTF-16) as a system exported it.

    Raises:
        UsageError: it can't be read, with the line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the file can't be read: {error.strerror}", where=path) from error
    return table_from(data, where=path)


def table_from(data: bytes, *, where: object = None) -> LmsTable:
    """Read the bytes of such a file.

    Raises:
        UsageError: it is no such table, with the line.
    """
    if len(data) > MAX_BYTES:
        raise UsageError("the file is too large for a table of a class", where=where)
    if data.startswith(b"PK\x03\x04"):
        raise UsageError(
            "this is a workbook or a zip", where=where, hint="Export it as CSV, or save it so."
        )
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(
            "the file is not in UTF-8",
            where=where,
            hint="Take it as the system exported it; a spreadsheet that saved it can save it as "
            "CSV UTF-8.",
        ) from error
    if "\0" in text:
        raise UsageError("the file is no table: it holds NUL characters", where=where)
    lines = _lines(text, _delimiter(text), where)
    if not lines:
        raise UsageError("the table is empty", where=where)
    return LmsTable(mark, encoding, _delimiter(text), lines[0], lines[1:])


def _delimiter(text: str) -> str:
    """Return what divides the header's cells: the commonest outside of quotes."""
    first = re.sub(r'"(?:[^"]|"")*+"', "", text[: 1 << 16])
    first = re.split(r"[\r\n]", first, maxsplit=1)[0]
    return max(_DELIMITERS, key=first.count)


def _lines(text: str, delimiter: str, where: object) -> list[LmsLine]:
    cell = re.compile(rf'"(?:[^"]++|"")*+"|(?!")[^{delimiter}\r\n]*+')
    end = re.compile(r"\r\n|\n|\r")
    lines: list[LmsLine] = []
    position, number, cells = 0, 1, 0
    while position < len(text):
        start, raw, ending = position, [], ""
        while True:
            match = cell.match(text, position)
            if match is None:
                raise UsageError("a quotation mark is never closed", where=f"{where}:{number}")
            raw.append(match[0])
            position = match.end()
            cells += 1
            if cells > MAX_CELLS:
                raise UsageError("the table has too many cells", where=f"{where}:{number}")
            if text[position : position + 1] == delimiter:
                position += 1
                continue
            break
        if position < len(text):
            ended = end.match(text, position)
            if ended is None:
                raise UsageError(
                    "there is text after a closing quotation mark", where=f"{where}:{number}"
                )
            ending, position = ended[0], ended.end()
        lines.append(LmsLine(number, raw, ending))
        number += len(end.findall(text, start, position)) or 1
    return lines


def _text(raw: str) -> str:
    return raw[1:-1].replace('""', '"') if raw.startswith('"') else raw
