"""What a box says a cell put out becomes nbformat outputs, or nothing at all."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import WireError
from grader.sandbox.outputs import Displays, clean_output
from grader.wire.messages import Output

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=6), v, max_size=3),
    max_leaves=8,
)
mimes = st.sampled_from(["text/plain", "text/html", "application/json", "image/png", "x/y+json"])
outputs = st.fixed_dictionaries(
    {},
    optional={
        "output_type": st.sampled_from(["stream", "display_data", "execute_result", "error"]),
        "name": st.sampled_from(["stdout", "stderr"]) | json_values,
        "text": json_values,
        "data": st.dictionaries(mimes, json_values, max_size=3) | json_values,
        "metadata": json_values,
        "execution_count": json_values,
        "ename": json_values,
        "evalue": json_values,
        "traceback": json_values,
        "more": json_values,
    },
)


def said(action: Any = "append", *, display_id: str = "", **body: Any) -> Output:
    return Output(action=action, body=json.dumps(body).encode(), display_id=display_id)


def stream(text: str, name: str = "stdout") -> Output:
    return said(output_type="stream", name=name, text=text)


def shown(text: str, display_id: str = "", *, action: str = "append") -> Output:
    return said(
        action,
        display_id=display_id,
        output_type="display_data",
        data={"text/plain": text},
        metadata={},
    )


def texts(outputs: list[dict[str, Any]]) -> list[str]:
    return [o.get("text") or o["data"]["text/plain"] for o in outputs]


@given(outputs)
def test_whatever_is_sent_is_an_output_that_nbformat_takes_or_an_error(raw: Any) -> None:
    try:
        clean = clean_output(json.dumps(raw).encode())
    except WireError:
        return
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.from_dict(clean)])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode("utf-8")
    json.dumps(clean, allow_nan=False)


@pytest.mark.parametrize(("sent", "kept"), [(3, 3), (0, 0), (-1, None), (True, None), (1.5, None)])
def test_a_count_that_nbformat_would_refuse_is_none(sent: object, kept: int | None) -> None:
    body = said(output_type="execute_result", data={}, execution_count=sent).body
    assert clean_output(body)["execution_count"] == kept


def test_what_is_no_text_and_of_no_type_for_json_is_left_out() -> None:
    data = {"x/y+json": False, "application/x+json": False, "text/plain": "t"}
    sent = said(output_type="display_data", data=data)
    assert clean_output(sent.body)["data"] == {"application/x+json": False, "text/plain": "t"}


@given(st.binary(max_size=60))
def test_bytes_that_are_no_output_are_an_error_of_the_wire(body: bytes) -> None:
    with pytest.raises(WireError):
        clean_output(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"output_type": "stream", "name": "stdin", "text": "x"}',
        b'{"output_type": "stream"}',
        b'{"output_type": "display_data", "data": 5}',
        b'{"output_type": ["stream"]}',
        b'{"output_type": "update_display_data", "data": {}}',
        b'{"n": ' + b"1" * 5000 + b"}",
        b"[]",
    ],
    ids=lambda b: b[:60],
)
def test_an_output_of_no_known_shape_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        clean_output(body)


def test_a_lone_surrogate_is_replaced_wherever_it_stands() -> None:
    bad = "a\ud800"
    clean = clean_output(
        json.dumps(
            {
                "output_type": "display_data",
                "data": {"text/plain": bad, "application/json": {bad: [bad]}, bad: bad},
                "metadata": {bad: bad},
            }
        ).encode()
    )
    assert clean["data"] == {"text/plain": "a?", "application/json": {"a?": ["a?"]}, "a?": "a?"}
    assert clean["metadata"] == {"a?": "a?"}


def test_data_that_is_no_text_is_dropped_and_json_that_is_too_deep_is_cut() -> None:
    deep: Any = "bottom"
    for _ in range(500):
        deep = [deep]
    clean = clean_output(
        json.dumps(
            {
                "output_type": "display_data",
                "data": {"text/plain": 5, "text/html": ["a", "b"], "application/json": deep},
            }
        ).encode()
    )
    assert clean["data"]["text/html"] == "ab"
    assert "text/plain" not in clean["data"]
    assert "bottom" not in json.dumps(clean["data"])


def test_text_on_one_stream_is_joined_and_another_stream_is_another_output() -> None:
    displays, cell = Displays(), list[dict[str, Any]]()
    for event in (stream("a"), stream("b"), stream("c", "stderr"), stream("d")):
        displays.apply(event, cell)
    assert [(o["name"], o["text"]) for o in cell] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
    ]


def test_a_clear_forgets_what_came_before_it() -> None:
    displays, cell = Displays(), list[dict[str, Any]]()
    for event in (stream("a"), Output(action="clear"), stream("b")):
        displays.apply(event, cell)
    assert texts(cell) == ["b"]


def test_an_update_reaches_every_display_of_its_id_in_every_cell() -> None:
    displays = Displays()
    first: list[dict[str, Any]] = []
    second: list[dict[str, Any]] = []
    displays.apply(shown("one", "id"), first)
    displays.apply(shown("other", "another"), first)
    displays.apply(shown("two", "id"), second)
    assert texts(first) == ["two", "other"]
    displays.apply(shown("three", "id", action="update"), second)
    assert texts(first) + texts(second) == ["three", "other", "three"]


def test_an_update_of_an_unknown_id_shows_nothing() -> None:
    displays, cell = Displays(), list[dict[str, Any]]()
    displays.apply(shown("x", "unknown", action="update"), cell)
    assert cell == []


def test_updates_cannot_make_a_notebook_of_gigabytes() -> None:
    displays, cell = Displays(), list[dict[str, Any]]()
    for _ in range(500):
        displays.apply(shown("small", "id"), cell)
    displays.apply(shown("x" * 1_000_000, "id", action="update"), cell)
    assert set(texts(cell)) == {"small"}
    displays.apply(shown("x" * 100_000, "id", action="update"), cell)
    assert sum(map(len, texts(cell))) == 50_000_000
    more: list[dict[str, Any]] = []
    for _ in range(500):
        displays.apply(shown("small", "second"), more)
    displays.apply(shown("x" * 100_000, "second", action="update"), more)
    assert set(texts(more)) == {"small"}


def test_a_text_of_many_small_pieces_is_not_copied_for_each() -> None:
    outputs: list[dict[str, Any]] = []
    displays, piece = Displays(), said(output_type="stream", name="stdout", text="x" * 70)
    displays.apply(said(output_type="stream", name="stdout", text="x" * 1_000_000), outputs)
    displays.apply(piece, outputs)
    tracemalloc.start()
    try:
        for _ in range(100):  # a copy is a second text beside the first one
            displays.apply(piece, outputs)
        assert tracemalloc.get_traced_memory()[1] < 1_500_000
    finally:
        tracemalloc.stop()
    assert outputs[0]["text"] == "x" * (1_000_000 + 101 * 70)
