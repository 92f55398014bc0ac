"""What of a notebook can be read, and how the rest is refused."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from grader.errors import SubmissionError
from grader.intake.notebook import MAX_CELLS, read_notebook
from tests.helpers.cost import linear_time


def cell(source: Any = "x = 1", kind: str = "code", **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    if kind == "code":
        base |= {"outputs": [], "execution_count": None}
    return base | more


def notebook(*cells: Any, **top: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | top


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def read(value: Any) -> Any:
    return read_notebook(value if isinstance(value, bytes) else encoded(value), name="hw1.ipynb")


def refusal(value: Any, name: str = "hw1.ipynb") -> str:
    data = value if isinstance(value, bytes) else encoded(value)
    with pytest.raises(SubmissionError) as caught:
        read_notebook(data, name=name)
    assert caught.value.where == name
    assert caught.value.hint, "a refusal tells the student what to do"
    return caught.value.what


def test_cells_are_read_with_kind_source_id_and_tags() -> None:
    got = read(
        notebook(
            cell("# Title", "markdown", id="a"),
            cell(["x = 1\n", "y = 2"], id="b", metadata={"tags": ["train"]}),
            cell("raw text", "raw", id="c"),
        )
    )
    assert [(c.kind, c.source, c.id, c.tags) for c in got.cells] == [
        ("markdown", "# Title", "a", ()),
        ("code", "x = 1\ny = 2", "b", ("train",)),
        ("raw", "raw text", "c", ()),
    ]
    assert got.repairs == ()
    assert got.nbformat == (4, 5)
    assert [c.id for c in got.code_cells] == ["b"]


def test_clean_notebook_is_valid_for_nbformat() -> None:
    got = read(
        notebook(
            cell("![](attachment:a.png)", "markdown", attachments={"a.png": {"image/png": "aGk="}}),
            cell(["print(1)"], metadata={"tags": ["t"], "secret": 1}, outputs=[{"bad": 1}]),
            cell("raw", "raw"),
        )
    )
    clean = got.to_notebook_json()
    nbformat.validate(nbformat.from_dict(clean))
    assert clean["cells"][0]["attachments"] == {"a.png": {"image/png": "aGk="}}
    assert clean["cells"][1]["outputs"] == []
    assert clean["cells"][1]["metadata"] == {"tags": ["t"]}
    assert read(clean).cells == got.cells


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_text_in_another_unicode_encoding_is_read(codec: str) -> None:
    text = json.dumps(notebook(cell("s = 'ağaç 🌳'", id="a")), ensure_ascii=False)
    got = read(text.encode(codec))
    assert got.cells[0].source == "s = 'ağaç 🌳'"
    assert "UTF" in got.repairs[0]


def test_latin_1_is_read_where_it_is_clear() -> None:
    text = json.dumps(notebook(cell("# größer als", id="a")), ensure_ascii=False)
    got = read(text.encode("latin-1"))
    assert got.cells[0].source == "# größer als"
    assert "Latin-1" in got.repairs[0]


@pytest.mark.parametrize(
    "damage",
    [b"# gr\xf6\xdfer \xc3\xa9", b"\x81", b"\xff\xfe\xfa\x9d", b"\xe2\x82 \xac \x8f"],
    ids=["mixed with UTF-8", "undefined byte", "noise", "cut characters"],
)
def test_bytes_in_no_certain_encoding_are_refused(damage: bytes) -> None:
    data = encoded(notebook(cell("@@"))).replace(b"@@", damage)
    assert "neither UTF-8 nor clearly Latin-1" in refusal(data)


def test_damaged_utf_16_is_refused() -> None:
    assert "damaged" in refusal(json.dumps(notebook(cell())).encode("utf-16")[:-1])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"\x00" * 500, "NUL bytes"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PK\x03\x04\x14\x00", "zip archive"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"Rar!\x1a\x07", "RAR"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (rb"{\rtf1\ansi hello}", "rich text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"import torch\n\ndef f(x):\n    return x\n", "Python script"),
        (b"x = 3\n", "Python script"),
        (b"Dear professor, my laptop", "does not hold JSON"),
        (b"[1, 2]", "does not hold JSON"),
        (b"{}", "no cells"),
        (b'{"score": 100}', "no cells"),
        (b'{"cells": 3}', "not a notebook's"),
        (b'{"cells": [3]}', "$.cells[0]"),
        (b'{"cells": [{}]}', "cell_type"),
        (b'{"cells": [], "x": tru}', "not a notebook that can be read"),
        (b'{"cells": []} trailing}', "trailing"),
        (b'{"cells": [{"cell_type": "co\x00de"}]}', "NUL"),
        (b'{"cells": [\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> theirs\n]}', "merge conflict"),
        (b'{"cells": [\n1\n>>>>>>> theirs\n]}', "merge conflict"),
        (b'{"cells": [\n1\n=======\n2\n]}', "merge conflict"),
        (b'{"cells": [\n1\n=======', "merge conflict"),
    ],
)
def test_what_is_no_notebook_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_python_script_is_named_as_one_whatever_it_starts_with() -> None:
    assert "Python script" in refusal(b"$ weird", name="hw1.py")


def test_every_truncation_is_refused_as_cut_off() -> None:
    data = encoded(notebook(cell("x = {1: 2}", id="a")))
    for length in range(5, len(data) - 1):
        what = refusal(data[:length])
        assert "cut off" in what or "cannot be read" in what or "can be read" in what
    assert "cut off" in refusal(data[: len(data) // 2])


def test_nbformat_3_is_read() -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "hw1"},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "source": ["Question 1"]},
                    {
                        "cell_type": "code",
                        "input": ["x = 1\n", "y = 2"],
                        "language": "python",
                        "outputs": [],
                        "prompt_number": 3,
                    },
                    {"cell_type": "markdown", "source": "text"},
                ]
            }
        ],
    }
    got = read(old)
    assert [(c.kind, c.source) for c in got.cells] == [
        ("markdown", "## Question 1"),
        ("code", "x = 1\ny = 2"),
        ("markdown", "text"),
    ]
    upgraded = nbformat.reads(json.dumps(old), as_version=4)
    assert [c.source for c in got.cells] == [c.source for c in upgraded.cells]
    assert got.nbformat == (3, 0)
    assert "nbformat 3" in got.repairs[0]


def test_newer_minor_version_is_read_without_a_word() -> None:
    assert read(notebook(cell(id="a"), nbformat_minor=99)).repairs == ()


def test_future_major_version_is_read_where_it_has_the_shape_of_4() -> None:
    got = read(notebook(cell("x = 5", id="a"), nbformat=5))
    assert got.code_cells[0].source == "x = 5"
    assert got.repairs == ("The file says nbformat 5; it was read as nbformat 4.",)


def test_future_major_version_of_another_shape_is_refused() -> None:
    assert "nbformat 6" in refusal({"nbformat": 6, "worksheets": [{"cells": []}]})
    assert "no cells" in refusal({"nbformat": 6, "blocks": []})


def test_version_1_is_refused() -> None:
    assert "nbformat 1" in refusal({"nbformat": 1, "cells": []})


@pytest.mark.parametrize("version", [None, "4", [4], {"a": 1}, True, 4.5])
def test_missing_or_odd_version_does_not_matter(version: object) -> None:
    got = read(notebook(cell("x = 1", id="a"), nbformat=version))
    assert got.cells[0].source == "x = 1"
    assert "does not state its format" in got.repairs[0]


@pytest.mark.parametrize("metadata", [None, 3, [], "x", {"kernelspec": 7}, {"kernelspec": None}])
def test_notebook_metadata_never_matters(metadata: object) -> None:
    assert read(notebook(cell("x = 1", id="a"), metadata=metadata)).cells[0].source == "x = 1"


def test_stripped_metadata_is_read() -> None:
    bare = {"cells": [{"cell_type": "code", "source": "x = 1"}]}
    assert [c.source for c in read(bare).cells] == ["x = 1"]


@pytest.mark.parametrize("metadata", [None, 3, [], {"tags": "train"}, {"tags": [1, 2]}])
def test_odd_cell_metadata_never_matters(metadata: object) -> None:
    assert read(notebook(cell("x = 1", metadata=metadata))).cells[0].tags == ()


def test_kernel_name_of_another_machine_never_matters() -> None:
    metadata = {"kernelspec": {"name": "conda-env-dl-py", "display_name": "Python [conda]"}}
    assert read(notebook(cell(id="a"), metadata=metadata)).repairs == ()


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"name": "ir", "language": "R"}}, "r"),
        ({"kernelspec": {"name": "ir"}}, "r"),
        ({"kernelspec": {"name": "julia-1.10"}}, "julia"),
        ({"language_info": {"name": "julia"}}, "julia"),
        ({"kernelspec": {"name": "python3"}, "language_info": {"name": "scala"}}, "scala"),
    ],
)
def test_notebook_in_another_language_is_refused(metadata: object, language: str) -> None:
    assert f"written in {language}, not in Python" in refusal(notebook(metadata=metadata))


def test_notebook_that_says_python_anywhere_is_read() -> None:
    metadata = {"kernelspec": {"language": "python"}, "language_info": {"name": "R"}}
    assert read(notebook(cell("x = 1"), metadata=metadata)).cells[0].source == "x = 1"


@pytest.mark.parametrize(
    ("source", "text"),
    [("a\r\nb\rc", "a\nb\nc"), (None, ""), ([], ""), (["a\n", "b"], "a\nb"), ("", "")],
)
def test_source_may_be_text_lines_or_nothing(source: object, text: str) -> None:
    got = read(notebook(cell(source, id="a")))
    assert got.cells[0].source == text
    assert got.repairs == ()


@pytest.mark.parametrize("source", [3, {"a": "b"}, ["a", 3], [["a"]], True])
def test_cell_whose_source_is_not_text_is_ignored_and_noted(source: object) -> None:
    got = read(notebook(cell(source), cell("x = 1")))
    assert [c.source for c in got.cells] == ["x = 1"]
    assert "Cell 1 was ignored: its source is not text." in got.repairs


def test_cell_of_unknown_type_is_ignored_and_noted() -> None:
    got = read(notebook(cell("SELECT 1", "sql"), cell("x = 1")))
    assert [c.source for c in got.cells] == ["x = 1"]
    assert "Cell 1 was ignored: unknown type 'sql'." in got.repairs


def test_missing_wrong_and_repeated_ids_are_mended() -> None:
    got = read(
        notebook(
            cell(id="a"),
            cell(id="a"),
            cell(),
            cell(id="../x"),
            cell(id=7),
            cell(id="y" * 65),
            cell(id="cell-3"),
        )
    )
    ids = [c.id for c in got.cells]
    assert len(set(ids)) == 7
    assert ids[0] == "a"
    assert ids[6] == "cell-3", "an id that the file states stays with its cell"
    assert got.repairs == ("5 missing, wrong or repeated cell ids were replaced.",)


def test_ids_that_an_old_notebook_cannot_have_are_no_repair() -> None:
    got = read(notebook(cell(), cell(), nbformat_minor=4))
    assert [c.id for c in got.cells] == ["cell-1", "cell-2"]
    assert got.repairs == ()


def test_nul_in_source_is_removed_and_noted() -> None:
    got = read(notebook(cell("x\u0000 = 1", id="a")))
    assert got.cells[0].source == "x = 1"
    assert got.repairs == ("NUL characters were removed from cell 1.",)


def test_nan_in_outputs_is_read_over() -> None:
    data = encoded(notebook(cell("s = 'NaN'", id="a", outputs=[float("nan"), -float("inf")])))
    assert b"NaN" in data
    got = read(data)
    assert got.cells[0].source == "s = 'NaN'"
    assert "NaN" in got.repairs[0]


def test_half_of_a_surrogate_pair_becomes_a_replacement_character() -> None:
    got = read(notebook(cell("s = '\ud83c' + '🌳' + r'\\ud83c'", id="a", outputs=["\udc00"])))
    assert got.cells[0].source == "s = '\ufffd' + '🌳' + r'\\ud83c'"


def test_outputs_are_dropped_unseen() -> None:
    outputs = [{"output_type": "stream", "text": "y" * 1_000_000}] * 30
    with linear_time():
        got = read(notebook(cell("x = 1", outputs=outputs)))
    assert got.to_notebook_json()["cells"][0]["outputs"] == []


@pytest.mark.parametrize("place", ["outputs", "source", "metadata", "id", "attachments"])
def test_deeply_nested_json_is_refused_or_read_over(place: str) -> None:
    deep = b"[" * 200_000 + b"]" * 200_000
    data = encoded(notebook(cell("@@", "code"))).replace(b'"@@"', b'"x = 1"')
    data = data.replace(b'"cell_type"', b'"%s": %s, "cell_type"' % (place.encode(), deep))
    assert "nested too deeply" in refusal(data)


def test_notebook_of_too_many_cells_is_refused() -> None:
    assert "more than 5000 cells" in refusal(notebook(*[cell("")] * (MAX_CELLS + 1)))


def test_millions_of_tiny_cells_are_refused_before_they_are_built() -> None:
    with linear_time():
        assert "cells" in refusal(b'{"cells":[' + b'{"cell_type":""},' * 2_000_000 + b"{}]}")


def test_notebook_of_too_much_source_is_refused() -> None:
    assert "4 MB of text" in refusal(notebook(cell("x" * (5 * 2**20))))
    assert "4 MB of text" in refusal(notebook(cell("x" * 2**21), cell("ç" * 2**20), cell("y")))
    assert "4 MB of text" in refusal(notebook(cell(["a"] * (7 * 2**20))))


def test_file_over_the_limit_is_refused_unread() -> None:
    assert "65 MB" in refusal(b"{" * (65 * 2**20))


@pytest.mark.parametrize(
    "attachments",
    [
        {"a.svg": {"image/svg+xml": "<svg onload=alert(1)>"}},
        {"a.png": {"image/png": '"><script>'}},
        {"a.html": {"text/html": "PGI+"}},
        {'"><img src=x>': {"image/png": "aGk="}},
        ["a.png"],
        {"a.png": 3},
        "x",
    ],
)
def test_attachments_that_are_no_plain_pictures_are_dropped(attachments: object) -> None:
    assert read(notebook(cell("x", "markdown", attachments=attachments))).cells[0].attachments == {}


def test_execution_by_the_student_is_seen() -> None:
    got = read(notebook(cell(execution_count=3), cell()))
    assert [c.executed for c in got.cells] == [True, False]
