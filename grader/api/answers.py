"""Written answers: gathered per question, marked, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path

from grader.course.directory import Assignment, Course
from grader.course.spec import Question
from grader.errors import SpecError, UsageError
from grader.gradebook.course_marks import answer_mark, answer_sha256, marked_answers
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.hand_marks import Fact, Kind, Newest
from grader.gradebook.part_sheet import Part, PartLine, PartSheet
from grader.gradebook.spreadsheet import read_sheet
from grader.gradebook.store import Gradebook
from grader.gradebook.untouched import Untouched, is_by_rule, mark_untouched
from grader.grading.verdict import Outcome, Verdict
from grader.intake.pseudonyms import pseudonyms
from grader.report.answers_page import AnswerSheet, GivenAnswer, answers_page
from grader.report.files import write_pages
from grader.report.marks import place_words
from grader.suggestions import did_you_mean


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What was written: the page, the tables by question, and how many answers wait."""

    page: Path
    untouched: Untouched
    tables: Mapping[str, Path]
    waiting: Mapping[str, int]


def gather_answers(
    course: Course,
    assignment: str,
    *,
    question: str | None = None,
    anonymous: bool = False,
    out: Path | None = None,
    suffix: str = ".xlsx",
) -> Gathered:
    """Write one page with everybody's answers by question, and a table for each question.

    Args:
        course: the course.
        assignment: graded already.
        question: only this one.
        anonymous: students by stable pseudonyms, in their order.
        out: default: graded/ASSIGNMENT/answers.
        suffix: of the tables, ".xlsx" or ".csv".

    Raises:
        UsageError: nothing is graded, or no question has points for a person to give.
    """
    chosen = course.assignment(assignment)
    questions = _questions(chosen, question)
    folder = out or course.graded_dir / assignment / "answers"
    with Gradebook(course.database_url) as gradebook:
        verdicts = _verdicts(course, chosen, gradebook)
        untouched = mark_untouched(gradebook, chosen.spec, verdicts)
        newest = gradebook.hand_marks.newest(item=chosen.name)
        names = _names(course, verdicts, anonymous=anonymous)
        models = _models(chosen)
        sheets = [_answers(q, verdicts, names, newest, gradebook, models) for q in questions]
        tables = {}
        for q in questions:
            tables[q.id] = folder / f"{q.id}{suffix}"
            _table(chosen, q, verdicts, names).write(tables[q.id], newest)
        html = answers_page(
            sheets, spec=chosen.spec, anonymous=anonymous, template_dirs=course.template_dirs
        )
    page = write_pages(folder, {"answers.html": html})[0]
    waiting = {s.question.id: sum(a.points is None for a in s.answers) for s in sheets}
    return Gathered(
        page=page, untouched=_shown_as(untouched, names), tables=tables, waiting=waiting
    )


def import_answers(
    course: Course, assignment: str, question: str, path: Path, *, who: str, why: str
) -> int:
    """Read a question's table back, all of it or nothing; returns how many marks are new.

    Whether it was written with names or with pseudonyms is seen by its lines.

    Raises:
        UsageError: a line can't be taken, or an answer is another one by now.
        GradebookError: a mark was changed since the table was written.
    """
    chosen = course.assignment(assignment)
    [asked] = _questions(chosen, question)
    with Gradebook(course.database_url) as gradebook:
        verdicts = _verdicts(course, chosen, gradebook)
        hidden = _names(course, verdicts, anonymous=True)
        written = {row.cells.get("student", "") for row in read_sheet(path).rows}
        names = _names(course, verdicts, anonymous=False)
        if written <= set(hidden.values()) and not written <= set(names):
            names = hidden
        changes, seen = _table(chosen, asked, verdicts, names).read(path)
        return len(gradebook.hand_marks.record(changes, who=who, why=why, seen=seen))


def _questions(assignment: Assignment, named: str | None) -> list[Question]:
    by_hand = [q for q in assignment.spec.questions if q.manual]
    if not by_hand:
        raise UsageError(
            f"no question of {assignment.name} has points for a person to give",
            where=assignment.spec_path,
            hint="Give a question `manual = POINTS`.",
        )
    chosen = [q for q in by_hand if named in (None, q.id)]
    if not chosen:
        raise UsageError(
            f"no question {named!r} that a person marks",
            hint=did_you_mean(str(named), [q.id for q in by_hand]),
        )
    return chosen


def _verdicts(course: Course, assignment: Assignment, gradebook: Gradebook) -> list[Verdict]:
    found = [
        v for v in counted_verdicts(course, assignment, gradebook) if v.outcome is Outcome.GRADED
    ]
    if not found:
        raise UsageError(
            f"nothing of {assignment.name} has been graded yet",
            hint=f"Run `grader grade {assignment.name} SOURCE` first: it reads the answers.",
        )
    return found


def _names(course: Course, verdicts: list[Verdict], *, anonymous: bool) -> dict[str, str]:
    students = [v.student for v in verdicts]
    if anonymous:
        return pseudonyms(students, root=course.root)
    return {student: student for student in students}


def _answers(
    question: Question,
    verdicts: list[Verdict],
    names: Mapping[str, str],
    newest: Newest,
    gradebook: Gradebook,
    models: Mapping[str, str],
) -> AnswerSheet:
    answers = []
    for verdict in verdicts:
        mark = next((m for m in verdict.questions if m.id == question.id), None)
        given = answer_mark(verdict, mark, newest) if mark else None
        points, comment = marked_answers(verdict, newest).get(question.id, (None, ""))
        answers.append(
            GivenAnswer(
                shown_as=names[verdict.student],
                text=verdict.answers.get(question.id, ""),
                points=points,
                comment=comment,
                place=place_words(verdict, question.id),
                at=verdict.answer_places.get(question.id),
                notebook=partial(gradebook.executed_notebook, verdict),
                tests=tuple(t for t in verdict.tests if t.question == question.id),
                machine_points=mark.points if mark else Decimal(0),
                by_rule=given is not None and is_by_rule(given),
            )
        )
    return AnswerSheet(
        question=question,
        answers=sorted(answers, key=lambda a: a.shown_as),
        model=models.get(question.id, ""),
    )


def _models(assignment: Assignment) -> Mapping[str, str]:
    """The reference's answers; none where it makes no notebook."""
    from grader.release.questions import model_answers

    try:
        return model_answers(assignment)
    except SpecError:
        return {}


def _shown_as(untouched: Untouched, names: Mapping[str, str]) -> Untouched:
    """Under the names that the page has."""
    students, absent = (
        {q: sorted(names[s] for s in of) for q, of in listed.items()}
        for listed in (untouched.students, untouched.absent)
    )
    return replace(untouched, students=students, absent=absent)


def _table(
    assignment: Assignment, question: Question, verdicts: list[Verdict], names: Mapping[str, str]
) -> PartSheet:
    lines = [
        PartLine(
            student=v.student,
            shown_as=names[v.student],
            answer=v.answers.get(question.id, ""),
            answer_sha256=answer_sha256(v, question.id),
        )
        for v in verdicts
    ]
    return PartSheet(
        parts=[Part(question.id, question.manual)],
        lines=sorted(lines, key=lambda line: line.shown_as),
        fact=lambda s, part: Fact(student=s, item=assignment.name, kind=Kind.ANSWER, part=part),
        answers=True,
    )
