"""Collecting a class: nobody is lost, nothing is trusted."""

from __future__ import annotations

import datetime as dt
import os
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course.matches import Matcher
from grader.course.roster import Person, Roster
from grader.errors import UsageError
from grader.intake.class_archives import CollectConfig
from grader.intake.collect import collect
from grader.intake.collected import Collected, without_time
from grader.intake.content import held
from grader.intake.inbox import make_inbox, submit
from grader.intake.stored import LAYOUT_MARK, assignment_folder, record_of, write_attempt
from grader.intake.submission import Submission, read_submission
from grader.intake.submission_store import store

from .archives import NOTEBOOK, make_tar, make_zip, tar_info

HW = "hw1"
Counts = Literal["last", "best"]
OTHER = NOTEBOOK.replace(b"x = 1", b"x = 2")


def write(path: Path, data: bytes = NOTEBOOK, *, day: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    at = dt.datetime(2024, 10, day, tzinfo=dt.UTC).timestamp()
    os.utime(path, (at, at))
    return path


def of(collected: Collected) -> dict[str, str]:
    """Student -> file name, or the problem."""
    return {s.student: s.problem or s.file for s in collected.submissions}


def test_folder_of_notebooks_and_folders_is_collected(tmp_path: Path) -> None:
    write(tmp_path / "anna.ipynb")
    write(tmp_path / "ben" / "deep" / "er" / "homework.ipynb", OTHER)
    got = collect([tmp_path], assignment=HW)
    assert of(got) == {"anna": "anna.ipynb", "ben": "homework.ipynb"}
    assert got.submissions[1].read() == OTHER
    assert {s.submitted_at for s in got.submissions} == {None}
    assert got.refused == ()


def test_archives_of_either_are_collected(tmp_path: Path) -> None:
    members = [("anna.ipynb", NOTEBOOK), ("ben/x/hw.ipynb", OTHER), ("__MACOSX/._a.ipynb", b"")]
    write(tmp_path / "a.zip", make_zip(*members))
    write(tmp_path / "a.tar", make_tar(*members))
    write(tmp_path / "a.tgz", make_tar(*members, gz=True))
    for name in ("a.zip", "a.tar", "a.tgz"):
        got = collect([tmp_path / name], assignment=HW)
        assert of(got) == {"anna": "anna.ipynb", "ben": "hw.ipynb"}, name
        assert got.refused == ()


@pytest.mark.parametrize("outer", ["hw1/", "submissions/", "Section 2/HW1 (1)/"])
def test_folder_round_a_class_is_looked_through(outer: str, tmp_path: Path) -> None:
    names = ["anna/one.ipynb", "ben/two.ipynb", "carl/report.pdf"]
    source = write(tmp_path / "x.zip", make_zip(*[(outer + n, NOTEBOOK) for n in names]))
    assert list(of(collect([source], assignment=HW))) == ["anna", "ben", "carl"]


def test_lonely_folder_of_one_student_is_theirs(tmp_path: Path) -> None:
    source = write(
        tmp_path / "x.zip", make_zip(("anna/hw1.ipynb", NOTEBOOK), ("anna/old.ipynb", OTHER))
    )
    assert of(collect([source], assignment=HW)) == {"anna": "hw1.ipynb"}


def test_zip_of_each_student_inside_the_archive_is_opened(tmp_path: Path) -> None:
    inner = make_zip(("hw1/hw1.ipynb", NOTEBOOK), ("hw1/data.csv", b"1"))
    outer = make_zip(("anna.zip", inner), ("ben.zip", make_zip(("r.pdf", b""))), ("c.zip", b"PK"))
    got = of(collect([write(tmp_path / "x.zip", outer)], assignment=HW))
    assert got["anna"] == "hw1.ipynb"
    assert "found: r.pdf" in got["ben"]
    assert "damaged" in got["c"]


def test_zip_of_a_student_inside_a_folder_is_opened(tmp_path: Path) -> None:
    write(tmp_path / "anna.zip", make_zip(("hw1.ipynb", NOTEBOOK)))
    write(tmp_path / "ben" / "work.zip", make_zip(("hw1.ipynb", NOTEBOOK)))
    assert of(collect([tmp_path], assignment=HW)) == {"anna": "hw1.ipynb", "ben": "hw1.ipynb"}


def test_single_notebook_is_collected(tmp_path: Path) -> None:
    source = write(tmp_path / "anna.ipynb")
    write(tmp_path / "ben.ipynb")
    assert of(collect([source], assignment=HW)) == {"anna": "anna.ipynb"}


def test_several_notebooks_prefer_the_one_named_as_the_assignment(tmp_path: Path) -> None:
    write(tmp_path / "anna" / "hw1 (2).ipynb", day=3)
    write(tmp_path / "anna" / "scratch.ipynb", OTHER, day=9)
    write(tmp_path / "ben" / "a.ipynb", day=3)
    write(tmp_path / "ben" / "b.ipynb", OTHER, day=4)
    write(tmp_path / "carl" / "a.ipynb", day=3)
    write(tmp_path / "carl" / "b.ipynb", OTHER, day=3)
    collected = collect([tmp_path], assignment=HW)
    got = of(collected)
    assert got == {"anna": "hw1 (2).ipynb", "ben": "a.ipynb", "carl": "a.ipynb"}
    notes = {s.student: s.notes for s in collected.submissions}
    assert "Passed over: scratch.ipynb." in notes["anna"][0]
    assert notes["ben"] == notes["carl"], "the time of a copy decides nothing"
    assert f"ben: {notes['ben'][0]}" in collected.warnings
    store(collected, tmp_path / "kept")
    again = collect([tmp_path / "kept"], assignment=HW)
    assert {s.student: s.notes for s in again.submissions} == notes


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (b"%PDF-1.4", "PDF"), (NOTEBOOK[:-9], "cut off"), (b"x\xff\x00", "damaged")],
)
def test_student_whose_only_file_is_unreadable_is_not_lost(
    data: bytes, reason: str, tmp_path: Path
) -> None:
    write(tmp_path / "anna.ipynb", data)
    [submission] = collect([tmp_path], assignment=HW).submissions
    assert submission.student == "anna"
    assert reason in submission.problem
    assert submission.read() == data


