"""A batch killed at any moment leaves nothing running and goes on to the same marks."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.faults.aftermath import descendants, nothing_is_left
from tests.faults.courses import (
    CLASS,
    MANY,
    finish,
    kill,
    make_class,
    marks,
    start,
    times_judged,
    wait_for_verdicts,
)
from tests.helpers.waiting import until

pytestmark = [pytest.mark.local_box, pytest.mark.slow, pytest.mark.timeout(1800)]

KILLS = 30 if MANY else 2


def test_a_batch_killed_at_random_moments_comes_to_the_same_marks(
    tmp_path: Path, undisturbed: bytes
) -> None:
    chance = random.Random(41)
    kills = courses = 0
    while kills < KILLS:
        courses += 1
        with nothing_is_left():
            classroom = make_class(tmp_path / f"course-{courses}")
            for _ in range(min(5 if MANY else 3, KILLS - kills)):
                process = start(classroom)
                if chance.random() < 0.3:
                    time.sleep(chance.uniform(0, 4))
                else:
                    wait_for_verdicts(classroom, process, chance.randrange(3))
                    time.sleep(chance.uniform(0, 0.4))
                if process.poll() is not None:
                    break
                kill(process)
                kills += 1
                before = times_judged(classroom)
                assert set(before.values()) <= {1}
            assert finish(classroom) == 0
        assert marks(classroom) == undisturbed
        assert sorted(times_judged(classroom).values()) == [1] * CLASS


def test_what_a_killed_batch_had_started_ends_with_it(tmp_path: Path) -> None:
    classroom = make_class(tmp_path / "course", size=1)
    classroom.hand_in("sleeper", "import time\ntime.sleep(10_000)")
    (classroom.submissions / "s00.ipynb").unlink()
    others = set(descendants())

    def left() -> list[str]:
        return [command for pid, command in descendants().items() if pid not in others]

    with nothing_is_left():
        process = start(classroom)
        until(lambda: any("grader-box" in c for c in descendants(process.pid).values()), "a box")
        time.sleep(1)
        kill(process)
        # The notebook would sleep on for longer than is waited here.
        until(lambda: not left(), lambda: f"the end of {left()}")
