"""A back-up of a course at work is whole, and a course again when it is restored."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from sqlalchemy import make_url

from grader.api.back_up import back_up
from grader.api.receiving import hand_in, look_at
from grader.course.directory import Course
from grader.errors import UsageError
from grader.gradebook.schema import upgrade
from grader.gradebook.store import Gradebook
from tests.helpers import postgres
from tests.helpers.desk_load import HOMEWORK, make_class

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def handed_in(course: Course, book: Gradebook, student: str, folder: Path) -> None:
    (folder / student / student).mkdir(parents=True)
    (folder / student / student / "warm-up.ipynb").write_bytes(HOMEWORK)
    assignment = course.assignment("warm-up")
    looked = look_at(course, assignment, student, folder / student)
    hand_in(course, book, assignment, looked, key=student, by=student, now=NOW)


def every_try_is_stored(course: Course, book: Gradebook) -> int:
    """How many tries the record has; each has its files."""
    found = [one for s in course_students(course) for one in book.tries.of(s)]
    for one in found:
        assert (course.submissions_dir / one.folder / "notebook.ipynb").is_file(), one
    return len(found)


def course_students(course: Course) -> list[str]:
    lines = (course.root / "roster.csv").read_text().splitlines()[1:]
    return [line.partition(",")[0] for line in lines]


def test_a_course_is_copied_while_people_hand_in(tmp_path: Path) -> None:
    course = Course.find(make_class(tmp_path / "course", students=12))
    (course.root / ".desk-uploads").mkdir()
    with Gradebook(course.database_url) as book:
        for number in range(4):
            handed_in(course, book, f"s{number:05}", tmp_path / "files")
        begun = threading.Event()

        def go_on() -> None:
            for number in range(4, 12):
                handed_in(course, book, f"s{number:05}", tmp_path / "files")
                begun.set()

        thread = threading.Thread(target=go_on)
        thread.start()
        assert begun.wait(120)
        database = back_up(course, tmp_path / "copy")
        thread.join()
    copy = Course.find(tmp_path / "copy")
    assert database == copy.root / "gradebook.db"
    assert not (copy.root / ".desk-uploads").exists()
    with Gradebook(copy.database_url) as book:
        assert every_try_is_stored(copy, book) >= 4
        handed = book.tries.of("s00000")
        assert [t.received_at for t in handed] == [NOW]


def test_a_course_in_postgresql_is_dumped_and_restored(
    postgres_server: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("pg_dump") is None:
        if os.environ.get(postgres.REQUIRE):
            pytest.fail("pg_dump is not installed")
        pytest.skip("pg_dump is not installed")
    monkeypatch.setenv("GRADER_DATABASE_URL", postgres_url)
    course = Course.find(make_class(tmp_path / "course", students=3))
    with Gradebook(course.database_url) as book:
        handed_in(course, book, "s00000", tmp_path / "files")
    dump = back_up(course, tmp_path / "copy")
    assert dump.name == "gradebook.dump"
    with postgres.database(postgres_server) as other:
        address = make_url(other)
        subprocess.run(
            [
                *("pg_restore", "--no-owner", f"--host={address.query['host']}"),
                *("--username=grader", f"--dbname={address.database}", str(dump)),
            ],
            check=True,
        )
        assert upgrade(other)[0] == upgrade(other)[1]
        monkeypatch.setenv("GRADER_DATABASE_URL", other)
        restored = Course.find(tmp_path / "copy")
        with Gradebook(restored.database_url) as book:
            assert every_try_is_stored(restored, book) == 1


def test_nothing_is_written_over_and_no_back_up_is_in_what_it_backs_up(tmp_path: Path) -> None:
    course = Course.find(make_class(tmp_path / "course", students=1))
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="there already"):
        back_up(course, tmp_path / "there")
    with pytest.raises(UsageError, match="inside the course"):
        back_up(course, course.root / "copy")
