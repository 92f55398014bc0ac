"""`grade`, `report`, `check`: a small class through the real local sandbox, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.course.directory import Assignment
from grader.release.notebooks import notebook_bytes, solution_notebook
from tests.cli.conftest import Done, Grader, in_process_of_its_own, write_class
from tests.helpers.assignments import HIDDEN, make_assignment, write_assignment

in_the_box = [pytest.mark.local_box, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Graded:
    """A course whose class has been graded, and what the command said."""

    assignment: Assignment
    done: Done

    @property
    def root(self) -> Path:
        return self.assignment.course_root

    def again(self, *arguments: object) -> Done:
        return in_process_of_its_own(
            "grade", "warm-up", "--sandbox", "local", *arguments, cwd=self.root
        )


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    assignment = make_assignment(tmp_path_factory.mktemp("graded") / "course")
    write_class(assignment, assignment.course_root / "submissions")
    arguments = ["grade", "warm-up", "--sandbox", "local", "--seed", "7", "--json"]
    yield Graded(assignment, in_process_of_its_own(*arguments, cwd=assignment.course_root))


class TestAGradedClass:
    pytestmark = in_the_box

    def test_stdout_is_one_document_with_the_fields_that_are_promised(self, graded: Graded) -> None:
        assert graded.done.code == 0, graded.done.err
        found = graded.done.json()
        promised = {
            "assignment": "warm-up",
            "max_points": 8,
            "sandbox": "local",
            "infrastructure_errors": 0,
            "seed": 7,
        }
        assert promised.items() <= found.items()
        assert found["isolation"] in ("warm", "single-use")
        assert found["duration_s"] > 0
        assert [s["student"] for s in found["submissions"]] == ["ada", "ben", "cem"]
        for submission in found["submissions"]:
            fields = {"student", "outcome", "points", "max_points", "report", "tests"}
            assert fields <= set(submission)
            assert Path(submission["report"]).is_file()

    def test_each_test_has_its_name_question_points_outcome_and_message(
        self, graded: Graded
    ) -> None:
        ada, ben, cem = graded.done.json()["submissions"]
        assert (ada["outcome"], ada["points"], ada["max_points"]) == ("graded", 8, 8)
        assert ada["tests"] == [
            {
                "name": name,
                "question": question,
                "points": points,
                "max_points": points,
                "outcome": "passed",
                "partly": False,
                "measured": None,
                "message": "",
                "diagnosis": None,
            }
            for name, question, points in (
                ("test_rows_sum_to_one", "q1", 2),
                ("test_softmax_matches[1.0]", "q1", 1.5),
                ("test_softmax_matches[10000.0]", "q1", 1.5),
                ("test_column_means", "q2", 3),
            )
        ]
        assert (ben["outcome"], ben["points"]) == ("graded", 0)
        assert {t["outcome"] for t in ben["tests"]} == {"student_error"}
        assert "NotImplementedError" in ben["tests"][0]["message"]
        assert (cem["outcome"], cem["points"], cem["tests"]) == ("invalid_submission", 0, [])
        assert cem["reason"]

    def test_progress_is_plain_lines_on_a_piped_stderr(self, graded: Graded) -> None:
        lines = [line for line in graded.done.err.splitlines() if not line.startswith("Note: ")]
        assert lines[0].startswith("Sandbox: local, ")
        assert lines[1] == "warm-up: 3 to run"
        assert [line.partition("]")[0] for line in lines[2:]] == ["[1/3", "[2/3", "[3/3"]
        assert any("ada: 8 of 8" in line for line in lines)
        assert any("cem: invalid_submission: " in line for line in lines)
        assert "\x1b" not in graded.done.err + graded.done.out

    def test_a_students_page_does_not_show_what_was_expected(self, graded: Graded) -> None:
        ben = graded.done.json()["submissions"][1]
        page = Path(ben["report"]).read_text()
        assert "Each row of softmax(x) must sum to one." in page
        assert "assert_close" not in page
        assert (graded.root / "graded/warm-up/instructors/ben.json").is_file()

    def test_the_same_again_runs_nothing_and_says_the_same(self, graded: Graded) -> None:
        done = graded.again("--json")
        found = done.json()
        assert (found["run"], found["reused"]) == (0, 3)
        assert found["submissions"] == graded.done.json()["submissions"]
        assert "warm-up: 0 to run, 3 unchanged" in done.err

    def test_without_json_a_table_is_on_stdout_and_the_rest_on_stderr(self, graded: Graded) -> None:
        done = graded.again()
        rows = [line.split() for line in done.out.splitlines() if line.strip()]
        assert rows[0] == ["student", "q1", "q2", "points", "notes"]
        assert rows[2] == ["ada", "5", "3", "8", "of", "10,", "2", "wait"]
        assert rows[3] == ["ben", "0", "0", "0", "of", "10,", "2", "wait"]
        assert rows[4][:6] == ["cem", "–", "–", "0", "of", "10"]
        assert "0 run, 3 unchanged" in done.err
        assert f"Pages: {graded.root / 'graded/warm-up/class.html'}" in done.err
        assert "2 answers wait for a person to mark them, worth 4 points" in done.err

    @pytest.mark.slow
    def test_only_with_regrade_runs_that_student_alone_and_comes_to_the_same(
        self, graded: Graded
    ) -> None:
        done = graded.again("--only", "ada", "--regrade", "--seed", "8", "--json")
        found = done.json()
        assert (done.code, found["run"], found["reused"]) == (0, 1, 0)
        assert [s["student"] for s in found["submissions"]] == ["ada"]
        assert found["submissions"][0]["points"] == 8

    def test_only_with_an_unknown_student_is_a_wrong_call(self, graded: Graded) -> None:
        done = graded.again("--only", "adda")
        assert (done.code, done.out) == (2, "")
        assert "adda" in done.err
        assert "ada" in done.err.replace("adda", "")

    def test_report_writes_the_pages_of_the_class_again(self, graded: Graded) -> None:
        out = graded.root / "pages"
        done = in_process_of_its_own("report", "warm-up", "--out", out, cwd=graded.root)
        assert (done.code, done.out) == (0, f"{out / 'class.html'}\n")
        assert sorted(p.name for p in (out / "students").iterdir()) == [
            "ada.html",
            "ben.html",
            "cem.html",
        ]


class TestCheck:
    pytestmark = in_the_box

    def test_a_failing_public_test_is_exit_code_1_with_the_students_own_line(
        self, warm_up: Assignment, notebook: Path, grader: Grader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(notebook.parent)
        done = grader("check", notebook, "--assignment", "warm-up")
        assert done.code == 2  # it lies neither in its release nor in the course
        inside = warm_up.course_root / "warm-up.ipynb"
        inside.write_bytes(notebook.read_bytes())
        done = in_process_of_its_own("check", inside, "--json", cwd=warm_up.course_root)
        assert done.code == 1, done.err
        found = done.json()
        assert [(t["name"], t["outcome"]) for t in found["tests"]] == [
            ("test_softmax_keeps_the_shape", "student_error")
        ]
        assert "NotImplementedError" in found["tests"][0]["traceback"]
        assert done.err.startswith("local sandbox (")


def test_check_without_public_tests_says_where_they_are_looked_for(
    tmp_path: Path, grader: Grader
) -> None:
    (tmp_path / "hw.ipynb").write_text(json.dumps({"cells": [], "nbformat": 4, "metadata": {}}))
    done = grader("check", tmp_path / "hw.ipynb")
    assert (done.code, done.out) == (2, "")
    assert "no public tests belong to this notebook" in done.err
    assert "tests/ beside it" in done.err


def test_check_of_a_file_that_is_not_there_is_a_wrong_call(tmp_path: Path, grader: Grader) -> None:
    done = grader("check", tmp_path / "hw.ipynb")
    assert (done.code, done.out) == (2, "")
    assert "there is no such notebook" in done.err


def test_report_before_anything_is_graded_says_what_to_run(
    warm_up: Assignment, grader: Grader
) -> None:
    done = grader("report", "warm-up")
    assert (done.code, done.out) == (2, "")
    assert "nothing of warm-up has been graded yet" in done.err
    assert "grader grade warm-up" in done.err


@pytest.mark.slow
def test_a_broken_suite_is_said_before_anything_is_graded(warm_up: Assignment) -> None:
    write_assignment(warm_up.course_root, hidden=HIDDEN.replace("import torch\n", "import troch\n"))
    root = warm_up.course_root
    (root / "submissions").mkdir()
    (root / "submissions" / "ada.ipynb").write_bytes(notebook_bytes(solution_notebook(warm_up)))
    done = in_process_of_its_own("grade", "warm-up", "--sandbox", "unsafe", "--json", cwd=root)
    assert (done.code, done.out) == (1, "")
    assert "hidden/test_warm_up.py" in done.err
    assert "No module named 'troch'" in done.err
    assert "no submission has been graded" in done.err
    assert not (root / "graded").exists()


@pytest.mark.slow
def test_points_that_do_not_add_up_are_said_before_anything_is_graded(warm_up: Assignment) -> None:
    write_assignment(warm_up.course_root, hidden=HIDDEN.replace("points(2)", "points(1)"))
    root = warm_up.course_root
    (root / "submissions").mkdir()
    (root / "submissions" / "ada.ipynb").write_bytes(notebook_bytes(solution_notebook(warm_up)))
    done = in_process_of_its_own("grade", "warm-up", "--sandbox", "unsafe", cwd=root)
    assert (done.code, done.out) == (1, "")
    assert "q1" in done.err
    assert "grader validate warm-up" in done.err