def test_student_without_a_notebook_is_not_lost(tmp_path: Path) -> None:
    write(tmp_path / "anna" / "report.pdf")
    (tmp_path / "ben").mkdir()
    write(tmp_path / "carl.py", b"import torch")
    got = of(collect([tmp_path], assignment=HW))
    assert "No notebook was handed in (found: report.pdf)" in got["anna"]
    assert "found nothing" in got["ben"]
    assert "found: carl.py" in got["carl"]


def test_other_files_beside_the_submissions_are_refused_and_named(tmp_path: Path) -> None:
    write(tmp_path / "anna.ipynb")
    write(tmp_path / "grades.csv")
    got = collect([tmp_path], assignment=HW)
    assert list(of(got)) == ["anna"]
    assert [(Path(r.source).name, r.reason) for r in got.refused] == [
        ("grades.csv", "it is no notebook")
    ]


def test_link_that_leads_out_is_refused_and_its_student_not_lost(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.ipynb")
    source = tmp_path / "in"
    (source / "anna").mkdir(parents=True)
    (source / "anna" / "hw1.ipynb").symlink_to(secret)
    (source / "ben").symlink_to(tmp_path)
    write(source / "carl.ipynb", OTHER)
    got = collect([source], assignment=HW)
    assert "leads out" in of(got)["anna"]
    assert of(got)["carl"] == "carl.ipynb"
    assert all(s.read() != NOTEBOOK for s in got.submissions)
    assert {Path(r.source).name for r in got.refused} == {"hw1.ipynb", "ben"}


def test_link_inside_the_folder_is_read_and_a_loop_of_folders_ends(tmp_path: Path) -> None:
    write(tmp_path / "anna" / "v2.ipynb")
    (tmp_path / "anna" / "hw1.ipynb").symlink_to("v2.ipynb")
    (tmp_path / "anna" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "anna" / "gone.ipynb").symlink_to("nowhere")
    got = collect([tmp_path], assignment=HW)
    assert of(got) == {"anna": "hw1.ipynb"}
    assert sorted(r.reason.split("that ")[-1].split("; ")[-1] for r in got.refused) == [
        "leads nowhere",
        "these are not followed",
    ]


def test_pipe_and_socket_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "anna.ipynb")
    write(tmp_path / "ben.ipynb")
    with socket.socket(socket.AF_UNIX) as unix:
        here = Path.cwd()
        os.chdir(tmp_path)  # the name of a socket has at most a hundred characters
        unix.bind("carl.ipynb")
        os.chdir(here)
    got = of(collect([tmp_path], assignment=HW))  # else it never comes back
    assert "no regular file" in got["anna"]
    assert "no regular file" in got["carl"]
    assert got["ben"] == "ben.ipynb"


