"""The student's page: what it says, to whom, and what it never holds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import html5lib
import msgspec
import pytest

from grader.errors import GraderError
from grader.grading.verdict import SubmissionRecord, Verdict
from grader.report.marks import MOST_TRIES_DIAGNOSED, OUTCOME_WORDS
from grader.report.student_page import student_page
from grader.suite.results import TestOutcome
from tests.helpers.notebooks import realistic_notebook
from tests.helpers.verdicts import (
    AFTER_DUE,
    BEFORE_DUE,
    PROVENANCE,
    SPEC,
    TRACEBACK,
    broken,
    graded,
    invalid,
    spoilt,
    test_result,
)
from tests.report.hostile_verdict import hostile_notebook, hostile_verdict


def page(
    verdict: Verdict,
    notebook: bytes | None = None,
    audience: Any = "student",
    now: dt.datetime = AFTER_DUE,
    **more: Any,
) -> str:
    return student_page(verdict, notebook, spec=SPEC, audience=audience, now=now, **more)


def text(html: str) -> str:
    """What a reader reads, with single spaces."""
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    return " ".join(" ".join(tree.find("body").itertext()).split())


def failed(outcome: TestOutcome = TestOutcome.STUDENT_ERROR, **more: Any) -> Verdict:
    fields: dict[str, Any] = {
        "points": Decimal(0),
        "outcome": outcome,
        "message": "RuntimeError: sizes differ",
        "hints": ("Look at `keepdim`.",),
        "traceback": TRACEBACK,
        "details": "expected SECRET-VALUE",
    }
    return graded("Ada", tests=(test_result("q1", "t", "Rows sum to one.", 8, **fields | more),))


def test_the_mark_stands_first_with_what_waits_for_a_person() -> None:
    said = text(page(graded("Ada Lovelace")))
    assert "Ada Lovelace" in said and "Multilayer perceptrons" in said and "koc-comp541" in said
    assert "52 of 60 points, 8 wait" in said
    assert "8 points wait for a person" in said


def test_a_missed_test_shows_its_outcome_in_words_its_hint_and_the_students_traceback() -> None:
    said = text(page(failed()))
    for part in ("✗ raised an error", "Rows sum to one.", "0 / 8", "RuntimeError: sizes differ",
                 "Hint Look at keepdim .", "cell 9, line 6, in softmax"):  # fmt: skip
        assert part in said


@pytest.mark.parametrize("outcome", list(TestOutcome))
def test_every_outcome_has_its_words(outcome: TestOutcome) -> None:
    said = text(page(failed(outcome)))
    assert OUTCOME_WORDS[outcome] in said
    assert ("✓" in said) == (outcome is TestOutcome.PASSED)


def test_a_part_of_the_points_is_partly_passed_and_no_failure() -> None:
    said = text(page(failed(TestOutcome.FAILED, points=Decimal("2.67"), message="Accuracy 71 %.")))
    assert "◐ partly passed Rows sum to one. 2.67 / 8 Accuracy 71 %." in said
    assert "✗" not in said


def test_expected_values_reach_only_the_instructor() -> None:
    assert "SECRET-VALUE" not in page(failed())
    assert "SECRET-VALUE" in page(failed(), audience="instructor")


def test_a_test_may_choose_to_show_its_details() -> None:
    assert "SECRET-VALUE" in page(failed(shows_details=True))


@pytest.mark.parametrize("shows", ["after_due", "never"])
def test_a_hidden_test_leaves_no_trace_but_its_points(shows: str) -> None:
    html = page(failed(shows=shows), now=BEFORE_DUE)
    for part in ("Rows sum to one", "SECRET-VALUE", "keepdim", "sizes differ", "raised an error"):
        assert part not in html
    assert "1 test is not shown on this page, worth 8 points." in text(html)


def test_hidden_points_are_said_to_come_later() -> None:
    said = text(page(graded("Ada"), now=BEFORE_DUE))
    assert "40 of 48 points so far, 8 wait" in said
    assert "12 points come from tests that are counted after the due date" in said


def test_trials_are_counted() -> None:
    assert "3 of 3 trials with different seeds passed." in text(page(graded("Ada")))


def test_notes_on_the_run_are_shown() -> None:
    verdict = graded("Ada", notes=("Cell 7 was stopped after 20 s.",))
    assert "Cell 7 was stopped after 20 s." in text(page(verdict))


def test_a_written_answer_is_shown_as_markdown_and_a_missing_one_is_named() -> None:
    html = page(graded("Ada", answers={"q7": "They stay **equal**: $w_1 = w_2$."}))
    assert "<strong>equal</strong>" in html and "<msub>" in html
    assert "4 points, to be marked by a person" in text(html)
    assert "No answer was found in the notebook." in text(html)


def test_a_submission_that_could_not_be_read_says_why() -> None:
    said = text(page(invalid("Ada")))
    assert "0 of 60 points" in said and "The file is a PDF, not a notebook." in said


def test_an_infrastructure_error_is_no_mark_and_tells_a_student_nothing_of_ours() -> None:
    said = text(page(broken("Ada")))
    assert "Not graded yet" in said and "points" not in said
    assert "container engine" not in said
    assert "container engine" in text(page(broken("Ada"), audience="instructor"))


def test_a_fault_of_the_suite_is_no_mark_and_shows_a_student_nothing_of_it() -> None:
    said = text(page(spoilt("Ada")))
    assert "Not graded yet" in said and "points" not in said
    assert "A check of this assignment is broken, not this work." in said
    assert "oops" not in page(spoilt("Ada"))
    assert "test_q1.py:7: KeyError: 'oops'" in text(page(spoilt("Ada"), audience="instructor"))


def test_an_unsafe_run_is_said_at_the_top() -> None:
    unsafe = type(PROVENANCE)(bundle_sha256="0", image="", sandbox="unsafe", isolation="", seed=1)
    assert "Unsafe run." in text(page(graded("Ada", provenance=unsafe)))[:60]
    assert "Unsafe run." not in page(graded("Ada"))


def test_provenance_is_in_the_footer() -> None:
    said = text(page(graded("Ada")))
    for part in (PROVENANCE.bundle_sha256, PROVENANCE.image, "docker, warm", "torch 2.13.0",
                 "memory mb 1024", "MB at its peak"):  # fmt: skip
        assert part in said
    assert f"Seed {PROVENANCE.seed}" in text(page(graded("Ada"), audience="instructor"))


def test_a_verdict_without_provenance_has_a_page() -> None:
    assert "52 of 60" in text(page(graded("Ada", provenance=None)))


def test_the_executed_notebook_is_in_the_page() -> None:
    html = page(graded("Ada"), realistic_notebook())
    assert 'class="dataframe"' in html and "data:image/png;base64," in html
    assert "non-singleton dimension 1" in text(html)


def test_the_page_forbids_scripts_and_loads() -> None:
    html = page(graded("Ada"), realistic_notebook())
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in html
    head = html.index("Content-Security-Policy")
    assert head < html.index("<style") < html.index("<title") or head < html.index("<title")


def test_no_attack_in_any_field_becomes_an_element_that_runs_or_loads() -> None:
    html = page(hostile_verdict(), hostile_notebook(), audience="instructor")
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    tags = {e.tag for e in tree.iter() if isinstance(e.tag, str)}
    assert not tags & {"script", "iframe", "form", "input", "object", "embed", "base", "video"}
    assert sum(e.tag == "style" for e in tree.iter()) == 1
    assert sum(e.tag == "meta" for e in tree.iter()) == 6
    assert sum(e.get("id") == "main" for e in tree.iter()) == 1
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name != "style" or value.startswith("width:")
            assert name != "href" or value.startswith(("#", "http", "mailto:"))
            assert name != "src" or value.startswith("data:image/")


def test_a_page_of_attacks_can_be_encoded_and_stays_small() -> None:
    html = page(hostile_verdict(answers={"q7": "\ud800 \x00"}), hostile_notebook())
    assert len(html.encode()) < 8_000_000


def test_a_course_may_put_its_own_template_first(tmp_path: Path) -> None:
    own = tmp_path / "report" / "student.html.j2"
    own.parent.mkdir()
    own.write_text("{{ verdict.student }}: {{ sheet.points | points }}")
    verdict = graded("<Ada>")
    assert page(verdict, template_dirs=[tmp_path]) == "&lt;Ada&gt;: 52"


def test_a_wrong_template_is_named_with_its_line(tmp_path: Path) -> None:
    own = tmp_path / "report" / "student.html.j2"
    own.parent.mkdir()
    own.write_text("fine\n{% if %}")
    with pytest.raises(GraderError, match="template cannot be used") as caught:
        page(graded("Ada"), template_dirs=[tmp_path])
    assert caught.value.where == f"{own}:2"


def test_declared_collaborators_are_shown_where_they_were_declared() -> None:
    declared = {"q1": "Ben & <b>Cem</b>", "": "Zoë"}
    verdict = msgspec.structs.replace(graded("Ada"), collaborators=declared)
    for audience in ("student", "instructor"):
        html = page(verdict, audience=audience)
        assert "<b>Cem" not in html
        assert "Declared collaborators Ben & <b>Cem</b>" in text(html)
        assert "Declared collaborators Zoë" in text(html)
    assert "Declared" not in page(graded("Ada"))


def shown_diagnosis(
    when: str,
    audience: Any,
    *,
    of_question: str | None = None,
    now: dt.datetime = BEFORE_DUE,
    submission: SubmissionRecord | None = None,
    **more: Any,
) -> bool:
    spec = msgspec.structs.replace(SPEC, diagnose=when)
    if of_question:
        first, *others = spec.questions
        asked = msgspec.structs.replace(first, diagnose=of_question)
        spec = msgspec.structs.replace(spec, questions=(asked, *others))
    verdict = failed(TestOutcome.FAILED, diagnosis="sign", **more)
    if submission is not None:
        verdict = msgspec.structs.replace(verdict, submission=submission)
    html = student_page(verdict, None, spec=spec, audience=audience, now=now)
    return "The sign is the other way round." in html


def test_a_diagnosis_is_told_when_the_spec_says_so() -> None:
    assert shown_diagnosis("always", "student")
    assert not shown_diagnosis("never", "student")
    assert shown_diagnosis("never", "instructor")
    assert not shown_diagnosis("after_due", "student")
    assert shown_diagnosis("after_due", "student", now=AFTER_DUE)
    assert shown_diagnosis("never", "student", of_question="always")
    assert not shown_diagnosis("always", "student", of_question="never")


def test_a_test_that_students_never_see_tells_no_diagnosis() -> None:
    assert not shown_diagnosis("always", "student", shows="never")


def test_after_so_many_tries_a_kind_could_have_chosen_no_kind_is_told() -> None:
    """A notebook that asks with each try learns so many kinds, and then no more."""
    first, last = MOST_TRIES_DIAGNOSED, MOST_TRIES_DIAGNOSED + 1
    for when, handed_in, told in (
        ("always", BEFORE_DUE, False),
        ("after_due", BEFORE_DUE, True),
        ("after_due", AFTER_DUE, False),
    ):
        for attempt in (first, last):
            tried = SubmissionRecord(file="a", sha256="a", attempt=attempt, submitted_at=handed_in)
            said = shown_diagnosis(when, "student", now=AFTER_DUE, submission=tried)
            assert said == (told or attempt == first)
            assert shown_diagnosis(when, "instructor", submission=tried)
