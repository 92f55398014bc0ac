"""What stands where in the released notebook, and what the reference answers there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from grader.course.directory import Assignment
from grader.course.spec import Question
from grader.release.given_cells import GivenCell, as_code_block
from grader.release.percent import SourceCell, read_percent
from grader.release.regions import solution_lines, solution_source, student_source

_LEAST_TITLE = 4
_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<text>.+)$", re.MULTILINE)
_ANSWER_LINE = re.compile(r"^\s*\*\*Answer\s+[\w-]+\s*[.:]?\s*\*\*[.:]?", re.IGNORECASE)


def given_cells(assignment: Assignment) -> tuple[GivenCell, ...]:
    """Return the cells of the released notebook, in order.

    Args:
        assignment: of one notebook, or one of `Assignment.notebooks`.

    Raises:
        SpecError: the reference cannot be made into a notebook; says where.
    """
    cells = read_percent(assignment.reference_path)
    named = identified(cells)
    questions = _questions_of(cells, assignment.spec.questions)
    return tuple(
        GivenCell(
            kind=cell.kind,
            id=identifier,
            source=(source := student_source(cell)),
            question=question,
            answers=cell.answered_question or "",
            asked=source != solution_source(cell),
        )
        for (cell, identifier), question in zip(named, questions, strict=True)
        if not cell.for_instructors
    )


def model_answers(assignment: Assignment) -> Mapping[str, str]:
    """Return question id -> the reference's own answer, as Markdown; for instructors alone.

    Of a question with a written answer it is that answer; else the code that solves it.

    Raises:
        SpecError: the reference cannot be made into a notebook; says where.
    """
    if assignment.spec.notebooks:
        return {q: a for part in assignment.notebooks for q, a in model_answers(part).items()}
    cells = read_percent(assignment.reference_path)
    written: dict[str, list[str]] = {}
    code: dict[str, list[str]] = {}
    for cell, question in zip(cells, _questions_of(cells, assignment.spec.questions), strict=True):
        if not solution_lines(cell):
            continue
        source = solution_source(cell)
        if cell.answered_question:
            text = _ANSWER_LINE.sub("", source, count=1).strip()
            written.setdefault(cell.answered_question, []).append(text)
        elif cell.kind == "code" and question:
            code.setdefault(question, []).append(as_code_block(source))
        elif cell.kind == "markdown" and question:
            code.setdefault(question, []).append(source)
    return {q: "\n\n".join(texts) for q, texts in (code | written).items()}


def identified(cells: Iterable[SourceCell]) -> Iterator[tuple[SourceCell, str]]:
    """Name cells by the question they belong to: `intro-text-1`, `q2-code-1`, `q7-answer`."""
    section = "intro"
    used: Counter[str] = Counter()
    for cell in cells:
        section = cell.question_begun or section
        kind = {"code": "code", "markdown": "text", "raw": "raw"}[cell.kind]
        answered = cell.answered_question
        base = f"{answered}-answer" if answered else f"{section}-{kind}"
        # nbformat allows ASCII letters, digits, - and _, 64 of them at most.
        base = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in base)[:56]
        used[base] += 1
        first_answer = answered is not None and used[base] == 1
        yield cell, base if first_answer else f"{base}-{used[base]}"


def _questions_of(cells: Iterable[SourceCell], questions: Iterable[Question]) -> Iterator[str]:
    """The question in whose part each cell stands: a heading opens it by its number or title."""
    current = ""
    for cell in cells:
        current = cell.answered_question or _opened(cell, list(questions)) or current
        yield current


def _opened(cell: SourceCell, questions: list[Question]) -> str:
    if cell.kind != "markdown":
        return ""
    by_number = (cell.question_begun or "").casefold()
    headings = [found["text"].casefold() for found in _HEADING.finditer(cell.source)]
    for question in questions:
        if question.id.casefold() == by_number:
            return question.id
    for question in questions:
        title = question.title.strip().casefold()
        word = re.compile(rf"(?<![\w-]){re.escape(question.id.casefold())}(?![\w-])")
        for heading in headings:
            if word.search(heading) or (len(title) >= _LEAST_TITLE and title in heading):
                return question.id
    return ""