def test_names_that_are_paths_formulas_or_not_utf_8_are_made_safe(tmp_path: Path) -> None:
    write(tmp_path / "=cmd|calc.ipynb")
    write(tmp_path / "a\nb" / "hw1.ipynb")
    write(tmp_path / os.fsdecode(b"\xff\xfe") / "hw1.ipynb")
    got = collect([tmp_path], assignment=HW)
    assert len(got.submissions) == 3
    for submission in got.submissions:
        assert submission.student.isprintable()
        assert not set(submission.student) & set("=|\n/")
        assert not submission.problem


def test_students_who_look_alike_are_reported_and_not_merged(tmp_path: Path) -> None:
    write(tmp_path / "anna.ipynb")
    write(tmp_path / "Anna.ipynb", OTHER)
    got = collect([tmp_path], assignment=HW)
    assert len(got.submissions) == 2
    assert got.warnings == ("Anna and anna look alike; they are treated as different students.",)


def test_two_spellings_of_one_name_are_one_student_and_reported(tmp_path: Path) -> None:
    write(tmp_path / "x.zip", make_zip(("José/hw1.ipynb", NOTEBOOK)))
    write(tmp_path / "y" / "Jose\u0301" / "hw1.ipynb", OTHER)
    write(tmp_path / "y" / "José" / "notes.txt", b"")
    got = collect([tmp_path / "x.zip", tmp_path / "y"], assignment=HW)
    assert [(s.student, s.attempt, s.read()) for s in got.submissions] == [("José", 2, OTHER)]
    assert "taken for one student" in got.warnings[0]


