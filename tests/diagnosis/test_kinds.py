"""Which of several explanations is said, and that every mistake of a mutant has a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.diagnosis.kinds import KINDS, kind_of_mistake, most_telling, sentence_of
from grader.mutation.mutants import mutants_of
from grader.release.percent import read_percent
from grader.release.regions import solution_source

REFERENCES = Path(__file__).parents[2] / "reference"
WITHOUT_A_VALUE = {
    "",
    "it draws the same each time",
    "gradients are recorded where they should not be",
    "the result has another dtype",
}
"""These change no number that a test could compare."""


@pytest.mark.parametrize(
    ("of_value", "of_solutions", "said"),
    [
        ("", [], ""),
        ("transposed", [], "transposed"),
        ("transposed", ["another-axis"], "another-axis"),
        ("transposed", ["another-axis", "another-axis"], "another-axis"),
        ("", ["another-axis", "no-bias"], ""),
        ("transposed", ["another-axis", "no-bias"], "transposed"),
        ("not-averaged", ["factor-missing"], "not-averaged"),
        ("factor", ["factor-missing"], "factor-missing"),
        ("factor", ["factor-missing", "multiplied"], "factor"),
        ("", ["factor-missing", "multiplied"], ""),
        ("", ["factor-missing", "term-missing"], "part-missing"),
        ("single-precision", ["no-eps"], "no-eps"),
        ("", ["factor-missing", "no-scaling"], "no-scaling"),
    ],
)
def test_the_most_precise_explanation_is_said_if_there_is_but_one(
    of_value: str, of_solutions: list[str], said: str
) -> None:
    assert most_telling(of_value, [(kind, 1) for kind in of_solutions]) == said


def test_a_vague_explanation_of_another_line_is_another_mistake() -> None:
    """Steps that are never counted up give what a power left out gives: who can tell?"""
    assert most_telling("first-only", [("assigned", 1), ("power-missing", 1)]) == "assigned"
    assert most_telling("first-only", [("assigned", 1), ("power-missing", 2)]) == "first-only"
    assert most_telling("", [("no-eps", 1), ("no-eps", 2), ("term-missing", 2)]) == "no-eps"


@pytest.mark.parametrize(
    "of", [pytest.param(6, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_every_mistake_of_the_catalog_has_a_kind(of: int) -> None:
    """In every reference, or in one of so many: each says most of what there is."""
    paths = sorted(REFERENCES.glob("*.py"))[::of]
    cells = [cell for path in paths for cell in read_percent(path)]
    texts = [solution_source(cell) for cell in cells if cell.kind == "code"]
    found = {m.mistake for text in texts for m in mutants_of(text, range(1, 400))}
    assert len(found) > 30
    assert {m for m in found if not kind_of_mistake(m)} <= WITHOUT_A_VALUE


def test_every_kind_has_a_sentence_without_a_number() -> None:
    for kind in KINDS:
        said = sentence_of(kind)
        for term in ("n/(n − 1)", "n − 1", "0/0", "float32", "float16"):
            said = said.replace(term, "")
        assert said.endswith((".", "?"))
        assert not any(c.isdigit() for c in said)
    assert sentence_of("of a newer version") == ""
    assert kind_of_mistake("what no mutant says") == ""
