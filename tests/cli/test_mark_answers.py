"""`grader mark-answers`: one page and one table for each question, and marks that come back."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from grader.intake.answers import AnswerPlace, AnswerPosition
from tests.cli.conftest import Grader
from tests.cli.marking import course, record, verdict
from tests.cli.test_mark import fill

__all__ = ["course"]


def h1_of(grader: Grader, student: str = "ada") -> tuple[object, object]:
    [found] = grader("show-marks", "--student", student, "--item", "h1", "--json").json()
    return found["points"], found["waits_for"]


def test_answers_stand_on_one_page_and_in_a_table(course: Path, grader: Grader) -> None:
    done = grader("mark-answers", "warm-up")
    folder = course / "graded" / "warm-up" / "answers"
    assert (done.code, done.out) == (0, f"{folder / 'answers.html'}\n")
    assert "q3: 2 to be marked" in done.err
    page = (folder / "answers.html").read_text()
    assert "<math" in page and "<script" not in page
    assert "ada" in page and "ben" in page
    assert (folder / "q3.xlsx").is_file()


@pytest.mark.parametrize("anonymous", [False, True])
def test_marks_flow_into_the_item_and_onto_the_students_page(
    course: Path, grader: Grader, anonymous: bool
) -> None:
    assert h1_of(grader) == (None, "Written answers to be read: q3")
    arguments = ["--anonymous"] if anonymous else []
    grader("mark-answers", "warm-up", "--csv", *arguments)
    table = course / "graded" / "warm-up" / "answers" / "q3.csv"
    lines = table.read_text("utf-8-sig").splitlines()
    name = next(line.split(",")[0] for line in lines if "grows" in line)
    assert (name == "ada") is not anonymous
    fill(table, name, {"q3 (of 2)": "1.5", "q3 comment": "Say why it <b>overflows</b>."})
    done = grader("mark-answers", "warm-up", "--question", "q3", "--import", table)
    assert (done.code, done.err) == (0, "1 recorded.\n")
    assert h1_of(grader) == ("8", "")
    assert h1_of(grader, "ben")[0] is None
    assert "q3: 1.5 of 2 points: “Say why" in grader("history", "--student", "ada").out
    grader("report", "warm-up")
    page = (course / "graded" / "warm-up" / "students" / "ada.html").read_text()
    assert "1.5" in page and "Say why it <b>overflows</b>." in page  # Markdown, sanitised
    assert "points wait" not in page
    other = (course / "graded" / "warm-up" / "students" / "ben.html").read_text()
    assert "points wait for a person" in other and "overflows" not in other


def test_pseudonyms_stay_the_same_and_name_nobody(course: Path, grader: Grader) -> None:
    pages = []
    for _ in range(2):
        grader("mark-answers", "warm-up", "--anonymous")
        pages.append((course / "graded" / "warm-up" / "answers" / "answers.html").read_text())
    assert pages[0] == pages[1]
    assert ">ada<" not in pages[0] and ">ben<" not in pages[0]
    assert stat.S_IMODE((course / ".pseudonyms.key").stat().st_mode) == 0o600


def test_another_answer_is_not_marked_with_the_old_ones_points(
    course: Path, grader: Grader
) -> None:
    grader("mark-answers", "warm-up", "--csv")
    table = course / "graded" / "warm-up" / "answers" / "q3.csv"
    fill(table, "ada", {"q3 (of 2)": "2"})
    grader("mark-answers", "warm-up", "--question", "q3", "--import", table)
    assert h1_of(grader)[0] == "8.5"
    record(course, verdict("ada", "Another answer.", attempt=2))
    assert h1_of(grader) == (None, "Written answers to be read: q3")
    done = grader("mark-answers", "warm-up", "--question", "q3", "--import", table)
    assert done.code == 2
    assert "'ada' has another answer by now" in done.err
    # A regrade with the same answer keeps the mark.
    record(course, verdict("ben", "=HYPERLINK(1)", points="5"))
    grader("mark-answers", "warm-up", "--csv")
    fill(table, "ben", {"q3 (of 2)": "1"})
    grader("mark-answers", "warm-up", "--question", "q3", "--import", table)
    record(course, verdict("ben", "=HYPERLINK(1)", points="7"))
    assert h1_of(grader, "ben") == ("8", "")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_students_formula_is_text_in_the_table(course: Path, grader: Grader, suffix: str) -> None:
    grader("mark-answers", "warm-up", *(["--csv"] if suffix == ".csv" else []))
    table = course / "graded" / "warm-up" / "answers" / f"q3{suffix}"
    if suffix == ".csv":
        assert "'=HYPERLINK(1)" in table.read_text()
    else:
        import openpyxl

        cells = [c for row in openpyxl.load_workbook(table).active.iter_rows() for c in row]
        assert all(cell.data_type != "f" for cell in cells)
        assert "'=HYPERLINK(1)" in [cell.value for cell in cells]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--question", "q9"], "no question 'q9'"),
        (["--question", "q1"], "no question 'q1' that a person marks"),
    ],
)
def test_a_question_that_no_person_marks_is_refused(
    course: Path, grader: Grader, arguments: list[str], message: str
) -> None:
    done = grader("mark-answers", "warm-up", *arguments)
    assert done.code == 2
    assert message in done.err


def untouched(root: Path, rule: str, position: AnswerPosition = AnswerPosition.UNTOUCHED) -> None:
    """Ben hands in what he got; the course has a rule, a rubric and a reference of its own."""
    spec = root / "assignments" / "warm-up" / "assignment.toml"
    text = spec.read_text().split("\n[answers]")[0]
    if "rubric" not in text:
        text = text.replace('id = "q3"\n', 'id = "q3"\nrubric = "Two points for *overflow*."\n')
    spec.write_text(f'{text}\n[answers]\nuntouched = "{rule}"\n')
    place = AnswerPlace(place=position)
    blank = msgspec.structs.replace(verdict("ben", ""), answer_places={"q3": place})
    record(root, blank)


def test_an_untouched_answer_is_0_by_rule_and_a_person_can_override_it(
    course: Path, grader: Grader
) -> None:
    untouched(course, "zero")
    done = grader("mark-answers", "warm-up", "--csv")
    assert "q3: 1 to be marked" in done.err
    assert "q3: 1 untouched, 0 by rule: ben" in done.err
    assert h1_of(grader, "ben") == ("6.5", "")
    history = grader("history", "--student", "ben").out
    assert "the course's rule" in history and "untouched" in history
    assert "0 of 2 by rule" in (course / "graded/warm-up/answers/answers.html").read_text()
    table = course / "graded" / "warm-up" / "answers" / "q3.csv"
    fill(table, "ben", {"q3 (of 2)": "1"})
    grader("mark-answers", "warm-up", "--question", "q3", "--import", table)
    grader("mark-answers", "warm-up")  # the rule does not undo what a person said
    assert h1_of(grader, "ben") == ("7.5", "")


def test_an_answer_whose_notebook_was_not_handed_in_is_treated_as_untouched(
    course: Path, grader: Grader
) -> None:
    untouched(course, "zero", AnswerPosition.ABSENT)
    done = grader("mark-answers", "warm-up")
    assert "q3: 1 in a notebook that was not handed in, 0 by rule: ben" in done.err
    assert h1_of(grader, "ben") == ("6.5", "")
    grader("report", "warm-up")
    assert (
        "Its notebook was not handed in"
        in (course / "graded/warm-up/students/ben.html").read_text()
    )
    untouched(course, "ask", AnswerPosition.ABSENT)
    grader("mark-answers", "warm-up")
    assert h1_of(grader, "ben") == (None, "Written answers to be read: q3")


def test_a_rule_that_no_longer_holds_takes_its_marks_back(course: Path, grader: Grader) -> None:
    untouched(course, "zero")
    grader("mark-answers", "warm-up")
    untouched(course, "ask")
    done = grader("mark-answers", "warm-up")
    assert "q3: 1 untouched, to be marked as any other: ben" in done.err
    assert h1_of(grader, "ben") == (None, "Written answers to be read: q3")


def test_model_answer_and_rubric_stand_beside_the_answers_and_nowhere_else(
    course: Path, grader: Grader, tmp_path: Path
) -> None:
    untouched(course, "ask")
    grader("mark-answers", "warm-up")
    grader("report", "warm-up")
    grader("release", "warm-up", "--out", tmp_path / "released")
    page = (course / "graded/warm-up/answers/answers.html").read_text()
    secrets = ("Two points for", "the quotient does not change")
    assert all(secret in page for secret in secrets)
    others = [p for p in (course / "graded").rglob("*") if p.is_file() and p.name != "answers.html"]
    others += [p for p in (tmp_path / "released").rglob("*") if p.is_file()]
    assert len(others) > 8
    for path in others:
        text = path.read_bytes().decode("utf-8", "replace")
        assert not any(secret in text for secret in secrets), path


def test_an_unknown_rule_is_refused(course: Path, grader: Grader) -> None:
    untouched(course, "none")
    done = grader("mark-answers", "warm-up")
    assert done.code == 1
    assert 'answers.untouched: expected "ask" or "zero"' in done.err
