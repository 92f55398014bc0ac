"""Handing in: validated, stored once and for good, numbered without races."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from grader.errors import InfrastructureError, SubmissionError, UsageError
from grader.intake.inbox import submit
from grader.intake.receipt import Receipt
from grader.intake.stored import load_attempt, load_stored

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
    return tmp_path / "inbox"


def hand_in(
    inbox: Path,
    data: bytes = notebook("x = 1"),
    *,
    name: str = "hw1.ipynb",
    student: str = "anna",
    limit: int = 0,
) -> Receipt:
    path = inbox.parent / name
    path.write_bytes(data)
    return submit(path, inbox, student=student, assignment=HW, now=NOW, limit=limit)


def test_submission_is_stored_with_time_hash_and_record(inbox: Path) -> None:
    receipt = hand_in(inbox)
    [folder] = (inbox / HW / "anna").iterdir()
    assert folder.name == f"001-20241030T205859Z-{receipt.sha256[:8]}"
    assert (folder / "notebook.ipynb").read_bytes() == notebook("x = 1")
    record = json.loads((folder / "submission.json").read_bytes())
    assert record["student"] == "anna"
    assert record["submitted_at"] == "2024-10-30T20:58:59Z"
    assert record["sha256"] == receipt.sha256
    assert (receipt.attempt, receipt.file, receipt.size) == (1, "hw1.ipynb", len(notebook("x = 1")))
    assert receipt.warnings == ()


def test_every_try_is_kept(inbox: Path) -> None:
    sources = ["x = 1", "x = 2", "x = 2"]
    attempts = [hand_in(inbox, notebook(s)).attempt for s in sources]
    assert attempts == [1, 2, 3]
    submissions, refused = load_stored(inbox / HW)
    assert [s.read() for s in submissions] == [notebook(s) for s in sources]
    assert refused == []


def test_notebook_that_cannot_be_read_is_refused_and_nothing_is_stored(inbox: Path) -> None:
    with pytest.raises(SubmissionError, match="PDF"):
        hand_in(inbox, b"%PDF-1.4")
    assert not inbox.exists()


def test_attempts_end_at_the_limit(inbox: Path) -> None:
    hand_in(inbox, limit=2)
    hand_in(inbox, limit=2)
    with pytest.raises(UsageError, match="all 2 attempts"):
        hand_in(inbox, limit=2)
    assert hand_in(inbox, limit=2, student="ben").attempt == 1
    assert len(load_stored(inbox / HW)[0]) == 3
    assert hand_in(inbox, limit=3).attempt == 3, "a refused try uses no number up"


def test_student_whose_name_is_a_path_stays_in_the_inbox(inbox: Path) -> None:
    receipt = hand_in(inbox, student="../../etc/=cmd")
    [folder] = [p for p in (inbox / HW).iterdir() if p.is_dir()]
    assert folder.name == receipt.student
    assert not set(receipt.student) & set("/=")
    assert load_stored(inbox / HW)[0][0].display_name == "../../etc/=cmd"


@pytest.mark.parametrize("assignment", ["../x", "/x", "", ".hidden", "a/b", "a\\b", "a\nb"])
def test_assignment_that_is_no_name_is_refused(assignment: str, tmp_path: Path) -> None:
    path = tmp_path / "hw1.ipynb"
    path.write_bytes(notebook("x = 1"))
    with pytest.raises(UsageError, match="not the name of an assignment"):
        submit(path, tmp_path / "inbox", student="anna", assignment=assignment, now=NOW)


@pytest.mark.parametrize("student", ["", "  "])
def test_student_without_a_name_is_refused(student: str, inbox: Path) -> None:
    with pytest.raises(UsageError, match="name of a student"):
        hand_in(inbox, student=student)


def test_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hw1.ipynb"
    path.write_bytes(notebook("x = 1"))
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(UsageError, match="time zone"):
        submit(path, tmp_path / "inbox", student="anna", assignment=HW, now=naive)


def test_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name, error in [("gone", UsageError), (".", UsageError), ("pipe.ipynb", SubmissionError)]:
        with pytest.raises(error):
            submit(tmp_path / name, tmp_path / "inbox", student="anna", assignment=HW, now=NOW)


def test_folder_of_a_student_that_is_a_link_is_refused(inbox: Path) -> None:
    hand_in(inbox, student="ben")
    (inbox / HW / "anna").symlink_to(inbox.parent)
    with pytest.raises(InfrastructureError, match="link"):
        hand_in(inbox)


def test_what_a_killed_submission_left_is_no_attempt(inbox: Path) -> None:
    hand_in(inbox)
    (inbox / HW / "anna" / ".002").mkdir()
    (inbox / HW / "anna" / ".002" / "notebook.ipynb").write_bytes(b"half")
    assert hand_in(inbox).attempt == 3
    assert [s.attempt for s in load_stored(inbox / HW)[0]] == [1, 3]


def test_inbox_that_cannot_be_written_is_said_so_and_nothing_is_left(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(inbox)

    def disk_full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grader.intake.stored.os.fsync", disk_full)
    with pytest.raises(InfrastructureError, match="No space left on device"):
        hand_in(inbox)
    assert [p.name[:3] for p in (inbox / HW / "anna").iterdir()] == ["001"]


def _race(inbox: Path, start: object, results: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    for _ in range(10):
        receipt = submit(
            inbox.parent / "hw1.ipynb", inbox, student="anna", assignment=HW, now=NOW, limit=25
        )
        results.put(receipt.attempt)  # type: ignore[attr-defined]


def test_submissions_at_the_same_time_get_different_numbers(inbox: Path) -> None:
    (inbox.parent / "hw1.ipynb").write_bytes(notebook("x = 1"))
    spawn = multiprocessing.get_context("fork")
    start, results = spawn.Barrier(2), spawn.Queue()
    processes = [spawn.Process(target=_race, args=(inbox, start, results)) for _ in range(2)]
    for process in processes:
        process.start()
    numbers = [results.get(timeout=60) for _ in range(20)]
    for process in processes:
        process.join(60)
    assert len(set(numbers)) == 20
    names = [p.name for p in (inbox / HW / "anna").iterdir()]
    assert sorted(int(name[:3]) for name in names) == sorted(numbers)
    assert stat.S_IMODE((inbox / ".receipt-key").stat().st_mode) == 0o600


def test_record_of_another_attempt_is_not_believed(inbox: Path) -> None:
    hand_in(inbox)
    [folder] = (inbox / HW / "anna").iterdir()
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
    assert receipt.attempt == 1


def test_magics_awaits_and_copies_are_no_reason_to_warn(inbox: Path) -> None:
    data = notebook("%matplotlib inline\n!pip list", "await f()", "%%bash\nls |", "f?", "'\\d'")
    assert hand_in(inbox, data, name="hw1 (2).ipynb").warnings == ()
