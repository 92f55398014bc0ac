"""The same number wherever a mark is shown, and how a student stands beside it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from grader.gradebook.standings import Standing, class_marks
from grader.report.class_page import class_page, own_script, script_hash
from grader.report.comments import comment_lines
from grader.report.files import file_name
from grader.report.gradescope import results_json
from grader.report.page_writer import PageWriter
from grader.report.student_page import absent_page, student_page
from grader.suite.results import TestOutcome
from tests.helpers.notebooks import realistic_notebook
from tests.helpers.verdicts import AFTER_DUE, BEFORE_DUE, DUE, SPEC, broken, graded, test_result
from tests.report.test_student_page import text

GIVEN = {"q7": (Decimal("3.5"), "Right, but say why.")}
ADA = graded("ada", ability=0.6)
WORDS = f"{ADA.points + Decimal('3.5'):g} of 60, 4 wait"
LATE = Standing(
    name="Ada Lovelace",
    handed_in=DUE + dt.timedelta(hours=30),
    due=DUE + dt.timedelta(hours=1),
    extended=True,
    late="2 days late: 1 day of grace, 20 % off",
    earned=Fraction(123, 4),
)


def notebook(*cells: dict[str, object]) -> bytes:
    base = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": []}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "cells": [base | c for c in cells]}
    ).encode()


def page(audience: str = "student", now: dt.datetime = AFTER_DUE, **more: object) -> str:
    fields = {"spec": SPEC, "audience": audience, "now": now, "given": GIVEN, "standing": LATE}
    return student_page(ADA, None, **(fields | more))  # type: ignore[arg-type]


def test_who_has_longer_reads_no_more_than_before_the_due_date() -> None:
    for due, hidden in ((DUE, False), (AFTER_DUE + dt.timedelta(days=1), True)):
        standing = Standing(due=due, extended=True)
        lines = comment_lines(ADA, spec=SPEC, now=AFTER_DUE, given={}, standing=standing)
        assert ("so far" in lines[0]) == hidden
        said = text(page(standing=standing))
        assert ("counted after the due date" in said) == hidden
        assert "counted after the due date" not in text(page("instructor", standing=standing))


def test_every_page_and_file_says_the_same_number() -> None:
    mark = class_marks([ADA], {}, {"ada": GIVEN})["ada"]
    assert mark is not None and mark.words == WORDS
    points = WORDS.partition(" ")[0]
    for audience in ("student", "instructor"):
        assert f"{points} of 60 points, 4 wait" in text(page(audience))
        assert f"All questions {points} of 60 , 4 wait" in text(page(audience))
    html = class_page([ADA], spec=SPEC, links={}, given={"ada": GIVEN})
    assert f"{points} of 60 , 4 wait" in text(html)
    result = results_json(ADA, spec=SPEC, now=AFTER_DUE, given=GIVEN)
    assert (result["score"], result["extra_data"]["mark"]) == (float(mark.points), WORDS)
    assert "4 wait" not in result["output"]  # what hidden tests give is not told before it is due


def test_before_the_due_date_a_student_reads_no_number_that_tells_of_hidden_tests() -> None:
    right = graded("ada")
    wrong = msgspec.structs.replace(right, points=right.points - 6)
    pages = [
        student_page(
            v, None, spec=SPEC, audience="student", now=BEFORE_DUE, given=GIVEN, standing=LATE
        )
        for v in (right, wrong)
    ]
    assert pages[0] == pages[1] and "after late days" not in pages[0]


def test_both_pages_say_how_a_student_stands() -> None:
    said = text(page())
    assert "Ada Lovelace" in said and "Late : 2 days late: 1 day of grace, 20 % off." in said
    assert "30.75 points after late days." in said and "Extension : due 30 October 2024" in said
    said = text(class_page([ADA], spec=SPEC, links={}, standings={"ada": LATE}))
    for part in ("Ada Lovelace", "30.75 after late days", "extended; 2 days late: 1 day of grace"):
        assert part in said
    assert "Excused" in text(page(standing=Standing(excused=True)))
    by_hand = Standing(by_hand=(Decimal(50), Decimal(60)))
    assert "50 of 60 points" in text(page(standing=by_hand))
    assert "A person gave the points for the whole" in text(page(standing=by_hand))


@pytest.mark.parametrize(
    ("standing", "want"),
    [
        (Standing(absent=True, overdue=True), "Not handed in Nothing of yours was found."),
        (Standing(absent=True), "Not handed in yet"),
        (Standing(absent=True, excused=True), "Excused"),
        (Standing(group=("ben",)), "Handed in by your group"),
        (Standing(absent=True, by_hand=(Decimal(7), Decimal(60))), "7 of 60 points"),
    ],
)
def test_who_handed_in_nothing_has_a_page_that_says_so(standing: Standing, want: str) -> None:
    assert want in text(absent_page("cem", spec=SPEC, standing=standing, now=AFTER_DUE))


def test_the_class_page_has_everybody_and_says_under_what_they_are_found(tmp_path: Path) -> None:
    standings = {"ada": LATE, "cem": Standing(name="Cem Uslu", absent=True, overdue=True)}
    writer = PageWriter(tmp_path, spec=SPEC, now=AFTER_DUE, keep=True)
    writer.student(ADA, lambda: None, standing=LATE, given=GIVEN)
    absent = writer.absent("cem", standings["cem"])
    html = writer.class_page([ADA], standings=standings, given={"ada": GIVEN}).read_text()
    assert (
        f'href="students/{file_name("cem")}.html"' in html and "Not handed in" in absent.read_text()
    )
    assert f'href="instructors/{file_name("ada")}.html"' in html
    assert 'data-flags="late waits granted"' in html and 'data-flags="absent"' in html
    said = text(html)
    assert "Cem Uslu cem" in said and "1 not handed in" in said
    before = absent.stat().st_ino
    again = PageWriter(tmp_path, spec=SPEC, now=AFTER_DUE, keep=True)
    assert again.absent("cem", standings["cem"]).stat().st_ino == before
    again.absent("cem", Standing(name="Cem Uslu", excused=True, absent=True))
    assert "Excused" in absent.read_text()


def test_the_policy_names_the_one_script_by_its_hash_and_only_on_the_class_page() -> None:
    html = class_page([ADA], spec=SPEC, links={})
    assert f"<script>{own_script()}</script>" in html and html.count("<script") == 1
    assert f"script-src {script_hash(own_script())}; " in html.partition("</head>")[0]
    assert "</script" not in own_script() and "{{" not in own_script()
    for other in (page(), page("instructor")):
        assert "script" not in other.partition("<title>")[0] and "<script" not in other


def test_a_tests_line_opens_who_missed_it_and_leads_to_the_cell() -> None:
    missed = test_result("q1", "test_softmax", "softmax(x) must sum to one.", 8, points=Decimal(0),
                         outcome=TestOutcome.FAILED)  # fmt: skip
    raised = msgspec.structs.replace(
        missed, outcome=TestOutcome.STUDENT_ERROR, traceback="  cell 2, line 6, in softmax"
    )
    other = test_result("q2", "test_other", "Another.", 2, points=Decimal(0),
                        outcome=TestOutcome.FAILED)  # fmt: skip
    verdicts = [
        graded("ada", tests=(missed, other)),
        graded("ben", tests=(raised, other)),
        graded("cem"),
    ]
    links = {v.student: f"instructors/{v.student}.html" for v in verdicts}
    html = class_page(verdicts, spec=SPEC, links=links)
    assert 'href="instructors/ada.html#work-test-1"' in html
    assert 'href="instructors/ben.html#work-test-1"' in html
    assert "raised an error" in text(html)
    cells = notebook({"source": "import torch"}, {"source": "def softmax(x):\n    return x"})
    for verdict in verdicts[:2]:
        own = student_page(verdict, cells, spec=SPEC, audience="instructor", now=AFTER_DUE)
        inside = own.partition('id="cell-2"')[2]
        assert 'id="work-test-1"' in inside and 'href="#cell-2"' in own
        assert own.count('id="work-test-1"') == own.count('id="work-test-2"') == 1
        assert 'id="work-test-2"' not in inside  # no cell is known: it is at the test's own line


def test_cases_of_one_test_stand_in_one_line() -> None:
    cases = tuple(
        test_result("q1", f"test_sum[{n}-relu]", "Sums add up.", 2, points=Decimal(p),
                    outcome=TestOutcome.PASSED if p else TestOutcome.FAILED)
        for n, p in enumerate((2, 2, 0))
    )  # fmt: skip
    verdict = graded("ada", tests=cases, points=Decimal(4))
    html = student_page(verdict, None, spec=SPEC, audience="student", now=AFTER_DUE)
    said = text(html)
    assert said.count("Sums add up.") == 1
    assert "3 cases: 2 passed, 1 failed 4 / 6" in said and "2-relu" in said
    said = text(class_page([verdict], spec=SPEC, links={}))
    assert "Sums add up. 3 cases" in said and "1× q1 Sums add up. partly passed" in said
    names = [t["name"] for t in results_json(verdict, spec=SPEC, now=AFTER_DUE)["tests"]]
    assert names == [f"Sums add up. [{n}-relu]" for n in range(3)]


def test_long_outputs_fold_under_a_line_that_counts_them() -> None:
    retry = "WARNING: Retrying (Retry(total={})) after <b>connection</b> broken\n"
    printed = [
        {"output_type": "stream", "name": name, "text": "".join(retry.format(n) for n in range(15))}
        for name in ("stdout", "stderr")
    ]
    bar = "".join(f"\r{n} %" for n in range(500))
    cells = notebook(
        {"source": "!pip install timm", "outputs": printed},
        {"source": "fit()", "outputs": [{"output_type": "stream", "name": "stderr", "text": bar}]},
    )
    html = student_page(ADA, cells, spec=SPEC, audience="student", now=AFTER_DUE)
    assert html.count('<details class="fold">') == 1
    said = text(html)
    assert "30 lines, the last: WARNING: Retrying (Retry(total=14)) after <b>connection" in said
    assert "499 %" in said and "498 %" not in said
    assert (
        "fold"
        not in student_page(
            ADA, realistic_notebook(), spec=SPEC, audience="student", now=AFTER_DUE
        ).partition("<body")[2]
    )


def test_what_we_failed_at_has_no_number_anywhere() -> None:
    html = class_page([broken("emmy")], spec=SPEC, links={})
    assert 'class="num total" data-v="">–' in html
    assert "score" not in results_json(broken("emmy"), spec=SPEC, now=AFTER_DUE, given=GIVEN)