def test_hostile_members_cost_only_themselves(tmp_path: Path) -> None:
    link = tar_info("ben/hw1.ipynb", kind=b"2", link="/etc/passwd")
    data = make_tar(("../evil.ipynb", OTHER), (link, b""), ("anna/hw1.ipynb", NOTEBOOK))
    got = collect([write(tmp_path / "x.tar", data)], assignment=HW)
    assert of(got)["anna"] == "hw1.ipynb"
    assert "symbolic link" in of(got)["ben"]
    assert len(got.submissions) == 2
    assert [r.reason for r in got.refused] == [
        "the path leads out of the archive (..)",
        "it is a symbolic link",
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda p: p / "nothing",
        lambda p: (p / "empty").mkdir() or p / "empty",
        lambda p: write(p / "x.zip", make_zip()),
        lambda p: write(p / "x.zip", b"no zip"),
        lambda p: write(p / "notes.csv", b"a,b"),
    ],
)
def test_source_without_a_submission_is_a_usage_error(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        collect([make(tmp_path)], assignment=HW)
    assert caught.value.hint


def test_attempts_from_several_sources_are_numbered_in_order(tmp_path: Path) -> None:
    write(tmp_path / "one" / "anna.ipynb")
    write(tmp_path / "two" / "anna.ipynb", OTHER)
    sources = [tmp_path / "one", tmp_path / "two"]
    last = collect(sources, assignment=HW)
    assert [(s.attempt, s.read()) for s in last.submissions] == [(2, OTHER)]
    every = collect(sources, assignment=HW, counts="best")
    assert [(s.attempt, s.read()) for s in every.submissions] == [(1, NOTEBOOK), (2, OTHER)]
    limited = collect(sources, assignment=HW, limit=1)
    assert [s.read() for s in limited.submissions] == [NOTEBOOK]
    assert limited.refused[0].reason == "attempt 2 of a limit of 1"


def test_a_try_that_costs_none_is_one_that_was_stored(tmp_path: Path) -> None:
    write(tmp_path / "one" / "anna.ipynb")
    write(tmp_path / "two" / "anna.ipynb", OTHER)
    store(collect([tmp_path / "one"], assignment=HW), tmp_path / "kept")
    limited = {"assignment": HW, "limit": 1, "costless": {("anna", 1), ("ben", 2)}}
    free = collect([tmp_path / "kept", tmp_path / "two"], **limited)
    assert ([s.read() for s in free.submissions], free.refused) == ([OTHER], ())
    archive = collect([tmp_path / "one", tmp_path / "two"], **limited)
    assert [s.read() for s in archive.submissions] == [NOTEBOOK]
    assert archive.refused[0].reason == "attempt 2 of a limit of 1"


def test_inbox_is_collected_with_times_and_attempts(tmp_path: Path) -> None:
    inbox = make_inbox(tmp_path / "inbox", assignments=[HW], private=True).root
    notebook = write(tmp_path / "hw1.ipynb")
    claimed = dt.datetime(2024, 10, 1, 9, tzinfo=dt.UTC)
    began = dt.datetime.now(dt.UTC).replace(microsecond=0)
    for student, data in [("ben", NOTEBOOK), ("anna", NOTEBOOK), ("anna", OTHER)]:
        write(notebook, data)
        submit(notebook, inbox, student=student, assignment=HW, now=claimed)
        time.sleep(0.02)  # so that the file system's times differ
    got = collect([inbox], assignment=HW)
    assert [(s.student, s.attempt) for s in got.submissions] == [("anna", 2), ("ben", 1)]
    for submission in got.submissions:
        assert submission.submitted_at is not None
        assert submission.submitted_at >= began
    assert got.submissions[0].read() == OTHER
    assert got.refused == ()
    assert len(collect([inbox], assignment=HW, counts="best").submissions) == 3


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if not p.is_dir()}


def test_stored_submissions_are_collected_again_as_they_were(tmp_path: Path) -> None:
    write(tmp_path / "in" / "anna.ipynb")
    write(tmp_path / "in" / "ben" / "report.pdf")
    write(tmp_path / "in" / "carl.ipynb", b"\xef\xbb\xbf" + NOTEBOOK)
    write(tmp_path / "in" / "dora.ipynb", b"")
    collected = collect([tmp_path / "in"], assignment=HW)
    folders = store(collected, tmp_path / "submissions").folders
    assert [f.name.split("-")[:2] for f in folders] == [["001", "undated"]] * 4
    assert collect([tmp_path / "submissions"], assignment=HW) == collected
    assert collect([tmp_path / "submissions" / HW], assignment=HW) == collected


def test_storing_twice_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "in" / "anna.ipynb")
    collected = collect([tmp_path / "in"], assignment=HW)
    first = store(collected, tmp_path / "out").folders
    before = tree(tmp_path / "out")
    assert store(collected, tmp_path / "out").folders == first
    assert tree(tmp_path / "out") == before


