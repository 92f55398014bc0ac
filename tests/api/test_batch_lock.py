"""Who grades an assignment now, and what somebody else is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.api.batch_lock import batch_lock
from grader.api.desk_notice import desk_of, desk_serves
from grader.course.directory import Assignment, Course
from grader.errors import InfrastructureError
from tests.helpers.assignments import make_assignment

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


def test_a_command_that_finds_a_server_at_work_says_where_it_is(assignment: Assignment) -> None:
    with desk_serves(course_of(assignment), ADDRESS):
        with batch_lock(assignment):  # the server judges nothing of it: the command line may
            pass
        with (
            batch_lock(assignment),
            pytest.raises(InfrastructureError, match=f"the server at {ADDRESS}") as refused,
            batch_lock(assignment),
        ):
            pass
    assert "graded there" in (refused.value.hint or "")
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
    with batch_lock(assignment, shared=True):
        with batch_lock(assignment, shared=True):
            pass
        with pytest.raises(InfrastructureError), batch_lock(assignment):
            pass
    with (
        batch_lock(assignment),
        pytest.raises(InfrastructureError),
        batch_lock(assignment, shared=True),
    ):
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
