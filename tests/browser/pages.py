"""Every page that there is: as people will see it, and full of attacks; made when it is opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache

import msgspec

from grader.course.spec import Question
from grader.gradebook.marks import MarkEvent
from grader.gradebook.totals.need import need
from grader.gradebook.totals.students import class_entries, student_total
from grader.grading.verdict import Verdict
from grader.intake.answers import AnswerPart, AnswerPlace, AnswerPosition
from grader.report.answers_page import AnswerSheet, GivenAnswer, answers_page
from grader.report.class_page import class_page
from grader.report.leaderboard import leaderboard_page
from grader.report.similarity_page import similarity_page
from grader.report.student_page import student_page
from grader.report.totals_pages import class_totals_page, student_totals_page, targets_of
from grader.similarity.comparison import compare
from tests.gradebook.totals.courses import shipped
from tests.helpers.classes import class_marks
from tests.helpers.notebooks import realistic_notebook
from tests.helpers.verdicts import (
    AFTER_DUE,
    ANSWERS,
    SPEC,
    broken,
    class_of,
    graded,
    invalid,
    reference_runs,
)
from tests.report.hostile import ALL, HTML
from tests.report.hostile_verdict import hostile_notebook, hostile_verdict
from tests.report.test_leaderboard import BOARD, entry
from tests.similarity.disguises import RENAMED, RIGHT, code

_STUDENT = {"spec": SPEC, "audience": "student", "now": AFTER_DUE}
_INSTRUCTOR = _STUDENT | {"audience": "instructor"}


def _with_long_output(notebook: bytes) -> bytes:
    whole = json.loads(notebook)
    text = "".join(f"step {i}\n" for i in range(200))
    output = {"output_type": "stream", "name": "stdout", "text": text}
    code = next(cell for cell in whole["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [output]
    return json.dumps(whole).encode()


def _graded() -> Verdict:
    return graded("Emmy Noether", ability=0.6, seed=4)


def _class() -> str:
    whole = class_of(24)
    links = {v.student: f"students/{i}.html" for i, v in enumerate(whole)}
    return class_page(whole, spec=SPEC, links=links, now=AFTER_DUE)


@cache
def _totals(said: str = "60 → 71.5") -> dict[str, str]:
    course = shipped("koc-comp541", {"percent_per_day": ["20"], "pass_mark": ["50", "50"]})
    marks = class_marks(course, marked=0.7)
    if said == ALL:
        marks = [replace(m, student=f"{m.student} {ALL}") for m in marks]
    entries = class_entries(course, marks, now=AFTER_DUE)
    totals = [student_total(student, course, own) for student, own in entries.items()]
    links = {total.student: f"students/{i}.html" for i, total in enumerate(totals)}
    one = next(t for t in totals if t.failed and t.waiting and t.grace_used)
    needs = [need(course, entries[one.student], target) for target in targets_of(course)]
    event = MarkEvent(student=one.student, at=AFTER_DUE, item="midterm", what=said, who=said)
    names = {t.student: said for t in totals} if said == ALL else None
    return {
        "totals": class_totals_page(totals, course=course, links=links, now=AFTER_DUE, names=names),
        "student's total": student_totals_page(
            one,
            course=course,
            now=AFTER_DUE,
            needs=needs,
            history=[event, replace(event, why=said, item=said)],
            shown_as=said if said == ALL else None,
        ),
    }


def _answers(*given: GivenAnswer) -> str:
    question = Question(
        id="q7",
        title="Why not start from zeros?",
        points=SPEC.questions[6].points,
        manual=SPEC.questions[6].manual,
        rubric="- *Two*: all units of a layer compute the same.\n- One: so do their gradients.",
    )
    sheet = AnswerSheet(question=question, answers=given, model="$$w_1 = w_2$$ for ever.")
    return answers_page([sheet], spec=SPEC, anonymous=False)


def _in_a_notebook(verdict: Verdict, notebook: bytes) -> GivenAnswer:
    """An answer of every kind of cell, with what the tests say."""
    cells = json.loads(notebook)["cells"]
    pieces = tuple(AnswerPart(i, 0, 10**6) for i in range(min(len(cells), 40)))
    return GivenAnswer(
        shown_as="Hypatia",
        text="",
        place="The marker of the answer is gone. This stands in its place.",
        at=AnswerPlace(place=AnswerPosition.LED, pieces=pieces),
        notebook=lambda: notebook,
        tests=verdict.tests,
        points=Decimal(0),
        by_rule=True,
    )


def _similarity(attack: str) -> str:
    def disguised(source: str) -> str:
        return source.replace("return float", f"h = {attack!r}\n    return float")

    codes = {"ada": code(disguised(RIGHT)), "bob": code(disguised(RENAMED))}
    return similarity_page(
        compare(codes, known={("ada", "bob"): attack}),
        codes,
        title="Softmax",
        now=AFTER_DUE,
        names={"ada": f"Ada {attack}", "bob": "Bob"},
        unread={f"Cem {attack}": attack} if attack else {},
    )


def _board(said: str) -> str:
    spec = msgspec.structs.replace(SPEC, leaderboard=BOARD)
    verdicts = [entry(f"{n} {said}", f"0.{n}") for n in range(3, 9)]
    names = {v.student: f"Heron {v.student}" for v in verdicts}
    return leaderboard_page(verdicts, spec=spec, names=names, now=AFTER_DUE)


def _readable_answers() -> str:
    long_sum = " + ".join(f"x_{{{i}}}" for i in range(40))
    plain = GivenAnswer(shown_as="Emmy Noether", text=f"{ANSWERS['q7']} It is ${long_sum}$.")
    return _answers(
        plain,
        replace(plain, shown_as="Cahit Arf", text=ANSWERS["q8"]),
        _in_a_notebook(graded("Hypatia", ability=0.6, seed=4), realistic_notebook()),
    )


def _hostile_answers() -> str:
    given = [GivenAnswer(shown_as=f"{n} {h}", text=h, comment=h) for n, h in enumerate(HTML)]
    return _answers(*given, _in_a_notebook(hostile_verdict(), hostile_notebook()))


READABLE: dict[str, Callable[[], str]] = {
    "student": lambda: student_page(_graded(), realistic_notebook(), **_STUDENT),
    "instructor": lambda: student_page(
        _graded(),
        _with_long_output(realistic_notebook()),
        reference_runs=reference_runs("test_loss_falls"),
        **_INSTRUCTOR,
    ),
    "invalid": lambda: student_page(invalid("Cahit Arf"), None, **_STUDENT),
    "broken": lambda: student_page(broken("Cahit Arf"), None, **_STUDENT),
    "class": _class,
    "totals": lambda: _totals()["totals"],
    "student's total": lambda: _totals()["student's total"],
    "answers": _readable_answers,
    "similarity": lambda: _similarity(""),
    "leaderboard": lambda: _board(""),
}
HOSTILE: dict[str, Callable[[], str]] = {
    "hostile student": lambda: student_page(hostile_verdict(), hostile_notebook(), **_STUDENT),
    "hostile instructor": lambda: student_page(
        hostile_verdict(), hostile_notebook(), **_INSTRUCTOR
    ),
    "hostile class": lambda: class_page(
        [hostile_verdict(), broken(ALL), invalid(ALL)], spec=SPEC, links={ALL: ALL}
    ),
    "hostile totals": lambda: _totals(ALL)["totals"],
    "hostile student's total": lambda: _totals(ALL)["student's total"],
    "hostile answers": _hostile_answers,
    "hostile similarity": lambda: _similarity(ALL),
    "hostile leaderboard": lambda: _board(ALL),
}
PAGES = READABLE | HOSTILE


@cache
def html_of(name: str) -> str:
    """One of the pages."""
    return PAGES[name]()
