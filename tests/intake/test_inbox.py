"""Handing in: validated, put into the inbox whole, read back by who collects."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import stat
import time
from pathlib import Path

import pytest

from grader.course.matches import Matcher
from grader.course.roster import Roster
from grader.errors import InfrastructureError, SubmissionError, UsageError
from grader.intake.collected import Collected
from grader.intake.inbox import make_inbox, open_inbox, submit
from grader.intake.receipt import Receipt
from grader.intake.stored import load_attempt
from grader.intake.students import Students
from grader.intake.submission_store import store
from grader.intake.tries import read_tries

HW = "hw1"
NOW = dt.datetime(2024, 10, 30, 23, 58, 59, 999, tzinfo=dt.timezone(dt.timedelta(hours=3)))


def notebook(*sources: str, executed: bool = True) -> bytes:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": i + 1 if executed else None,
        }
        for i, source in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return make_inbox(tmp_path / "inbox", assignments=[HW], private=True).root


def hand_in(
    inbox: Path,
    data: bytes = notebook("x = 1"),
    *,
    name: str = "hw1.ipynb",
    student: str = "anna",
    assignment: str = HW,
) -> Receipt:
    path = inbox.parent / name
    path.write_bytes(data)
    return submit(path, inbox, student=student, assignment=assignment, now=NOW)


def collected(inbox: Path, **known: object) -> tuple[Students, tuple[Receipt, ...]]:
    nobody = Matcher(Roster({}), inbox.parent / "matches.csv")
    tries = read_tries(inbox, assignment=HW, matcher=nobody, **known)  # type: ignore[arg-type]
    return tries.students, tries.receipts


def test_a_try_is_one_file_whose_name_begins_with_its_hash(inbox: Path) -> None:
    receipt = hand_in(inbox)
    [file] = (inbox / "tries").iterdir()
    data = file.read_bytes()
    assert file.name == receipt.name
    assert file.name.startswith(f"{hashlib.sha256(data).hexdigest()}-")
    assert data.partition(b"\n")[2] == notebook("x = 1")
    assert (receipt.file, receipt.size) == ("hw1.ipynb", len(notebook("x = 1")))
    assert stat.S_IMODE(file.stat().st_mode) == 0o440
    assert abs(receipt.handed_in_at.timestamp() - file.stat().st_ctime) <= 1
    assert receipt.signature == ""
    assert receipt.warnings == ()


def test_every_try_is_kept_and_numbered_by_the_files_time(inbox: Path) -> None:
    for source in ("x = 1", "x = 2", "x = 2"):
        hand_in(inbox, notebook(source))
        time.sleep(0.01)
    students, receipts = collected(inbox)
    assert sorted(s.attempt for s in students.submissions) == [1, 2, 3]
    assert [s.file for s in students.submissions] == ["hw1.ipynb"] * 3
    assert len({r.name for r in receipts}) == 3


def test_notebook_that_cannot_be_read_is_refused_and_nothing_is_stored(inbox: Path) -> None:
    with pytest.raises(SubmissionError, match="PDF"):
        hand_in(inbox, b"%PDF-1.4")
    assert not list((inbox / "tries").iterdir())


def test_student_whose_name_is_a_path_stays_a_name(inbox: Path) -> None:
    hand_in(inbox, student="../../etc/=cmd")
    (submission,) = collected(inbox)[0].submissions
    assert not set(submission.student) & set("/=")
    assert submission.display_name == "../../etc/=cmd"


def test_a_try_at_another_assignment_stays_and_one_at_none_of_the_course_is_named(
    inbox: Path,
) -> None:
    hand_in(inbox)
    hand_in(inbox, assignment="hw2")
    hand_in(inbox, assignment="vae final (2)")
    students, _ = collected(inbox, known=[HW, "hw2"])
    assert [s.student for s in students.submissions] == ["anna"]
    assert students.refused == ()
    assert students.warnings == ("1 try at vae final (2), which is no assignment of the course",)


@pytest.mark.parametrize("assignment", ["../x", "/x", "", ".hidden", "a/b", "a\\b", "a\nb"])
def test_assignment_that_is_no_name_is_refused(assignment: str, inbox: Path) -> None:
    with pytest.raises(UsageError, match="not the name of an assignment"):
        hand_in(inbox, assignment=assignment)


@pytest.mark.parametrize("student", ["", "  "])
def test_student_without_a_name_is_refused(student: str, inbox: Path) -> None:
    with pytest.raises(UsageError, match="name of a student"):
        hand_in(inbox, student=student)


def test_time_without_a_zone_is_refused(inbox: Path) -> None:
    path = inbox.parent / "hw1.ipynb"
    path.write_bytes(notebook("x = 1"))
    with pytest.raises(UsageError, match="time zone"):
        submit(path, inbox, student="anna", assignment=HW, now=NOW.replace(tzinfo=None))


def test_path_that_is_no_file_is_refused(inbox: Path) -> None:
    folder = inbox.parent
    os.mkfifo(folder / "pipe.ipynb")
    for name, error in [("gone", UsageError), (".", UsageError), ("pipe.ipynb", SubmissionError)]:
        with pytest.raises(error):
            submit(folder / name, inbox, student="anna", assignment=HW, now=NOW)


def test_what_is_no_inbox_is_handed_nothing(inbox: Path) -> None:
    folder = inbox.parent / "folder"
    with pytest.raises(UsageError, match="there is no such inbox"):
        hand_in(folder)
    folder.mkdir()
    with pytest.raises(UsageError, match="this folder is no inbox"):
        hand_in(folder)
    assert not list(folder.iterdir())
    (folder / ".grader-inbox").write_text('{"format": "grader-inbox 1"}')
    with pytest.raises(InfrastructureError, match="the inbox is damaged"):
        hand_in(folder)
    (folder / "receipts").mkdir()
    (folder / "tries").symlink_to(inbox / "tries")
    with pytest.raises(InfrastructureError, match="this inbox is open"):
        hand_in(folder)


def test_an_inbox_is_made_where_nothing_else_is_and_made_again_with_a_new_list(
    inbox: Path,
) -> None:
    hand_in(inbox)
    assert open_inbox(inbox).assignments == (HW,)
    make_inbox(inbox, assignments=[HW, "hw2"], private=True)
    assert open_inbox(inbox).assignments == (HW, "hw2")
    assert len(collected(inbox)[0].submissions) == 1
    with pytest.raises(UsageError, match="is no inbox"):
        make_inbox(inbox.parent, assignments=[], private=True)
    with pytest.raises(UsageError, match="no such group"):
        make_inbox(inbox.parent / "x", assignments=[], group="no-such-group")


def test_what_is_being_written_is_no_try_yet(inbox: Path) -> None:
    hand_in(inbox)
    (inbox / "tries" / ".half").write_bytes(b"half")
    students, _ = collected(inbox)
    assert (len(students.submissions), students.refused) == (1, ())


def test_inbox_that_cannot_be_written_is_said_so_and_nothing_is_left(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grader.intake.inbox.os.fsync", disk_full)
    with pytest.raises(InfrastructureError, match="No space left on device"):
        hand_in(inbox)
    assert not list((inbox / "tries").iterdir())


def test_a_try_that_changes_between_collecting_and_grading_does_no_harm(inbox: Path) -> None:
    receipt = hand_in(inbox)
    (submission,) = collected(inbox)[0].submissions
    (inbox / "tries" / receipt.name).unlink()
    assert submission.read() == notebook("x = 1")


def test_record_of_another_attempt_is_not_believed(inbox: Path) -> None:
    hand_in(inbox)
    students, _ = collected(inbox)
    store(Collected(students.submissions, assignment=HW), inbox.parent / "kept")
    [folder] = (inbox.parent / "kept" / HW / "anna").iterdir()
    record = json.loads((folder / "submission.json").read_bytes())
    for change in ({"student": "ben"}, {"attempt": 7}, {"sha256": "0" * 64}, {"extra": 1}):
        (folder / "submission.json").write_text(json.dumps(record | change))
        assert "damaged or changed" in load_attempt(folder, 1).problem


@pytest.mark.parametrize(
    ("data", "name", "advice"),
    [
        (notebook("x = 1"), "homework.ipynb", "called homework.ipynb, not hw1.ipynb"),
        (notebook("x = 1", executed=False), "hw1.ipynb", "Cell 1 was never run"),
        (notebook("x = 1", "def f(:\n  pass"), "hw1.ipynb", "Cell 2 has a syntax error: "),
        (notebook("x = 1", "'a\n"), "hw1.ipynb", "Cell 2 has a syntax error: unterminated"),
        (notebook("x = " + "-" * 20_000 + "1"), "hw1.ipynb", "Cell 1 has a syntax error: "),
        (notebook("", " "), "hw1.ipynb", "no code"),
        (notebook("x = 1") + b" " * 11 * 2**20, "hw1.ipynb", "11 MB"),
        (b"\xef\xbb\xbf" + notebook("x = 1"), "hw1.ipynb", "byte order mark"),
    ],
)
def test_student_is_told_what_may_be_mended(
    data: bytes, name: str, advice: str, inbox: Path
) -> None:
    receipt = hand_in(inbox, data, name=name)
    assert advice in " ".join(receipt.warnings)
    assert receipt.name


def test_magics_awaits_and_copies_are_no_reason_to_warn(inbox: Path) -> None:
    data = notebook("%matplotlib inline\n!pip list", "await f()", "%%bash\nls |", "f?", "'\\d'")
    assert hand_in(inbox, data, name="hw1 (2).ipynb").warnings == ()
