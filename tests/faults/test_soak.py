"""The soak in its short form; `make soak` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.aftermath import nothing_is_left
from tests.faults.soak import Soak
from tests.grading.conftest import Classroom

pytestmark = [pytest.mark.local_box, pytest.mark.slow, pytest.mark.timeout(300)]


def test_nothing_grows_over_sixty_submissions(tmp_path: Path) -> None:
    soak = Soak(classroom=Classroom(tmp_path / "course"), every=6)
    with nothing_is_left():
        soak.run(62)  # of the last two no sample is taken
    # Times of so few, beside other work on the machine, say nothing.
    assert [f for f in soak.faults() if not f.startswith("median time")] == []
    assert len(soak.samples) == 10
    assert {"batch", "judge", "workers"} <= {k for k, v in soak.samples[0].memory.items() if v}
