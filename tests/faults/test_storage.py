"""A full disk, a locked gradebook, the clock, a second batch: said, and the same marks."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from grader.api import Progress, grade
from grader.errors import GradebookError
from grader.gradebook import store
from grader.gradebook.store import Gradebook
from tests.faults.aftermath import nothing_is_left
from tests.faults.courses import (
    CLASS,
    SEED,
    finish,
    long,
    make_class,
    marks,
    said,
    start,
    times_judged,
    wait_for_verdicts,
)

pytestmark = [pytest.mark.local_box, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can make a small disk: run the tests as root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@long
def test_a_full_disk_is_said_and_the_batch_goes_on_when_there_is_room(
    small_disk: Path, undisturbed: bytes
) -> None:
    classroom = make_class(small_disk / "course")
    with Gradebook(classroom.course.database_url):
        pass
    ballast = small_disk / "ballast"
    with nothing_is_left():
        process = start(classroom)
        wait_for_verdicts(classroom, process, 2)
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        assert process.wait() == 1
        words = said(classroom).read_text()
        assert "full" in words or "space" in words, words
        ballast.unlink()
        assert finish(classroom) == 0
    assert marks(classroom) == undisturbed
    assert set(times_judged(classroom).values()) == {1}


def run(course: object, submissions: Path, **options: object) -> None:
    grade(
        course,  # type: ignore[arg-type]
        "warm-up",
        [submissions],
        **{"sandbox": "local", "isolation": "warm", "slots": 2, "seed": SEED, **options},  # type: ignore[arg-type]
    )


@long
def test_a_gradebook_locked_for_a_while_is_waited_for_and_for_long_is_said(
    tmp_path: Path, undisturbed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom = make_class(tmp_path / "course")
    course = classroom.course
    with Gradebook(course.database_url):
        pass
    other = sqlite3.connect(
        course.database_url.removeprefix("sqlite:///"),
        isolation_level=None,
        check_same_thread=False,
    )
    monkeypatch.setattr("grader.api.grading.Gradebook", partial(Gradebook, busy_timeout_s=1.0))
    locked: list[str] = []

    def lock(student: str) -> None:
        if not locked:
            locked.append(student)
            other.execute("BEGIN IMMEDIATE")

    with nothing_is_left():
        with pytest.raises(GradebookError, match="locked by another program"):
            run(course, classroom.submissions, progress=Progress(begun=lock))
        monkeypatch.setattr("grader.api.grading.Gradebook", Gradebook)
        free = threading.Timer(6.0, lambda: other.execute("ROLLBACK"))
        free.start()
        run(course, classroom.submissions)
        free.join()
    other.close()
    assert marks(classroom) == undisturbed
    assert sorted(times_judged(classroom).values()) == [1] * CLASS


def test_a_second_batch_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    classroom = make_class(tmp_path / "course", size=3)
    program = "from grader.cli import main; main()"
    grading = ["grade", "warm-up", "submissions", "--sandbox", "local"]
    refused: list[subprocess.CompletedProcess[str]] = []

    def again(student: str) -> None:
        if not refused:
            refused.append(
                subprocess.run(
                    [sys.executable, "-c", program, *grading],
                    cwd=classroom.root,
                    capture_output=True,
                    text=True,
                    timeout=120,
                )
            )

    with nothing_is_left():
        run(classroom.course, classroom.submissions, progress=Progress(begun=again))
    assert refused[0].returncode == 1
    assert "another batch grades this assignment now" in refused[0].stderr
    assert "run the command again" in refused[0].stderr
    assert sorted(times_judged(classroom).values()) == [1] * 3


class EarlierClock(dt.datetime):
    """A clock that was set back by a day."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
        return dt.datetime.now(tz) - dt.timedelta(days=1)


@long
def test_a_clock_set_back_changes_no_mark_and_no_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom = make_class(tmp_path / "course", size=4)
    run(classroom.course, classroom.submissions, seed=1)
    before = marks(classroom)

    class Clock:
        datetime, UTC, timedelta = EarlierClock, dt.UTC, dt.timedelta

    monkeypatch.setattr(store, "dt", Clock)
    with Gradebook(classroom.course.database_url) as book:
        whole = book.current("warm-up")
        later = book.start_batch("warm-up", seed=2)
        book.record(whole[0], None, batch=later)
        last = book.last_batch("warm-up")
        assert last is not None
        assert (last.id, last.finished_at) == (later, None)
    run(classroom.course, classroom.submissions, seed=None, regrade=True)
    with Gradebook(classroom.course.database_url) as book:
        verdicts = book.current("warm-up")
    assert {v.provenance.seed for v in verdicts if v.provenance} == {2}
    assert marks(classroom) == before
