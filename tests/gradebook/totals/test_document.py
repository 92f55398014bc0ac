"""Totals as JSON: every fact under its own name, every number an exact decimal in text."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction

from grader.gradebook.marks import MarkEvent
from grader.gradebook.totals.document import event_document, need_document, totals_document
from grader.gradebook.totals.need import Need, NeededPoints
from grader.gradebook.totals.total_lines import (
    ComponentTotal,
    CriterionPoints,
    ItemTotal,
    State,
    StudentTotal,
)
from tests.gradebook.totals.courses import course_of

DUE = dt.datetime(2024, 10, 1, 23, 59, tzinfo=dt.UTC)

ITEM = ItemTotal(
    item="h1",
    title="Homework 1",
    state=State.COUNTED,
    points=Decimal("31.5"),
    max_points=Decimal(40),
    earned=Fraction(63, 3),
    due=DUE,
    handed_in=DUE + dt.timedelta(days=2),
    days_late=Fraction(2),
    grace_days=Fraction(1),
    percent_off=Fraction(100, 3),
    refused=True,
    weight=Fraction(25),
    contribution=Fraction(1, 8),
    must_pass=True,
    passed=False,
    extra_credit=True,
    criteria=(CriterionPoints(title="Report", points=Decimal(3), max_points=Decimal(5)),),
    attempt=4,
    why="2 days late.",
)
WAITING = ItemTotal(
    item="exam",
    title="Exam",
    state=State.WAITS,
    points=None,
    max_points=Decimal(100),
    earned=None,
)
TOTAL = StudentTotal(
    student="ada",
    components=(
        ComponentTotal(
            component="work",
            title="Work",
            weight=Fraction(60),
            score=Fraction(1, 3),
            contribution=Fraction(20),
            items=(ITEM,),
        ),
        ComponentTotal(
            component="exams",
            title="Exams",
            weight=None,
            score=None,
            contribution=Fraction(0),
            items=(WAITING,),
        ),
    ),
    so_far=Fraction(100, 3),
    at_least=Decimal("20.1"),
    at_most=Decimal("60.2"),
    total=Decimal("33.3"),
    letter="C",
    failed=("Homework 1",),
    grace_used=Fraction(1),
    grace_left=Fraction(2),
    waiting=("Exam",),
)
COURSE = course_of('[[components]]\nid = "work"\ntitle = "Work"\nweight = 100\n')


def test_every_fact_of_a_total_is_in_the_document() -> None:
    document = totals_document(COURSE, [TOTAL])
    assert json.loads(json.dumps(document)) == document
    work, exams = document["students"][0].pop("components")
    assert document == {
        "format": 1,
        "course": {"title": "A course", "institution": "A university", "term": "Fall"},
        "students": [
            {
                "student": "ada",
                "total": "33.3",
                "letter": "C",
                "so_far": "33.33",
                "at_least": "20.1",
                "at_most": "60.2",
                "failed": ["Homework 1"],
                "waiting": ["Exam"],
                "grace_days_used": "1",
                "grace_days_left": "2",
            }
        ],
    }
    (line,) = work.pop("items")
    assert work == {
        "component": "work",
        "title": "Work",
        "weight": "60",
        "score_percent": "33.33",
        "adds": "20",
    }
    assert line == {
        "item": "h1",
        "title": "Homework 1",
        "state": "counted",
        "points": "31.5",
        "max_points": "40",
        "earned": "21",
        "due": "2024-10-01T23:59:00+00:00",
        "attempt": 4,
        "handed_in": "2024-10-03T23:59:00+00:00",
        "days_late": "2",
        "grace_days": "1",
        "percent_off": "33.33",
        "refused": True,
        "weight": "25",
        "adds": "0.13",
        "must_pass": True,
        "passed": False,
        "extra_credit": True,
        "criteria": [{"title": "Report", "points": "3", "max_points": "5"}],
        "why": "2 days late.",
    }
    assert (exams["weight"], exams["score_percent"]) == (None, None)


def test_what_is_not_known_of_an_item_is_null() -> None:
    line = totals_document(COURSE, [TOTAL])["students"][0]["components"][1]["items"][0]
    unknown = {name for name, value in line.items() if value is None}
    assert unknown == {"points", "earned", "due", "attempt", "handed_in", "passed"}


def test_needed_points_are_in_the_document_with_the_sentence() -> None:
    found = Need(
        target="B",
        percent=Decimal("62.5"),
        items=(
            NeededPoints(
                item="exam", title="Exam", points=Decimal("62.5"), max_points=Decimal(100)
            ),
        ),
        at_most=Decimal("91.3"),
    )
    assert need_document(found) == {
        "target": "B",
        "percent": "62.5",
        "at_most": "91.3",
        "items": [{"item": "exam", "points": "62.5", "max_points": "100"}],
        "said": "For B: 62.5 % of what is still to come (Exam 62.5 of 100).",
    }


def test_percent_of_a_target_out_of_reach_is_null() -> None:
    found = Need(target="A", percent=None, items=(), at_most=Decimal(80), must_pass=("Exam",))
    document = need_document(found)
    assert document["percent"] is None
    assert document["said"] == "A is out of reach: at most 80; not passed: Exam."


def test_a_line_of_the_history_is_plain_text() -> None:
    event = MarkEvent(
        student="ada",
        item="exam",
        at=DUE,
        what="31 → 35 points",
        who="tom",
        why="a page overlooked",
    )
    assert event_document(event) == {
        "at": "2024-10-01T23:59:00+00:00",
        "item": "exam",
        "what": "31 → 35 points",
        "who": "tom",
        "why": "a page overlooked",
    }
