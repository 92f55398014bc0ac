"""What becomes of code, hostile code included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.similarity.code import read_cells
from grader.similarity.fingerprints import WINDOW, winnow
from grader.similarity.passages import passages
from tests.similarity.disguises import DEAD_CODE, RIGHT, code


@given(st.lists(st.integers(0, 50), max_size=60))
def test_winnowing_keeps_one_hash_of_every_window(hashes: list[int]) -> None:
    kept = set(winnow(np.array(hashes, dtype=np.uint64)))
    for start in range(len(hashes) - WINDOW + 1):
        window = hashes[start : start + WINDOW]
        rightmost = start + max(i for i, h in enumerate(window) if h == min(window))
        assert rightmost in kept


def test_fingerprints_are_the_same_for_other_names_numbers_texts_and_comments() -> None:
    one = code("def f(a):\n    b = [a * 2 for _ in range(3)]  # why\n    return f('x', b, sum(b))")
    two = code("def g(z):\n    q = [z * 7 for i in range(9)]\n    return g('yy', q, sum(q))")
    assert {f.value for f in one.fingerprints} == {f.value for f in two.fingerprints}


def test_what_a_library_calls_a_thing_is_kept() -> None:
    one, two = (
        code(f"import torch\ndef f(a):\n    return torch.{n}(a + 1, dim=0) / a.{n}(dim=1) + a.T")
        for n in ("softmax", "cumsum")
    )
    assert not {f.value for f in one.fingerprints} & {f.value for f in two.fingerprints}


@pytest.mark.parametrize(
    "source",
    [
        "def broken(:\n  x = (1, 2",
        "%matplotlib inline\n!ls\nx = 1",
        "x = '" + "\ud800" + "'",
        "\0\0\0",
        "(" * 5000,
        "x = " + "-" * 30_000 + "1",
        "x = " + "+".join(["1"] * 20_000),
        "if 1:\n" + "".join(" " * i + "if 1:\n" for i in range(1, 99)),
        "\t x = 1\n        y = 2",
        "f\"{x!r:{y}} {'a'}\"",
    ],
)
def test_code_that_is_no_python_or_hostile_is_read_as_far_as_it_goes(source: str) -> None:
    assert code(source, RIGHT).fingerprints


@pytest.mark.parametrize("magic", ["_ = !true", "softmax?", "if v:\n    %time 1", "%pip list"])
def test_a_magic_hides_nothing_of_its_cell(magic: str) -> None:
    body = "def f(a):\n    b = [a * 2 for _ in range(3)]\n    return f('x', b, sum(b))"
    plain, hidden = code(body), code(f"{magic}\n{body}\n")
    assert {f.value for f in plain.fingerprints} <= {f.value for f in hidden.fingerprints}


def test_code_of_megabytes_is_left_out() -> None:
    assert not read_cells([(1, "x = 1\n" * 100_000)])


def test_passages_mark_what_both_have_and_only_that() -> None:
    left, right = code(RIGHT), code(DEAD_CODE)
    found = passages(left, right, frozenset())
    marked = "\n".join(
        left.cells[0].source.split("\n")[line - 1] for p in found for line in sorted(p.left_lines)
    )
    assert "shifted = scores - scores.max" in marked
    assert "import torch" not in marked
    for passage in found:
        assert passage.left.first == min(passage.left_lines)
        assert passage.right_lines
