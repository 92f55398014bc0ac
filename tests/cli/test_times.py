"""When a student handed in, from the LMS's file to the total: learnt late, put right, copied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from grader.course.directory import Assignment
from grader.gradebook.store import Gradebook
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.verdict import Outcome, Provenance, SubmissionRecord, Verdict
from grader.intake.content import held
from grader.intake.stored import assignment_folder, record_of, write_attempt
from grader.intake.submission import read_submission
from grader.sandbox.choose import Choice
from tests.cli.conftest import Grader
from tests.helpers.assignments import SPEC, make_assignment
from tests.intake.archives import NOTEBOOK, make_zip

COURSE = """\
title = "C"
institution = "U"
term = "T"
timezone = "Europe/Istanbul"
assignments = ["warm-up"]
[late]
percent_per_day = 20
[[components]]
id = "hw"
title = "Homework"
weight = 100
[[components.items]]
id = "warm-up"
title = "Warm-up"
assignment = "warm-up"
"""
ROSTER = "id,name,email\nada,Ada Lovelace,ada@u.edu\nsean,Seán O'Neil,sean@u.edu\n"
WORKSHEET = (
    'Identifier,"Full name","Email address",Grade,"Last modified (submission)",'
    '"Last modified (grade)"\n'
    '"Participant 1",Ada Lovelace,ada@u.edu,,"Monday, 7 October 2024, 10:00 AM",-\n'
    '"Participant 2",Seán O\'Neil,sean@u.edu,,"Thursday, 10 October 2024, 12:30 AM",-\n'
)
GOOD = NOTEBOOK.replace(b"x = 1", b"x = 10")
FAIR = NOTEBOOK.replace(b"x = 1", b"x = 8")


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assignment:
    """A course whose notebooks are judged by the number in them, without a box."""
    root = tmp_path / "course"
    spec = SPEC.replace("manual = 2", "points = 2")
    assignment = make_assignment(root)
    assignment.spec_path.write_text(spec)
    (root / "course.toml").write_text(COURSE)
    (root / "roster.csv").write_text(ROSTER)
    monkeypatch.chdir(root)
    monkeypatch.delenv("GRADER_DATABASE_URL", raising=False)
    chosen = Choice(sandbox="local", isolation="warm", why="for a test", image="one")
    monkeypatch.setattr("grader.api.grading.choose", lambda *args, **kwargs: chosen)
    monkeypatch.setattr("grader.api.grading.grade_batch", judged)
    return assignment


def judged(
    config: BatchConfig,
    jobs: list[Job],
    on_verdict: Callable[[Judged], None],
    *,
    load: Callable[[Job], Job],
    **_: object,
) -> None:
    for job in jobs:
        points = Decimal(load(job).data.partition(b"x = ")[2].partition(b'"')[0].decode())
        verdict = Verdict(
            assignment=config.assignment,
            student=job.student,
            outcome=Outcome.GRADED,
            points=points,
            max_points=Decimal(10),
            submission=SubmissionRecord(
                file=job.file,
                sha256=job.sha256,
                attempt=job.attempt,
                submitted_at=job.submitted_at,
            ),
            provenance=Provenance(
                bundle_sha256=config.bundle_sha256,
                image=config.image,
                sandbox="local",
                isolation="warm",
                seed=1,
            ),
        )
        on_verdict(Judged(verdict=verdict, executed=b"{}"))


def moodle(folder: Path) -> Path:
    path = folder / "moodle.zip"
    path.write_bytes(
        make_zip(
            ("Ada Lovelace_1_assignsubmission_file/warm-up.ipynb", GOOD),
            ("Seán O'Neil_2_assignsubmission_file/warm-up.ipynb", FAIR),
        )
    )
    (folder / "worksheet.csv").write_text(WORKSHEET)
    return path


def blackboard(folder: Path, *tries: tuple[str, bytes]) -> Path:
    path = folder / "blackboard.zip"
    names = [(f"Warm-up_sean_attempt_2024-10-{when}", data) for when, data in tries]
    path.write_bytes(make_zip(*((f"{name}_warm-up.ipynb", data) for name, data in names)))
    return path


def totals(grader: Grader) -> dict[str, str]:
    return {s["student"]: s["so_far"] for s in grader("totals", "--json").json()["students"]}


def grade(grader: Grader, *sources: Path) -> tuple[dict[str, object], str]:
    done = grader("grade", "warm-up", *sources, "--json")
    assert done.code == 0, done.err
    return done.json(), done.err


def sean_hands_in_at_the_desk(course: Assignment) -> None:
    at = dt.datetime(2024, 10, 9, 12, tzinfo=dt.UTC)
    folder = assignment_folder(course.course_root / "submissions", "warm-up")
    one = read_submission(held(FAIR), student="sean", file="a.ipynb", submitted_at=at)
    _, record = write_attempt(folder, record_of(one, "warm-up"), FAIR)
    with Gradebook(f"sqlite:///{course.course_root}/gradebook.db") as gradebook:
        received, _ = gradebook.tries.receive(
            "key",
            assignment="warm-up",
            student="sean",
            file="a.ipynb",
            received_from="sean",
            seed=1,
            now=at,
        )
        gradebook.tries.stored(
            received.id, attempt=record.attempt, sha256=record.sha256_of_all, folder="f"
        )


def test_a_time_learnt_later_reaches_the_totals_and_runs_nothing(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    archive = moodle(tmp_path)
    done = grader("collect", "warm-up", archive)
    assert "2 of 2 have no hand-in time, and are never late." in done.err
    assert "2 of 2 have no hand-in time" in grade(grader)[1]
    assert "Warm-up: 2 of 2 have no hand-in time, and are never late." in grader("totals").err
    assert totals(grader) == {"ada": "100", "sean": "80"}
    done = grader("collect", "warm-up", archive, "--worksheet", tmp_path / "worksheet.csv")
    learnt = (
        "sean: handed in 2024-10-10 00:30:00 Europe/Istanbul (from worksheet.csv); "
        "it was not known."
    )
    assert done.err.count(learnt) == 1
    assert "worksheet.csv: 2 lines, 2 with a time, taken for 2 who handed in." in done.err
    assert "no hand-in time" not in done.err
    assert totals(grader) == {"ada": "100", "sean": "64"}
    batch, said = grade(grader)
    assert (batch["run"], batch["reused"]) == (0, 2)
    assert "no hand-in time" not in said
    assert totals(grader) == {"ada": "100", "sean": "64"}
    assert "handed in not known → 2024-10-10 00:30" in grader("history").out


GRADES = {
    "moodle": WORKSHEET,
    "gradescope": "First Name,Last Name,SID,Email,Total Score,Max Points,Status,Submission ID,"
    "Submission Time,Lateness (H:M:S),View Count,Submission Count\n"
    "Ada,Lovelace,,ada@u.edu,,10.0,Ungraded,11,2024-10-07 00:00:00 -0700,00:00:00,1,1\n"
    "Seán,O'Neil,,sean@u.edu,,10.0,Ungraded,12,2024-10-09 14:30:00 -0700,00:31:00,1,2\n"
    "Eve,New,,eve@u.edu,,10.0,Missing,,,,,\n",
    "sakai": '"Warm-up","Points"\n""\n"Display ID","ID","Last Name","First Name","grade",'
    '"Submission date","Late submission"\n'
    '"ada","ada","Lovelace","Ada","","2024-10-07T07:00:00Z","On time"\n'
    '"sean","sean","O\'Neil","Seán","","2024-10-09T21:30:00.123Z","Late"\n',
    "nbgrader": "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,"
    "late_submission_penalty,score,max_score\n"
    "warm-up,2024-10-09 20:59:00,2024-10-07 07:00:00.5,ada,,,,0,0,0,10\n"
    "warm-up,2024-10-09 20:59:00,2024-10-09 21:30:00.948203,sean,,,,0,0,0,10\n"
    "other,,2024-12-24 07:00:00,sean,,,,0,0,0,10\n",
    "one's own": "id;submitted_at\nada;2024-10-07 10:00\nsean;10.10.2024 00:30\n",
}


@pytest.mark.parametrize("system", GRADES)
def test_a_table_alone_tells_times_of_what_was_graded_and_runs_nothing(
    system: str, course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    grade(grader, moodle(tmp_path))
    table = tmp_path / "grades.csv"
    table.write_text(GRADES[system])
    assert totals(grader) == {"ada": "100", "sean": "80"}
    done = grader("collect", "warm-up", "--worksheet", table)
    assert done.code == 0, done.err
    learnt = "sean: handed in 2024-10-10 00:30:00 Europe/Istanbul (from grades.csv); it was not"
    assert learnt in done.err
    assert "2 hand-in times learnt, 0 known before. Pages: grader report warm-up" in done.err
    assert totals(grader) == {"ada": "100", "sean": "64"}
    assert not (course.course_root / "submissions").exists()
    assert (
        "0 hand-in times learnt, 2 known before."
        in grader("collect", "warm-up", "--worksheet", table).err
    )
    batch, _ = grade(grader, moodle(tmp_path))
    assert (batch["run"], batch["reused"]) == (0, 2)


def test_a_table_alone_tells_the_newest_try_that_was_collected(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    for data in (FAIR, GOOD):
        (tmp_path / "sean.ipynb").write_bytes(data)
        grader("collect", "warm-up", tmp_path / "sean.ipynb")
        if data == FAIR:
            grade(grader)
    table = tmp_path / "grades.csv"
    table.write_text(GRADES["one's own"])
    done = grader("collect", "warm-up", "--worksheet", table, "--json").json()
    assert done["times"] == [
        {"student": "sean", "submitted_at": "2024-10-09T21:30:00+00:00", "before": None}
    ]
    assert "1 student has a time there, and handed in nothing here: ada." in done["warnings"]
    assert totals(grader)["sean"] == "80"  # of the older try nothing is told
    assert grade(grader)[0]["run"] == 1
    assert totals(grader)["sean"] == "80"  # 100 less 20 %
    record = grader("history").out
    assert "handed in not known" not in record


def test_a_table_of_another_system_tells_nothing_of_what_came_through_the_desk(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    """In time at the desk, after a late try elsewhere, it would else be late."""
    (tmp_path / "sean.ipynb").write_bytes(GOOD)
    grader("collect", "warm-up", tmp_path / "sean.ipynb")
    sean_hands_in_at_the_desk(course)
    grade(grader)
    assert totals(grader)["sean"] == "80"
    table = tmp_path / "grades.csv"
    table.write_text(GRADES["one's own"])
    told = grader("collect", "warm-up", "--worksheet", table, "--json").json()["times"]
    assert [one["before"] for one in told] == [None]  # of the other system's try, which has none
    assert totals(grader)["sean"] == "80"


def test_what_a_table_does_not_tell_is_said_with_counts(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    roster = ROSTER + "bea,Bea B,bea@u.edu\ncy,Cy C,cy@u.edu\n"
    (course.course_root / "roster.csv").write_text(roster)
    for student in ("ada", "sean", "bea", "cy"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{student}.ipynb").write_bytes(GOOD)
    table = tmp_path / "grades.csv"
    table.write_text(
        "id,submitted_at\nada,2024-10-07 10:00\nada,2024-10-08 10:00\nsean,-\n"
        "bea,2024-10-07 10:00\nmallory,2024-10-07 10:00\n"
    )
    done = grader("collect", "warm-up", tmp_path / "in", "--worksheet", table)
    for sentence in (
        "grades.csv: 5 lines, 4 with a time, taken for 1 who handed in.",
        "1 line is of nobody known here: mallory.",
        "1 student has two different times there: neither is used: ada.",
        "1 who handed in has no time there: sean.",
        "1 who handed in has no line there: cy.",
        "bea: handed in 2024-10-07 10:00:00",
        "3 of 4 have no hand-in time, and are never late: ada, cy, sean.",
    ):
        assert sentence in done.err
    assert "mallory" in (course.course_root / "matches.csv").read_text()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Student,ID,SIS Login ID,Section,Warm-up (7)\n", "Its gradebook has no times"),
        ("Last Name,First Name,Username,Warm-up [Total Pts: 10] |5\n", "names in its archive"),
        ("OrgDefinedId,Username,End-of-Line Indicator\n", "folders in its archive"),
        ("update,usr_id,login,mark\n", "Neither its status file nor its archive has times"),
        ("id,submitted_at\nada,soon\n", "1 of 1 times of the worksheet can't be read"),
        ("id,submitted_at\nada,03/04/2024 10:00\n", "could be of two months"),
        ("assignment,timestamp,student_id\nother,2024-10-07 10:00:00,ada\n", "no line of the file"),
    ],
)
def test_a_table_without_times_is_refused_with_where_they_are(
    text: str, why: str, course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    grade(grader, moodle(tmp_path))
    table = tmp_path / "grades.csv"
    table.write_text(text)
    done = grader("collect", "warm-up", "--worksheet", table)
    assert done.code == 2
    assert why in done.err.replace("\n", " ")


def test_a_table_of_times_before_anything_was_handed_in_is_refused(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    table = tmp_path / "grades.csv"
    table.write_text(GRADES["one's own"])
    done = grader("collect", "warm-up", "--worksheet", table)
    assert done.code == 2 and "nothing of warm-up was collected or graded yet" in done.err
    done = grader("collect", "warm-up")
    assert done.code == 2 and "Name what came in" in done.err


def test_times_of_a_whole_class_are_counted_and_not_listed(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    (course.course_root / "roster.csv").unlink()
    (tmp_path / "in").mkdir()
    lines = ["id,submitted_at"]
    for number in range(12):
        (tmp_path / "in" / f"s{number:02}.ipynb").write_bytes(GOOD)
        lines.append(f"s{number:02},2024-10-07 10:{number:02}")
    table = tmp_path / "grades.csv"
    table.write_text("\n".join(lines))
    done = grader("collect", "warm-up", tmp_path / "in", "--worksheet", table)
    assert done.err.count("handed in 2024-10-07") == 5
    assert "7 more hand-in times were learnt." in done.err


def test_a_clock_put_right_and_a_due_date_moved_count_from_then_on(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    archive = blackboard(tmp_path, ("09-23-58-00", FAIR))
    grade(grader, archive)
    assert totals(grader) == {"ada": "0", "sean": "80"}
    grade(grader, blackboard(tmp_path, ("10-00-29-00", FAIR)))
    assert totals(grader)["sean"] == "64"
    grade(grader, blackboard(tmp_path, ("09-23-58-00", FAIR)))
    assert totals(grader)["sean"] == "80"
    spec = course.spec_path.read_text()
    course.spec_path.write_text(spec.replace("due = 2024-10-09T23:59", "due = 2024-10-08T12:00"))
    assert totals(grader)["sean"] == "48"


def test_what_comes_without_a_time_takes_none_away(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    archive = moodle(tmp_path)
    grader("collect", "warm-up", archive, "--worksheet", tmp_path / "worksheet.csv")
    grade(grader)
    for sources in ([archive], [archive, "--regrade"]):
        assert "no hand-in time" not in grade(grader, *sources)[1]  # type: ignore[arg-type]
        assert totals(grader)["sean"] == "64"


@pytest.mark.parametrize(
    ("counts", "tries", "want"),
    [
        ("best", [("09-10-00-00", FAIR), ("10-10-00-00", FAIR)], "80"),
        ("best", [("09-10-00-00", FAIR), ("10-10-00-00", NOTEBOOK)], "80"),
        ("best", [("09-10-00-00", FAIR), ("10-10-00-00", GOOD)], "80"),  # 10 less 20 % is 8
        ("best", [("09-10-00-00", NOTEBOOK), ("10-10-00-00", FAIR)], "64"),
        ("last", [("09-10-00-00", FAIR), ("10-10-00-00", FAIR)], "80"),
        ("last", [("09-10-00-00", FAIR), ("11-10-00-00", GOOD)], "60"),
    ],
)
def test_the_best_is_the_best_after_lateness_and_a_copy_is_no_try(
    counts: str,
    tries: list[tuple[str, bytes]],
    want: str,
    course: Assignment,
    tmp_path: Path,
    grader: Grader,
) -> None:
    with course.spec_path.open("a") as spec:
        spec.write(f'[attempts]\ncounts = "{counts}"\n')
    archive = blackboard(tmp_path, *tries)
    for sources in ([archive], []):
        grader("collect", "warm-up", archive)
        batch, _ = grade(grader, *sources)
        assert totals(grader)["sean"] == want
    [total] = grader("totals", "--student", "sean", "--json").json()["students"]
    [item] = total["components"][0]["items"]
    [one] = batch["submissions"]  # type: ignore[misc]
    assert Decimal(one["points"]) == Decimal(item["points"])
    assert dt.datetime.fromisoformat(item["handed_in"]).tzinfo


@pytest.mark.parametrize(
    ("rule", "tries", "want"),
    [
        ("cutoff_days = 1", [("09-10-00-00", FAIR), ("13-10-00-00", GOOD)], ("80", 1)),
        # Accepted late, and then too late.
        (
            "cutoff_days = 1",
            [("09-10-00-00", NOTEBOOK), ("10-10-00-00", FAIR), ("13-10-00-00", GOOD)],
            ("64", 2),
        ),
        ("", [("09-10-00-00", GOOD), ("13-10-00-00", NOTEBOOK)], ("2", 2)),
        ("cutoff_days = 1", [("13-10-00-00", FAIR), ("14-10-00-00", GOOD)], ("0", 2)),
    ],
)
def test_what_is_not_accepted_any_more_takes_nothing_from_what_was(
    rule: str,
    tries: list[tuple[str, bytes]],
    want: tuple[str, int],
    course: Assignment,
    tmp_path: Path,
    grader: Grader,
) -> None:
    facts = course.course_root / "course.toml"
    facts.write_text(facts.read_text().replace("percent_per_day", f"{rule}\npercent_per_day"))
    archive = blackboard(tmp_path, *tries)
    for sources in ([archive], []):
        grader("collect", "warm-up", archive)
        batch, _ = grade(grader, *sources)
        assert totals(grader)["sean"] == want[0]
        assert len(batch["submissions"]) == 1  # type: ignore[arg-type]
    assert grader("report", "warm-up").code == 0
    page = course.course_root / "graded/warm-up/students/sean.html"
    assert f", attempt {want[1]}," in page.read_text()


def test_grading_one_of_several_sources_again_shows_the_try_that_counts(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    grade(grader, blackboard(tmp_path, ("07-10-00-00", FAIR), ("08-10-00-00", GOOD)))
    with course.spec_path.open("a") as spec:
        spec.write('[attempts]\ncounts = "best"\n')
    both = blackboard(tmp_path, ("07-10-00-00", FAIR), ("08-10-00-00", GOOD))
    grade(grader, both)
    batch, _ = grade(grader, blackboard(tmp_path, ("07-10-00-00", FAIR)))
    [one] = batch["submissions"]  # type: ignore[misc]
    assert (Decimal(one["points"]), totals(grader)["sean"]) == (10, "100")
    page = course.course_root / "graded/warm-up/students/sean.html"
    assert ", attempt 2," in page.read_text()


def test_an_archive_never_takes_the_place_of_what_came_through_the_desk(
    course: Assignment, tmp_path: Path, grader: Grader
) -> None:
    sean_hands_in_at_the_desk(course)
    grade(grader)
    archive = blackboard(tmp_path, ("07-10-00-00", GOOD))
    refused = grader("grade", "warm-up", archive)
    assert refused.code == 2 and "sean handed in at the desk, too" in refused.err
    assert totals(grader)["sean"] == "80"
    grader("collect", "warm-up", archive)
    grade(grader)
    assert totals(grader)["sean"] == "80"  # the desk's is the later one
    grade(grader, blackboard(tmp_path, ("09-12-00-00", FAIR)))  # the very same file