def test_changed_file_becomes_a_further_attempt_and_overwrites_nothing(tmp_path: Path) -> None:
    for data in (NOTEBOOK, OTHER, NOTEBOOK, NOTEBOOK):
        write(tmp_path / "in" / "anna.ipynb", data)
        store(collect([tmp_path / "in"], assignment=HW), tmp_path / "out")
    got = collect([tmp_path / "out"], assignment=HW, counts="best")
    assert [(s.attempt, s.read()) for s in got.submissions] == [
        (1, NOTEBOOK),
        (2, OTHER),
        (3, NOTEBOOK),
    ]


def test_only_the_last_attempt_of_an_inbox_is_stored_under_its_own_number(tmp_path: Path) -> None:
    inbox = make_inbox(tmp_path / "inbox", assignments=[HW], private=True).root
    for data in (NOTEBOOK, OTHER, NOTEBOOK + b"\n"):
        notebook = write(tmp_path / "hw1.ipynb", data)
        time.sleep(0.02)  # so that the file system's times differ
        submit(notebook, inbox, student="anna", assignment=HW, now=dt.datetime.now(dt.UTC))
        store(collect([inbox], assignment=HW), tmp_path / "out")
        store(collect([inbox], assignment=HW), tmp_path / "out")
    got = collect([tmp_path / "out"], assignment=HW, counts="best")
    assert [(s.attempt, s.read()) for s in got.submissions] == [
        (1, NOTEBOOK),
        (2, OTHER),
        (3, NOTEBOOK + b"\n"),
    ]


def test_a_lonely_folder_that_may_be_one_students_is_said(tmp_path: Path) -> None:
    write(tmp_path / "in" / "sean" / "draft.ipynb")
    write(tmp_path / "in" / "sean" / "homework_final.ipynb", OTHER)
    got = collect([tmp_path / "in"], assignment=HW)
    assert [s.student for s in got.submissions] == ["draft", "homework_final"]
    assert "sean/ was taken for the folder round the class" in got.warnings[0]
    write(tmp_path / "in" / "anna" / "hw1.ipynb")
    got = collect([tmp_path / "in"], assignment=HW)
    assert [s.student for s in got.submissions] == ["anna", "sean"]
    assert "Passed over: homework_final.ipynb." in got.warnings[0]


def test_a_lonely_folder_with_the_name_of_somebody_on_the_roster_is_theirs(tmp_path: Path) -> None:
    write(tmp_path / "in" / "Sean O'Casey" / "draft.ipynb")
    write(tmp_path / "in" / "Sean O'Casey" / "homework_final.ipynb", OTHER)
    people = {"sean": Person(id="sean", name="Sean O'Casey")}
    matcher = Matcher(Roster(people), tmp_path / "matches.csv")
    [one] = collect(
        [tmp_path / "in"], assignment=HW, config=CollectConfig(matcher=matcher)
    ).submissions
    assert one.student == "sean"
    assert "draft.ipynb" in one.problem + " ".join(one.notes)
    assert not matcher.open


def old_inbox(root: Path, assignment: str, student: str = "eve") -> None:
    """What version 0.1 wrote: times and names as whoever could write there would have them."""
    written = Submission(
        student=student,
        file="hw1.ipynb",
        content=held(NOTEBOOK),
        submitted_at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        attempt=1,
    )
    store(Collected((written,), assignment=assignment), root)
    (root / ".receipt-key").write_bytes(bytes(32))


def test_times_of_an_inbox_of_an_earlier_version_are_left_out_and_it_is_said(
    tmp_path: Path,
) -> None:
    old_inbox(tmp_path / "inbox", HW)
    got = collect([tmp_path / "inbox"], assignment=HW)
    assert [(s.student, s.submitted_at) for s in got.submissions] == [("eve", None)]
    assert any("made by an earlier version" in warning for warning in got.warnings)


def test_folders_of_assignments_are_named_and_never_students(tmp_path: Path) -> None:
    old_inbox(tmp_path / "inbox", "vae final (2)")
    config = CollectConfig(assignments=(HW, "hw2"))
    with pytest.raises(UsageError, match="none is hw1") as caught:
        collect([tmp_path / "inbox"], assignment=HW, config=config)
    assert "vae final (2)/ was handed in as an assignment that the course" in str(caught.value)
    old_inbox(tmp_path / "inbox", HW)
    got = collect([tmp_path / "inbox"], assignment=HW, config=config)
    assert [s.student for s in got.submissions] == ["eve"]
    assert any("vae final (2)/ was handed in as" in warning for warning in got.warnings)


