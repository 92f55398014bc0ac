"""Course files, and the one that ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course.course_file import load_course_file
from grader.errors import SpecError
from grader.resources import shipped_dir

KOC = shipped_dir("assignments") / "courses" / "koc-comp541.toml"


def test_the_koc_course_says_what_its_lectures_say() -> None:
    course = load_course_file(KOC)
    weights = {component.id: component.weight for component in course.components}
    assert weights == {
        "quiz": 2,
        "assignments": 20,
        "midterm": 17,
        "project": 36,
        "paper-presentations": 10,
        "paper-reviews": 5,
        "participation": 10,
    }
    assert course.grace_days == 7
    assert course.assignments == ("mlp-backprop", "cnn", "rnn", "transformers-gnns")
    assert [c.id for c in course.components if c.must_pass] == ["quiz"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("weight = 17", "weight = 18", "components: the weights add up to 101, expected 100"),
        ("weight = 12", "weight = 11", "components[3].weight: the parts add up to 35"),
        ("grace_days = 7", "grace_days = -7", "grace_days: expected 0 or more"),
        ("must_pass", "mustpass", "components[0].mustpass: no such key"),
        ("[2024-11-17]", '["17 Nov"]', "components[3].parts[0].dates[0]: "),
        ('"cnn", "rnn", ', "", "components[1].assignments: 'cnn' is not among"),
    ],
)
def test_a_fault_names_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "course.toml"
    path.write_text(KOC.read_text().replace(old, new, 1))
    with pytest.raises(SpecError) as caught:
        load_course_file(path)
    assert message in caught.value.what
