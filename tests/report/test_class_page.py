"""The class's page, and the numbers on it."""

from __future__ import annotations

import re
from decimal import Decimal

import html5lib
import msgspec
import pytest

from grader.grading.verdict import QuestionMark, Verdict
from grader.report.class_page import class_page, own_script
from grader.report.statistics import class_statistics
from grader.suite.results import TestOutcome
from tests.helpers.verdicts import SPEC, broken, class_of, graded, invalid, spoilt, test_result
from tests.report.hostile import ALL
from tests.report.hostile_verdict import hostile_verdict
from tests.report.test_student_page import text


def test_everyone_is_listed_by_name_with_a_link() -> None:
    verdicts = [graded(name) for name in ("Zeki", "ömer", "Ada", "Pelin")]
    html = class_page(verdicts, spec=SPEC, links={"Ada": "students/Ada Lovelace.html"})
    said = text(html)
    assert said.index("Ada") < said.index("ömer") < said.index("Pelin") < said.index("Zeki")
    assert 'href="students/Ada%20Lovelace.html"' in html


@pytest.mark.parametrize("link", ["javascript:attack()", "https://attack.example/", "//x", "/x"])
def test_a_link_that_leads_elsewhere_is_dropped(link: str) -> None:
    assert "<a href" not in class_page([graded("Ada")], spec=SPEC, links={"Ada": link}).replace(
        '<a class="skip" href', ""
    )


def test_infrastructure_errors_are_loud_and_no_marks() -> None:
    said = text(class_page([graded("Ada"), broken("Emmy")], spec=SPEC, links={}))
    assert "1 submission was not graded" in said
    assert "Emmy : The container engine went away" in said
    assert "! not graded" in said


def test_faults_of_the_suite_are_loud_and_no_marks() -> None:
    verdicts = [graded("Ada"), spoilt("Emmy"), spoilt("Kurt")]
    said = text(class_page(verdicts, spec=SPEC, links={}))
    assert "1 test of the suite is broken" in said
    assert "test_broken : test_q1.py:7: KeyError: 'oops' ( Emmy , Kurt )" in said
    assert "2 without a mark, through a fault of the suite" in said
    assert class_statistics(verdicts, SPEC.machine_points).summary == class_statistics(
        verdicts[:1], SPEC.machine_points
    ).summary  # fmt: skip


def test_the_histogram_says_what_it_draws() -> None:
    html = class_page([graded("Ada"), invalid("Emmy")], spec=SPEC, links={})
    assert "0 to 5 points: 1; 50 to 55 points: 1." in html


def test_tests_passed_in_part_are_told_apart_from_failed_ones() -> None:
    part = test_result("q1", "t", "Accuracy.", 8, points=Decimal(2), outcome=TestOutcome.FAILED)
    said = text(class_page([graded("Ada", tests=(part,)), graded("Emmy")], spec=SPEC, links={}))
    assert "0 % pass, 100 % partly" in said
    assert "Accuracy. partly passed" in said


def test_an_empty_class_has_a_page() -> None:
    assert "0 submissions" not in text(class_page([], spec=SPEC, links={}))


def test_no_attack_in_any_field_becomes_an_element() -> None:
    verdicts = [hostile_verdict(), broken(ALL), invalid(ALL), *class_of(5)]
    html = class_page(verdicts, spec=SPEC, links={ALL: ALL})
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    tags = {e.tag for e in tree.iter() if isinstance(e.tag, str)}
    assert [e.text for e in tree.iter("script")] == [own_script()]
    assert not tags & {"iframe", "img", "form", "input", "object", "embed", "base"}
    names = {name for e in tree.iter() for name in e.attrib}
    assert not any(name.startswith("on") for name in names)


def test_marks_fall_into_parts_with_round_edges() -> None:
    marks = [graded(str(p), points=Decimal(p)) for p in ("0", "4.99", "5", "52")]
    histogram = class_statistics(marks, Decimal(52)).histogram
    assert histogram.edges[:3] == (0, 5, 10) and histogram.edges[-1] == 52
    assert (histogram.counts[0], histogram.counts[1], histogram.counts[-1]) == (2, 1, 1)


