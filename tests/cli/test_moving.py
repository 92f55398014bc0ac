"""Marks for what was renamed or removed: said, and moved by `grader move-marks`."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from grader.grading.verdict import Verdict
from tests.cli.conftest import Grader
from tests.cli.marking import course, record, verdict
from tests.cli.test_mark import fill, report_of
from tests.cli.test_mark_answers import h1_of

__all__ = ["course"]

SAID = (
    "marks of 1 student are for q3, which warm-up no longer has; "
    "`grader move-marks q3 NEW --of warm-up` moves them"
)


def renamed(one: Verdict) -> Verdict:
    questions = tuple(
        msgspec.structs.replace(q, id="q4") if q.id == "q3" else q for q in one.questions
    )
    answers = {"q4": one.answers["q3"]}
    return msgspec.structs.replace(one, questions=questions, answers=answers)


@pytest.fixture
def marked(course: Path, grader: Grader) -> Path:
    """Ada's answer is marked; then q3 is called q4, and everybody is graded again."""
    grader("mark-answers", "warm-up", "--csv")
    table = course / "graded" / "warm-up" / "answers" / "q3.csv"
    fill(table, "ada", {"q3 (of 2)": "1.5", "q3 comment": "Nearly."})
    grader("mark-answers", "warm-up", "--question", "q3", "--import", table)
    spec = course / "assignments" / "warm-up" / "assignment.toml"
    spec.write_text(spec.read_text().replace('id = "q3"', 'id = "q4"'))
    record(course, renamed(verdict("ada", "Because $e^x$ grows <script>alert(1)</script>.")))
    return course


def test_marks_of_a_question_that_is_gone_are_said(marked: Path, grader: Grader) -> None:
    assert h1_of(grader) == (None, "Written answers to be read: q4")
    assert SAID in grader("report", "warm-up").err
    assert SAID in grader("totals").err


def test_they_are_moved_with_their_history(marked: Path, grader: Grader) -> None:
    done = grader("move-marks", "q3", "q4", "--of", "warm-up", "--dry-run")
    assert (done.code, done.err) == (0, "1 marks could be moved; nothing was: ada\n")
    assert h1_of(grader)[0] is None
    done = grader("move-marks", "q3", "q4", "--of", "warm-up")
    assert (done.code, done.err) == (0, "1 marks moved: ada\n")
    assert h1_of(grader) == ("8", "")
    history = grader("history", "--student", "ada").out
    assert "q3: 1.5 of 2 points: “Nearly.”" in history
    assert "q3: 1.5 points taken back (prof) – q3 is called q4 now" in history
    assert "q4: 1.5 of 2 points: “Nearly.”" in history
    assert "no longer has" not in grader("report", "warm-up").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["q3", "q9", "--of", "warm-up"], "warm-up has no 'q9'"),
        (["q8", "q4", "--of", "warm-up"], "no marks for 'q8'"),
        (["q3", "q3", "--of", "warm-up"], "the same"),
        (["clarity", "depth", "--of", "report"], "was marked out of 40, and depth is out of 60"),
        (["report", "quiz"], "the rubric of quiz has no criterion"),
        (["report", "exam"], "there is no item 'exam'"),
    ],
)
def test_what_the_new_place_does_not_take_is_refused(
    marked: Path, grader: Grader, arguments: list[str], message: str
) -> None:
    grader("mark", "ada", "report", "--set", "clarity=30")
    done = grader("move-marks", *arguments)
    assert done.code == 2
    assert message in done.err
    assert report_of(grader) == (None, {"clarity": "30"})


def test_no_mark_is_overwritten(marked: Path, grader: Grader) -> None:
    grader("mark-answers", "warm-up", "--csv")
    table = marked / "graded" / "warm-up" / "answers" / "q4.csv"
    fill(table, "ada", {"q4 (of 2)": "2"})
    grader("mark-answers", "warm-up", "--question", "q4", "--import", table)
    done = grader("move-marks", "q3", "q4", "--of", "warm-up")
    assert done.code == 2
    assert "q4 has marks of ada already" in done.err
    assert h1_of(grader)[0] == "8.5"


def test_an_item_and_a_criterion_that_are_gone_are_said_and_moved(
    course: Path, grader: Grader
) -> None:
    grader("mark", "ada", "quiz", "--points", "15")
    grader("mark", "ada", "report", "--set", "clarity=30")
    file = course / "course.toml"
    text = file.read_text().replace('id = "quiz"', 'id = "quiz-1"')
    file.write_text(text.replace('id = "clarity"', 'id = "words"'))
    said = grader("totals").err
    assert "marks of 1 student are for quiz, which course.toml no longer has" in said
    assert "are for clarity, which the rubric of report no longer has" in said
    assert grader("move-marks", "quiz", "quiz-1").code == 0
    assert grader("move-marks", "clarity", "words", "--of", "report").code == 0
    assert "no longer has" not in grader("totals").err
    assert report_of(grader) == (None, {"words": "30"})
