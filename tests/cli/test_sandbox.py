"""`sandbox`, `doctor`, and what `grade` says where a sandbox fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from grader.api.graded import Graded
from grader.course.directory import Assignment
from grader.grading.verdict import Outcome, SubmissionRecord, Verdict
from grader.sandbox.choose import Choice
from grader.sandbox.doctor import Check
from grader.suite.results import TestOutcome, TestResult
from tests.cli.conftest import Grader, write_class

CHECKS = [
    Check(name="the network is closed", ok=True, found="closed"),
    Check(name="memory is limited", ok=False, found="not bounded", fix="Fix the cgroups."),
    Check(name="GPU", ok=None, found="none on this machine"),
]


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address at which no engine answers."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")


@pytest.fixture
def diagnosis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Check]:
    """What `doctor` finds, without the minute that it takes; no judge stays for this user."""
    found = list(CHECKS)
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))

    def diagnose(sandbox: str, *, gpu: bool, runtime: str) -> Iterator[Check]:
        assert (sandbox, gpu, runtime) == ("local", False, "")
        yield from found

    monkeypatch.setattr("grader.sandbox.doctor.diagnose", diagnose)
    return found


@pytest.mark.parametrize("command", [["build"], ["status"], ["prune"]])
def test_without_an_engine_it_says_how_to_have_one(
    warm_up: Assignment, grader: Grader, no_engine: None, command: list[str]
) -> None:
    done = grader("sandbox", *command)
    assert done.code == 1
    assert "no Docker engine answers at tcp://127.0.0.1:9" in done.err
    assert "nothing is listening there" in done.err
    assert "--sandbox local" in done.err


def test_docker_without_an_engine_is_said_before_anything_is_graded(
    warm_up: Assignment, grader: Grader, no_engine: None
) -> None:
    write_class(warm_up, warm_up.course_root / "submissions")
    done = grader("grade", "warm-up", "--sandbox", "docker")
    assert (done.code, done.out) == (1, "")
    assert "no Docker engine answers" in done.err
    assert not (warm_up.course_root / "graded").exists()


def test_doctor_names_what_does_not_hold_and_what_to_do(
    grader: Grader, diagnosis: list[Check]
) -> None:
    done = grader("doctor", "--sandbox", "local")
    assert done.code == 1
    assert [line[0] for line in done.out.splitlines()] == [
        "✓",
        "✗",
        " ",
        "–",
        "✓",
    ]  # the last: what stays
    assert "Fix the cgroups." in done.out
    assert done.err == "Does not hold: memory is limited.\n"


def test_doctor_is_content_where_a_thing_is_merely_not_there(
    grader: Grader, diagnosis: list[Check]
) -> None:
    del diagnosis[1]
    assert grader("doctor", "--sandbox", "local").code == 0


def test_doctor_as_json_is_one_document(grader: Grader, diagnosis: list[Check]) -> None:
    done = grader("doctor", "--sandbox", "local", "--json")
    assert done.code == 1
    assert [check["ok"] for check in done.json()] == [True, False, None, True]
    assert set(done.json()[1]) == {"name", "ok", "found", "fix"}


@pytest.mark.parametrize("as_json", [False, True])
def test_a_submission_that_we_failed_to_judge_is_exit_code_1_and_no_mark(
    warm_up: Assignment,
    grader: Grader,
    monkeypatch: pytest.MonkeyPatch,
    as_json: bool,
) -> None:
    monkeypatch.setattr("grader.api.grade", lambda *_, **__: broken(warm_up), raising=False)
    done = grader("grade", "warm-up", *(["--json"] if as_json else []))
    assert done.code == 1
    assert "Not graded: ada: the engine went away" in done.err
    assert "Fix the cause and run the command again" in done.err
    if as_json:
        assert done.json()["infrastructure_errors"] == 1
    else:
        row = next(line.split() for line in done.out.splitlines() if "ada" in line)
        assert row[:4] == ["ada", "–", "–", "–"]


def broken(assignment: Assignment) -> Graded:
    """A batch of one, that our own side has spoilt."""
    verdict = Verdict(
        assignment=assignment.name,
        student="ada",
        outcome=Outcome.INFRASTRUCTURE_ERROR,
        points=Decimal(0),
        max_points=assignment.spec.machine_points,
        reason="the engine went away",
        submission=SubmissionRecord(file="ada.ipynb", sha256="0" * 64),
    )
    return Graded(
        assignment=assignment.name,
        spec=assignment.spec,
        choice=Choice(sandbox="docker", isolation="warm", why=""),
        seed=1,
        verdicts=[verdict],
        pages={},
        class_page=Path("graded/warm-up/class.html"),
        duration_s=1.0,
        run=1,
        reused=0,
        refused=(),
    )


def test_a_broken_test_of_the_suite_is_named_with_whom_it_concerns(
    warm_up: Assignment, grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    (verdict,) = broken(warm_up).verdicts
    test = TestResult(
        name="test_rows",
        question="q1",
        points=Decimal(0),
        max_points=Decimal(2),
        outcome=TestOutcome.SUITE_ERROR,
        details="test_q1.py:7: KeyError: 'oops'",
    )
    verdict = msgspec.structs.replace(verdict, outcome=Outcome.SUITE_ERROR, tests=(test,))
    spoilt = dataclasses.replace(broken(warm_up), verdicts=[verdict])
    monkeypatch.setattr("grader.api.grade", lambda *_, **__: spoilt, raising=False)
    done = grader("grade", "warm-up", "--json")
    assert done.code == 1
    assert "Broken test: test_rows: test_q1.py:7: KeyError: 'oops'" in done.err
    assert "no mark for it: ada" in done.err
    assert "grader validate warm-up" in done.err
    assert done.json()["suite_errors"] == [
        {"test": "test_rows", "what": "test_q1.py:7: KeyError: 'oops'", "students": ["ada"]}
    ]
