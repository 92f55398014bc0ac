"""Tables that systems export: read whatever holds, changed in single cells only."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.lms import lms_table
from grader.lms.lms_table import read_table, table_from

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


REFUSED: list[tuple[bytes, str, str, str | None]] = [
    (b"", "the table is empty", "x.csv", None),
    (b'a,b\n"1,2\n', "a quotation mark is never closed", "x.csv:2", None),
    (b'a,b\n"1"2,3\n', "there is text after a closing quotation mark", "x.csv:2", None),
    (
        b"a,b\n\xff\xfe\n",
        "the file is not in UTF-8",
        "x.csv",
        "Take it as the system exported it; a spreadsheet that saved it can save it as CSV UTF-8.",
    ),
    (b"a,b\n\0\n", "the file is no table: it holds NUL characters", "x.csv", None),
    (
        b"PK\x03\x04rest",
        "this is a workbook or a zip",
        "x.csv",
        "Export it as CSV, or save it so.",
    ),
]


@pytest.mark.parametrize(("data", "what", "where", "hint"), REFUSED)
def test_what_is_no_table_is_refused_with_its_reason_and_line(
    data: bytes, what: str, where: str, hint: str | None
) -> None:
    with pytest.raises(UsageError) as refused:
        table_from(data, where="x.csv")
    error = refused.value
    assert (error.what, error.where, error.hint) == (what, where, hint)


def test_a_table_may_be_as_large_as_the_bounds_and_no_larger(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lms_table, "MAX_BYTES", 12)
    monkeypatch.setattr(lms_table, "MAX_CELLS", 6)
    path = tmp_path / "grades.csv"
    path.write_bytes(b"a,b\n1,2\n3,4\n")
    assert read_table(path).to_bytes() == b"a,b\n1,2\n3,4\n"
    path.write_bytes(b"a,b\n1,2\n3,44\n")
    with pytest.raises(UsageError) as refused:
        read_table(path)
    assert refused.value.what == "the file is too large for a table of a class"
    assert refused.value.where == str(path)
    with pytest.raises(UsageError) as refused:
        table_from(b"a\n1\n,,,,\n", where="x")
    assert (refused.value.what, refused.value.where) == ("the table has too many cells", "x:3")


def test_a_file_that_is_not_there_is_refused_with_the_systems_words(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    with pytest.raises(UsageError) as refused:
        read_table(path)
    assert refused.value.what == "the file can't be read: No such file or directory"
    assert refused.value.where == str(path)


@pytest.mark.parametrize(("mark", "encoding"), [*CODINGS, (codecs.BOM_UTF16_BE, "utf-16-be")])
def test_each_encoding_is_told_by_its_mark_and_kept(mark: bytes, encoding: str) -> None:
    data = mark + "a,b\nİ,ş\n".encode(encoding)
    table = table_from(data)
    assert [line.cell(0) for line in table.lines] == ["İ"]
    assert table.to_bytes() == data


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("a;b,c;d", ("a", "b,c", "d")),
        ('"a;b;c;d",e', ("a;b;c;d", "e")),
        ('"a"";"";",b', ('a";";', "b")),
        ("a\tb", ("a", "b")),
        ("alone", ("alone",)),
    ],
)
def test_the_commonest_sign_of_the_header_outside_of_quotes_divides_cells(
    header: str, columns: tuple[str, ...]
) -> None:
    assert table_from(f"{header}\n1,2,3,4,5;6;7;8;9\n".encode()).columns == columns


def test_a_column_is_found_by_the_first_name_that_is_there_whatever_its_case() -> None:
    table = table_from(b"Name,STRASSE,b\n")
    assert table.column("none", "b", "name") == 2
    assert table.column("strasse") == 1
    assert table.column("none") is None


def test_a_line_may_be_taken_for_the_header_and_those_before_it_stay() -> None:
    data = b"Report of 2024\n\nName,Grade\nAda,1\n"
    table = table_from(data)
    assert table.columns == ("Report of 2024",)
    table.start_at(table.lines[1])
    assert table.columns == ("Name", "Grade")
    assert [line.cell(0) for line in table.lines] == ["Ada"]
    assert table.to_bytes() == data


def test_a_cell_that_is_not_there_is_empty() -> None:
    table = table_from(b"a,b\n1\n")
    assert [table.lines[0].cell(place) for place in (None, 0, 1, 2)] == ["", "1", "", ""]


@pytest.mark.parametrize(
    ("old", "new", "cell"),
    [
        ("1", "2", "2"),
        ('"1"', "2", '"2"'),
        ("1", 'say "a"', '"say ""a"""'),
        ("1", "a,b", '"a,b"'),
        ("1", "a;b", "a;b"),
        ("1", "a\rb", '"a\rb"'),
        ("1", "a\nb", '"a\nb"'),
    ],
)
def test_a_new_cell_is_quoted_where_the_old_one_was_or_where_it_must_be(
    old: str, new: str, cell: str
) -> None:
    table = table_from(f"a,b\nx,{old}\n".encode())
    table.set(table.lines[0], 1, new)
    assert table.to_bytes() == f"a,b\nx,{cell}\n".encode()
    assert table.lines[0].cell(1) == new


def test_lines_are_counted_as_an_editor_does() -> None:
    table = table_from(b'a,b\r\n"x\ny",1\r\n2,3\r\n')
    assert [line.number for line in table.lines] == [2, 4]