def test_a_folder_called_as_another_assignment_is_no_student(tmp_path: Path) -> None:
    write(tmp_path / "in" / "anna" / "hw1.ipynb")
    write(tmp_path / "in" / "hw2" / "ben.ipynb")
    got = collect([tmp_path / "in"], assignment=HW, config=CollectConfig(assignments=(HW, "hw2")))
    assert [s.student for s in got.submissions] == ["anna"]
    assert [r.reason for r in got.refused] == ["it is another assignment's"]


@pytest.mark.parametrize("damage", ["notebook", "record", "no record", "no notebook", "other"])
def test_damaged_stored_submission_is_not_lost_and_not_trusted(damage: str, tmp_path: Path) -> None:
    write(tmp_path / "in" / "anna.ipynb")
    [folder] = store(collect([tmp_path / "in"], assignment=HW), tmp_path / "out").folders
    record = folder / "submission.json"
    if damage == "notebook":
        (folder / "notebook.ipynb").write_bytes(OTHER)
    elif damage == "record":
        record.write_text("[" * 100_000)
    elif damage == "no record":
        record.unlink()
    elif damage == "no notebook":
        (folder / "notebook.ipynb").unlink()
    else:
        record.write_text(record.read_text().replace('"anna"', '"ben"'))
    [submission] = collect([tmp_path / "out"], assignment=HW).submissions
    assert submission.student == "anna"
    assert "damaged or changed" in submission.problem
    assert submission.read() == b""


def test_folder_that_only_looks_stored_is_no_source_of_times_and_attempts(tmp_path: Path) -> None:
    write(tmp_path / "real" / "anna.ipynb")
    [folder] = store(collect([tmp_path / "real"], assignment=HW), tmp_path / "out").folders
    forged = tmp_path / "class"
    (forged / "anna").mkdir(parents=True)
    folder.rename(forged / "anna" / "009-20200101T000000Z-00000000")
    write(forged / "ben.ipynb")
    assert not (forged / LAYOUT_MARK).exists()
    got = collect([forged], assignment=HW)
    assert {(s.student, s.attempt, s.submitted_at) for s in got.submissions} == {
        ("anna", 1, None),
        ("ben", 1, None),
    }


def handed_in(folder: Path, *tries: tuple[int, bytes]) -> Path:
    """A source with tries of Anna's that have times: hour, and the bytes."""
    source = folder / "handed-in"
    for number, (hour, data) in enumerate(tries, start=1):
        one = read_submission(
            held(data),
            student="anna",
            file="hw1.ipynb",
            submitted_at=dt.datetime(2024, 10, 1, hour, tzinfo=dt.UTC),
            attempt=number,
        )
        write_attempt(assignment_folder(source, HW), record_of(one, HW), data)
    return source


def when(collected: Collected) -> list[tuple[int, int | None]]:
    return [(s.attempt, s.submitted_at and s.submitted_at.hour) for s in collected.submissions]


@pytest.mark.parametrize("counts", ["last", "best"])
def test_a_copy_of_the_same_bytes_is_no_new_try(counts: Counts, tmp_path: Path) -> None:
    inbox = handed_in(tmp_path, (9, NOTEBOOK), (20, NOTEBOOK))
    got = collect([inbox], assignment=HW, counts=counts, limit=1)
    assert (when(got), got.refused) == ([(1, 9)], ())


def test_who_goes_back_to_an_earlier_version_has_handed_in_anew(tmp_path: Path) -> None:
    inbox = handed_in(tmp_path, (9, NOTEBOOK), (10, OTHER), (11, NOTEBOOK), (12, NOTEBOOK))
    assert when(collect([inbox], assignment=HW)) == [(3, 11)]


