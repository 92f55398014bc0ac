"""Who grades an assignment now, and what somebody else is told."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from grader.api.batch_lock import batch_lock, batch_waits, engine_lock
from grader.api.desk_notice import desk_of, desk_serves
from grader.course.directory import Assignment, Course
from grader.errors import InfrastructureError
from tests.helpers.assignments import make_assignment
from tests.helpers.waiting import LIMIT_S, until

ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return make_assignment(tmp_path / "course", "warm-up")


def course_of(assignment: Assignment) -> Course:
    return Course.find(assignment.course_root)


def test_a_second_batch_is_refused_and_the_next_one_is_not(assignment: Assignment) -> None:
    with (
        batch_lock(assignment),
        pytest.raises(InfrastructureError, match="another batch"),
        batch_lock(assignment),
    ):
        pass
    with batch_lock(assignment):
        pass


def test_a_batch_waits_for_what_a_server_has_begun_and_no_more_is_begun(
    assignment: Assignment,
) -> None:
    told: list[str] = []
    has_it, done = threading.Event(), threading.Event()

    def batch() -> None:
        with batch_lock(assignment, on_wait=told.append):
            has_it.set()
            done.wait(LIMIT_S)

    with desk_serves(course_of(assignment), ADDRESS):
        with engine_lock(assignment):
            waiting = threading.Thread(target=batch)
            waiting.start()
            until(lambda: told)
            assert batch_waits(assignment)
            with pytest.raises(InfrastructureError, match="batch"), engine_lock(assignment):
                pass
            with pytest.raises(InfrastructureError, match="another batch"), batch_lock(assignment):
                pass
            assert not has_it.is_set()
        assert has_it.wait(LIMIT_S)
        assert not batch_waits(assignment)  # it has what it wanted; the lock itself keeps out now
        with pytest.raises(InfrastructureError, match="another batch"), engine_lock(assignment):
            pass
        done.set()
        waiting.join(LIMIT_S)
        with engine_lock(assignment):
            pass
    (reason,) = told
    assert f"the server at {ADDRESS} grades {assignment.name} now" in reason


def test_a_batch_beside_a_server_that_judges_nothing_of_it_does_not_wait(
    assignment: Assignment,
) -> None:
    told: list[str] = []
    with desk_serves(course_of(assignment), ADDRESS):
        with batch_lock(assignment, on_wait=told.append):
            assert not batch_waits(assignment)
        with (
            batch_lock(assignment),
            pytest.raises(InfrastructureError, match="another batch"),  # and not the server
            batch_lock(assignment, on_wait=told.append),
        ):
            pass
    assert told == []
    assert desk_of(assignment.course_root) == ""


def test_engines_of_one_course_have_different_numbers_and_one_that_comes_again_its_own(
    assignment: Assignment,
) -> None:
    course = course_of(assignment)
    with desk_serves(course, ADDRESS) as first:
        with desk_serves(course, ADDRESS) as second:
            assert (first, second) == (1, 2)
        with desk_serves(course, "") as second:
            assert second == 2
            assert desk_of(assignment.course_root) == ADDRESS
    with desk_serves(course, ADDRESS) as first:
        assert first == 1


def test_engines_share_an_assignment_and_a_batch_does_not(assignment: Assignment) -> None:
    with engine_lock(assignment), engine_lock(assignment):
        pass
    with batch_lock(assignment), pytest.raises(InfrastructureError), engine_lock(assignment):
        pass


def test_a_server_that_was_killed_is_not_told_of(assignment: Assignment) -> None:
    program = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from grader.api.desk_notice import desk_serves\n"
        "from grader.course.directory import Course\n"
        f"with desk_serves(Course.find(Path(sys.argv[1])), {ADDRESS!r}):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(assignment.course_root)], check=False)
    assert (assignment.course_root / ".grader-desk").read_text() == ADDRESS
    assert desk_of(assignment.course_root) == ""
    with (
        batch_lock(assignment),
        pytest.raises(InfrastructureError, match="another batch"),
        batch_lock(assignment),
    ):
        pass


def test_a_link_in_the_place_of_the_notice_is_not_followed(assignment: Assignment) -> None:
    target = assignment.course_root / "course-notes"
    target.write_text("kept")
    (assignment.course_root / ".grader-desk").symlink_to(target)
    with (
        pytest.raises(InfrastructureError, match="can't be written"),
        desk_serves(course_of(assignment), ADDRESS),
    ):
        pass
    assert target.read_text() == "kept"
    assert desk_of(assignment.course_root) == ""