@pytest.mark.parametrize("points", ["0", "0.5", "1", "7", "100", "4000"])
def test_any_number_of_points_has_a_histogram(points: str) -> None:
    worth = Decimal(points)
    histogram = class_statistics([graded("Ada", points=worth)], worth).histogram
    assert sum(histogram.counts) == 1 and histogram.counts[-1] == 1
    assert len(histogram.edges) == len(histogram.counts) + 1


def test_a_test_that_the_strong_pass_and_the_weak_fail_separates() -> None:
    def submission(name: str, good: bool) -> object:
        easy = test_result("q1", "easy", "", 2)
        hard = [
            test_result("q1", n, "", 2, points=Decimal(2 if good else 0),
                        outcome=TestOutcome.PASSED if good else TestOutcome.FAILED)
            for n in ("hard", "harder")
        ]  # fmt: skip
        return graded(name, tests=(easy, *hard), points=Decimal(6 if good else 2))

    verdicts = [submission(str(i), i % 2 == 0) for i in range(6)]
    easy, hard, _ = class_statistics(verdicts, Decimal(6)).tests  # type: ignore[arg-type]
    assert (easy.pass_rate, easy.discrimination) == (1.0, None)
    assert (hard.pass_rate, hard.mean_share) == (0.5, 0.5)
    assert hard.discrimination == pytest.approx(1)


def test_errors_are_counted_once_for_each_submission() -> None:
    def raised(name: str, error: str) -> object:
        test = test_result("q1", name, "", 1, points=Decimal(0),
                           outcome=TestOutcome.STUDENT_ERROR, message=f"{error}: no")  # fmt: skip
        return graded(name, tests=(test, test))

    verdicts = [raised("a", "ValueError"), raised("b", "torch.OutOfMemoryError"),
                raised("c", "ValueError"), raised("d", "look here")]  # fmt: skip
    statistics = class_statistics(verdicts, Decimal(2))  # type: ignore[arg-type]
    assert dict(statistics.errors) == {
        "ValueError": 2,
        "OutOfMemoryError": 1,
        "another error": 1,
    }
    assert {failure.count for failure in statistics.failures} == {1}


def test_infrastructure_errors_move_no_mean() -> None:
    verdicts = [graded("Ada", points=Decimal(40)), broken("Emmy"), invalid("Alan")]
    summary = class_statistics(verdicts, Decimal(52)).summary
    assert summary is not None and (summary.mean, summary.lowest) == (20.0, 0)


def test_nothing_of_what_cannot_be_read_waits_for_a_person() -> None:
    manual = QuestionMark(
        id="q1",
        title="",
        points=Decimal(0),
        max_points=Decimal(0),
        manual_points=Decimal(2),
    )
    for verdict, shown in ((graded("Ada"), ">?<"), (invalid("Alan"), ">0<")):
        whole = msgspec.structs.replace(verdict, questions=(manual,), manual_points=Decimal(2))
        html = class_page([whole], spec=SPEC, links={})
        (cell,) = re.findall(r'<td[^>]*data-q="q1".*?</td>', html)
        assert shown in cell


def test_kinds_of_mistakes_are_counted_by_student_and_question() -> None:
    def made(name: str, *kinds: str) -> Verdict:
        tests = tuple(
            test_result("q1", f"t{i}", "T.", 1, outcome=TestOutcome.FAILED, diagnosis=kind)
            for i, kind in enumerate(kinds)
        )
        return graded(name, tests=tests)

    verdicts = [made("Ada", "sign", "sign"), made("Ben", "sign"), made("Cem", "transposed")]
    (found,) = class_statistics(verdicts, Decimal(2)).diagnosed
    assert (found.question, found.students, found.who) == ("q1", 2, ("Ada", "Ben"))
    assert found.sentence.startswith("The sign")
