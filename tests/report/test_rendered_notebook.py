"""The executed notebook: what is shown, and what is only mentioned."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from grader.course.spec import AssignmentSpec
from grader.report.rendered_notebook import (
    INTERACTIVE_NOTE,
    MAX_CELLS,
    MAX_OUTPUTS,
    PICTURE_NOTE,
    OutputView,
    view_notebook,
)
from grader.sandbox.base import CellResult
from grader.suite.causes import causes
from grader.suite.lookahead import look_ahead
from tests.helpers.notebooks import code, display, error, markdown, notebook, png, stream


def outputs(*items: dict[str, Any]) -> list[OutputView]:
    return view_notebook(notebook([code("x", *items)])).cells[0].outputs


def test_cells_keep_their_order_kind_and_count() -> None:
    view = view_notebook(notebook([markdown("*hi*"), code("1 + 1", stream("2\n"), count=7)]))
    text, run = view.cells
    assert (text.kind, run.kind, run.number) == ("markdown", "code", 2)
    assert "<em>hi</em>" in text.html
    assert [(o.kind, o.html) for o in run.outputs] == [("text", "<pre>2\n</pre>")]


def test_a_cell_has_one_number_before_hand_in_in_the_notes_and_on_the_page() -> None:
    sources = ["# Text", "import torch", "Text", "import no_such_module"]
    spec = AssignmentSpec(title="", summary="", points=Decimal(0), questions=())
    (ahead,) = look_ahead(sources, spec)
    stopped = error("ModuleNotFoundError", "No module named 'no_such_module'", [])
    results = [CellResult(index=i, status="ok") for i in range(1, 4)]
    results += [CellResult(index=4, status="error", outputs=[stopped])]
    (note,) = causes(sources, results).notes
    cells = [(markdown if i % 2 == 0 else code)(source) for i, source in enumerate(sources)]
    shown = view_notebook(notebook(cells)).cells[3]
    assert ahead.startswith("cell 4 imports") and note.startswith("cell 4 stopped")
    assert shown.number == 4


def test_a_table_is_shown_rather_than_its_text() -> None:
    (table,) = outputs(display(text_html="<table><tr><td>1</td></tr></table>", text_plain="1"))
    assert table.kind == "html" and "<td>1</td>" in table.html


def test_a_picture_is_described_by_its_text() -> None:
    (picture,) = outputs(display(image_png=png(4, 4), text_plain='<Figure "1">'))
    assert picture.kind == "picture"
    assert 'alt="&lt;Figure &#34;1&#34;&gt;"' in picture.html


def test_a_damaged_picture_is_only_mentioned() -> None:
    (note,) = outputs(display(image_png="AAAA"))
    assert note.kind == "note" and PICTURE_NOTE in note.html


def test_an_svg_is_put_into_an_image_element() -> None:
    (picture,) = outputs(display(image_svg_xml="<svg><script>attack()</script></svg>"))
    assert picture.html.startswith('<img src="data:image/svg+xml;base64,')


@pytest.mark.parametrize(
    "bundle",
    [
        {"text/html": "<script>attack()</script><p>x</p>", "text/plain": "x"},
        {"application/javascript": "attack()"},
        {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Button()"},
        {"text/html": "<iframe src='https://attack.example'></iframe>"},
    ],
)
def test_what_needs_a_script_is_only_mentioned(bundle: dict[str, Any]) -> None:
    (note,) = outputs({"output_type": "display_data", "data": bundle})
    assert note.kind == "note" and INTERACTIVE_NOTE in note.html


def test_an_error_keeps_its_coloured_traceback() -> None:
    (view,) = outputs(error("ValueError", "bad", ["\x1b[31mValueError\x1b[0m: bad"]))
    assert view.kind == "error" and 'class="ansi-red-fg"' in view.html


def test_a_flood_of_outputs_is_cut_and_counted() -> None:
    views = outputs(*[stream("x")] * (MAX_OUTPUTS + 5))
    assert len(views) == MAX_OUTPUTS + 1
    assert "5 more outputs" in views[-1].html


def test_a_flood_of_cells_is_cut_and_counted() -> None:
    view = view_notebook(notebook([code("x")] * (MAX_CELLS + 3)))
    assert len(view.cells) == MAX_CELLS and view.note == "3 more cells are not shown."


def test_a_page_stays_small_whatever_is_printed() -> None:
    cells = [code(f"x{i}", *[stream("y" * 30_000)] * 50) for i in range(300)]
    view = view_notebook(notebook(cells))
    assert sum(len(o.html) for c in view.cells for o in c.outputs) < 4_000_000


def test_pictures_share_one_budget() -> None:
    large = png(700, 700)
    cells = [code("x", *[display(image_png=large)] * 60) for _ in range(60)]
    view = view_notebook(notebook(cells))
    assert sum(len(o.html) for c in view.cells for o in c.outputs) < 26_000_000


@pytest.mark.parametrize(
    "data",
    [b"", b"no json", b"[]", b"{}", b'{"cells": 3}', b"[" * 100_000, b"\xff\xfe"],
    ids=["empty", "text", "list", "no cells", "number", "deep", "bytes"],
)
def test_a_notebook_that_cannot_be_read_says_so(data: bytes) -> None:
    view = view_notebook(data)
    assert view.cells == [] and "cannot be shown" in view.note


@pytest.mark.parametrize("wrong", [None, 1, [1], {"a": 1}, "x", [None], [[{}]]])
def test_fields_of_the_wrong_type_are_survived(wrong: Any) -> None:
    bundle = dict.fromkeys(("text/html", "text/plain", "image/png", "image/svg+xml"), wrong)
    cells = [
        {"cell_type": wrong, "source": wrong, "outputs": wrong},
        {"cell_type": "code", "source": wrong, "execution_count": wrong, "outputs": wrong},
        {"cell_type": "markdown", "source": "![a](attachment:b)", "attachments": {"b": wrong}},
        code("x", {"output_type": "error", "ename": wrong, "evalue": wrong, "traceback": wrong}),
        code("x", {"output_type": "stream", "name": wrong, "text": wrong}),
        code("x", {"output_type": "display_data", "data": bundle, "metadata": wrong}),
        code("x", {"output_type": wrong, "data": wrong}),
    ]
    data = json.dumps({"cells": cells}).encode()
    assert len(view_notebook(data).cells) == len(cells)