@pytest.mark.parametrize(
    ("due", "kept"), [(9, [1, 2, 3]), (8, [1, 2, 3]), (10, [2, 3]), (12, [3]), (None, [3])]
)
def test_where_the_last_try_came_late_the_last_in_time_is_kept_too(
    due: int | None, kept: list[int], tmp_path: Path
) -> None:
    inbox = handed_in(tmp_path, (9, NOTEBOOK), (10, OTHER), (12, NOTEBOOK))
    at = None if due is None else dt.datetime(2024, 10, 1, due, tzinfo=dt.UTC)
    found = collect([inbox], assignment=HW, due=at).submissions
    assert [one.attempt for one in found] == kept


def test_a_copy_of_what_is_stored_adds_no_attempt(tmp_path: Path) -> None:
    write(tmp_path / "in" / "anna.ipynb")
    store(collect([tmp_path / "in"], assignment=HW), tmp_path / "out")
    store(collect([handed_in(tmp_path, (9, NOTEBOOK))], assignment=HW), tmp_path / "out")
    late = tmp_path / "later"
    store(collect([handed_in(late, (9, OTHER), (20, NOTEBOOK))], assignment=HW), tmp_path / "out")
    assert when(collect([tmp_path / "out"], assignment=HW, counts="best")) == [(1, 9)]


def test_a_time_that_is_learnt_or_put_right_is_a_new_fact_beside_the_old(tmp_path: Path) -> None:
    write(tmp_path / "in" / "anna.ipynb")
    got = collect([tmp_path / "in"], assignment=HW)
    assert without_time(got.submissions) == "1 of 1 have no hand-in time, and are never late."
    [folder] = store(got, tmp_path / "out").folders
    before = tree(folder)
    for hour in (9, 9, 8):
        at = dt.datetime(2024, 10, 1, hour, tzinfo=dt.UTC)
        told = replace(got.submissions[0], submitted_at=at, time_from="w.csv")
        stored = store(
            replace(got, submissions=(told,)), tmp_path / "out", zone=ZoneInfo("Europe/Istanbul")
        )
    assert stored.times == (
        "anna: handed in 2024-10-01 11:00:00 Europe/Istanbul (from w.csv); "
        "until now 2024-10-01 12:00:00 Europe/Istanbul.",
    )
    assert before.items() <= tree(folder).items()
    assert len(list(folder.glob("handed-in-*.json"))) == 2
    again = collect([tmp_path / "out"], assignment=HW)
    assert (when(again), again.submissions[0].time_from) == ([(1, 8)], "w.csv")
    # What comes without a time takes away none.
    assert store(got, tmp_path / "out").submissions[0].submitted_at == told.submitted_at


def test_a_damaged_time_is_not_trusted(tmp_path: Path) -> None:
    inbox = handed_in(tmp_path, (9, NOTEBOOK))
    [folder] = store(collect([inbox], assignment=HW), tmp_path / "out").folders
    (folder / "handed-in-001-00000000.json").write_text('{"submitted_at": "soon"}')
    assert "its time is damaged" in of(collect([tmp_path / "out"], assignment=HW))["anna"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 23), st.sampled_from([NOTEBOOK, OTHER])), max_size=6))
def test_no_copy_makes_a_try_late_or_a_further_one(tries: list[tuple[int, bytes]]) -> None:
    """Against every order of tries: as many as there are changes, each with its first time."""
    ordered = sorted(tries, key=lambda t: t[0])
    with tempfile.TemporaryDirectory() as folder:
        inbox = handed_in(Path(folder), *ordered)
        if not tries:
            return
        got = collect([inbox], assignment=HW, counts="best")
        changes = [t for i, t in enumerate(ordered) if i == 0 or ordered[i - 1][1] != t[1]]
        assert [(s.submitted_at and s.submitted_at.hour, s.read()) for s in got.submissions] == (
            changes
        )
