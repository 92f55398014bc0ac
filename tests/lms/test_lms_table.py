"""Tables that systems export: read whatever holds, changed in single cells only."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.lms.lms_table import table_from

CODINGS = [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le")]
CELL = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)


def quoted(cell: str) -> str:
    return '"{}"'.format(cell.replace('"', '""'))


@given(st.binary(max_size=300))
def test_bytes_that_are_no_table_are_refused_and_no_others_change(data: bytes) -> None:
    try:
        table = table_from(data)
    except UsageError:
        return
    assert table.to_bytes() == data


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(
        [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le")]
    ),
    CELL,
)
def test_one_changed_cell_leaves_all_others_byte_for_byte(
    rows: list[list[str]], delimiter: str, end: str, coding: tuple[bytes, str], new: str
) -> None:
    mark, encoding = coding
    header = delimiter.join(["Name", "Größe", '"A ""b"""']) + end
    lines = [delimiter.join(map(quoted, row)) + end for row in rows]
    table = table_from(mark + "".join([header, *lines]).encode(encoding))
    assert [[line.cell(i) for i in range(3)] for line in table.lines] == [
        [cell.strip() for cell in row] for row in rows
    ]
    table.set(table.lines[-1], 1, new)
    changed = [*rows[-1][:1], new, *rows[-1][2:]]
    lines[-1] = delimiter.join(map(quoted, changed)) + end
    assert table.to_bytes() == mark + "".join([header, *lines]).encode(encoding)


def test_unquoted_cells_stay_unquoted_where_they_can() -> None:
    table = table_from(b"a,b,c\n1, 2 ,x\n")
    table.set(table.lines[0], 1, "9.5")
    assert table.to_bytes() == b"a,b,c\n1,9.5,x\n"
    table.set(table.lines[0], 1, "1,5")
    assert table.to_bytes() == b'a,b,c\n1,"1,5",x\n'


def test_a_short_line_is_made_long_enough() -> None:
    table = table_from(b"a;b;c\n1\n")
    table.set(table.lines[0], 2, "7")
    assert table.to_bytes() == b"a;b;c\n1;;7\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b'a,b\n"1,2\n', "never closed"),
        (b'a,b\n"1"2,3\n', "after a closing"),
        (b"a,b\n\xff\xfe\n", "UTF-8"),
        (b"a,b\n\0\n", "NUL"),
        (b"PK\x03\x04rest", "workbook"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(data: bytes, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        table_from(data, where="x.csv")


def test_lines_are_counted_as_an_editor_does() -> None:
    table = table_from(b'a,b\r\n"x\ny",1\r\n2,3\r\n')
    assert [line.number for line in table.lines] == [2, 4]
