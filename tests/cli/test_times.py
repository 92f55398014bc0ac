"""When a student handed in, from the LMS's file to the total: learnt late, put right, copied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from grader.course.directory import Assignment
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.verdict import Outcome, Provenance, SubmissionRecord, Verdict
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
    config: BatchConfig, jobs: list[Job], watchers: object, *, load: Callable[[Job], Job]
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
        watchers.on_verdict(Judged(verdict=verdict, executed=b"{}"))  # type: ignore[attr-defined]


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
    assert learnt in done.err
    batch, said = grade(grader)
    assert (batch["run"], batch["reused"]) == (0, 2)
    assert learnt in said
    assert "no hand-in time" not in said
    assert totals(grader) == {"ada": "100", "sean": "64"}
    assert "handed in not known → 2024-10-10 00:30" in grader("marks", "history").out


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
