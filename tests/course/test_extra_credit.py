"""Questions whose points come on top of an assignment's."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from grader.course.loading import load_spec
from grader.errors import SpecError

SPEC = """\
title = "Warm-up"
points = 10
[[questions]]
id = "q1"
title = "Softmax"
points = 8
[[questions]]
id = "q2"
title = "Why?"
manual = 2
[[questions]]
id = "q3"
title = "Faster"
points = 3
manual = 1
extra_credit = true
"""


def spec_of(folder: Path, text: str = SPEC) -> Path:
    path = folder / "assignment.toml"
    path.write_text(text)
    return path


def test_extra_points_are_not_among_the_assignments(tmp_path: Path) -> None:
    spec = load_spec(spec_of(tmp_path))
    assert (spec.points, spec.machine_points, spec.manual_points) == (10, 8, 2)
    assert spec.extra_points == Decimal(4)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("points = 10", "points = 14", "8 from the suite, 2 by hand, 4 extra on top"),
        ("[[questions]]\nid", "[[questions]]\nextra_credit = true\nid", "is extra credit"),
        ("extra_credit = true", 'extra_credit = "yes"', "extra_credit"),
    ],
)
def test_a_spec_whose_points_do_not_add_up_is_refused(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = SPEC.replace("extra_credit = true\n", "") if "[[" in before else SPEC
    with pytest.raises(SpecError, match=message):
        load_spec(spec_of(tmp_path, text.replace(before, after)))
