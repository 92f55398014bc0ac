"""Whatever the bytes: a declared answer or a declared error, within bounded time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.intake.answers import written_answers
from grader.intake.archive import ArchiveLimits, Member, read_archive
from grader.intake.notebook import read_notebook
from grader.intake.notebook_cells import ReadNotebook

from .archives import NOTEBOOK, make_tar, make_zip

LIMITS = ArchiveLimits(members=50, member_bytes=2**16, total_bytes=2**18)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)

FIELDS = ["cell_type", "source", "id", "metadata", "outputs", "attachments", "input", "level"]

odd_cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw", "heading", "sql"]) | json_values},
    optional={
        name: json_values | st.text(max_size=30) | st.lists(st.text(max_size=9), max_size=3)
        for name in FIELDS[1:]
    },
)

odd_notebooks = st.fixed_dictionaries(
    {},
    optional={
        "nbformat": st.sampled_from([1, 2, 3, 4, 5]) | json_values,
        "nbformat_minor": st.integers() | json_values,
        "metadata": json_values
        | st.fixed_dictionaries(
            {
                "kernelspec": st.fixed_dictionaries(
                    {"name": st.sampled_from(["ir", "python3", "x"]), "language": json_values}
                )
            }
        ),
        "cells": st.lists(odd_cells, max_size=4) | json_values,
        "worksheets": st.lists(
            st.fixed_dictionaries({"cells": st.lists(odd_cells, max_size=3) | json_values}),
            max_size=2,
        )
        | json_values,
    },
)


def read_or_refuse(data: bytes) -> ReadNotebook | None:
    try:
        notebook = read_notebook(data, name="hw1.ipynb")
    except SubmissionError as error:
        assert error.what
        assert error.hint
        return None
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    written_answers(notebook)
    clean = json.dumps(notebook.to_notebook_json()).encode()
    again = read_notebook(clean, name="clean.ipynb")
    assert again.repairs == ()
    assert [(c.kind, c.source, c.id, c.tags) for c in again.cells] == [
        (c.kind, c.source, c.id, c.tags) for c in notebook.cells
    ]
    return notebook


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    read_or_refuse(data)


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-8-sig"]))
def test_arbitrary_text_in_any_encoding_is_read_or_refused(text: str, codec: str) -> None:
    read_or_refuse(("{" + text).encode(codec, "replace"))


@settings(max_examples=300, deadline=None)
@given(odd_notebooks)
def test_odd_notebook_is_read_or_refused(value: object) -> None:
    read_or_refuse(json.dumps(value).encode())


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["code", "markdown", "raw"]), st.text(max_size=60)), max_size=6
    )
)
def test_source_of_a_sound_notebook_is_kept_to_the_letter(cells: list[tuple[str, str]]) -> None:
    value = {"nbformat": 4, "cells": [{"cell_type": k, "source": s} for k, s in cells]}
    notebook = read_or_refuse(json.dumps(value, ensure_ascii=False).encode())
    assert notebook is not None

    def plain(source: str) -> str:
        return source.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")

    assert [c.source for c in notebook.cells] == [plain(s) for _, s in cells]


def mutated(data: st.DataObject, whole: bytes) -> bytes:
    """Flip, cut, insert and repeat a few stretches."""
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, max(len(changed) - 1, 0)))
        length = data.draw(st.integers(0, 8))
        changed[at : at + length] = data.draw(st.binary(max_size=8))
    return bytes(changed)


SOUND = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "language": "python"}},
        "cells": [
            {"cell_type": "markdown", "id": "a", "source": ["**Answer q1.**\n", "çünkü"]},
            {"cell_type": "code", "id": "b", "source": "x = 1", "outputs": [{"x": [1.5, None]}]},
        ],
    },
    ensure_ascii=False,
).encode()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_notebook_is_read_or_refused(data: st.DataObject) -> None:
    read_or_refuse(mutated(data, SOUND))


ARCHIVES = {
    "zip": make_zip(("anna.ipynb", NOTEBOOK), ("b/", b""), ("c.zip", make_zip(("d", b"x" * 99)))),
    "tar": make_tar(("anna.ipynb", NOTEBOOK), ("ş" * 90 + "/x", b"1"), ("c.tar", make_tar())),
    "tgz": make_tar(("anna.ipynb", NOTEBOOK), ("b/c.zip", make_zip(("d", b"x"))), gz=True),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_damaged_archive_gives_members_or_reasons(kind: str) -> None:
    check_archive(lambda data: mutated(data, ARCHIVES[kind]))


@pytest.mark.parametrize("start", [b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00"])
def test_arbitrary_bytes_are_no_archive_that_harms(start: bytes) -> None:
    check_archive(lambda data: start + data.draw(st.binary(max_size=600)))


def check_archive(make: Callable[[st.DataObject], bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.zip"

        @settings(max_examples=200, deadline=None)
        @given(st.data())
        def check(data: st.DataObject) -> None:
            path.write_bytes(make(data))
            for name in ("x.zip", "x.tar"):
                path.rename(path.with_name(name))
                found = list(read_archive(path.with_name(name), limits=LIMITS))
                path.with_name(name).rename(path)
                for member in found:
                    if isinstance(member, Member):
                        assert ".." not in member.path.split("/")
                        assert not member.path.startswith("/")
                        assert member.content is None or member.content.size <= LIMITS.member_bytes
                    else:
                        assert member.reason
                        assert member.name.isprintable()

        check()
