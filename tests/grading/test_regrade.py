"""A suite that changed: only what changed is run again, with the marks of a full run."""

from __future__ import annotations

import msgspec
import pytest

from grader.api import Graded, grade
from grader.course.spec import AssignmentSpec, Rules
from grader.grading.job import BatchConfig, Job
from grader.grading.regrade import (
    ReusableResults,
    fingerprints_of,
    reusable_results,
    with_reusable_results,
)
from grader.grading.verdict import Outcome, Usage, Verdict
from grader.suite.results import TestOutcome, TestResult
from tests.grading.conftest import Classroom
from tests.helpers.assignments import HIDDEN
from tests.helpers.verdicts import SPEC, graded

MEANS = "tensor([3.0, 4.0])"


def run(classroom: Classroom, **options: object) -> Graded:
    return grade(
        classroom.course,
        "warm-up",
        [classroom.submissions],
        **{"sandbox": "local", "isolation": "warm", "slots": 1, **options},  # type: ignore[arg-type]
    )


def kept(verdict: Verdict) -> set[str]:
    assert verdict.provenance
    return {name.partition("[")[0] for name in verdict.provenance.kept}


def told(verdict: Verdict) -> list[tuple[object, ...]]:
    return [(t.name, t.outcome, t.points, t.message, t.details) for t in verdict.tests]


@pytest.mark.local_box
@pytest.mark.slow
def test_only_a_test_that_changed_is_run_again(classroom: Classroom) -> None:
    classroom.hand_in("ada")
    classroom.hand_in("bob", untouched=True)
    first = {v.student: v for v in run(classroom).verdicts}

    classroom.change(hidden=HIDDEN.replace("import torch\n", "import torch  # the library\n"))
    again = run(classroom)
    assert again.run == 0
    assert {v.student: v for v in again.verdicts} == first

    classroom.change(hidden=HIDDEN.replace(MEANS, "tensor([3.0, 5.0])"))
    changed = run(classroom)
    assert changed.run == 2
    assert {v.student: v.points for v in changed.verdicts} == {"ada": 5, "bob": 0}
    for verdict in changed.verdicts:
        assert kept(verdict) == {"test_rows_sum_to_one", "test_softmax_matches"}
        before = {t.name: t for t in first[verdict.student].tests}
        assert [t for t in verdict.tests if before[t.name] == t] == list(verdict.tests)[:3]
        assert verdict.provenance and first[verdict.student].provenance
        assert verdict.provenance.seed == first[verdict.student].provenance.seed  # type: ignore[union-attr]
    assert run(classroom).run == 0

    whole = run(classroom, regrade=True, seed=changed.verdicts[0].provenance.seed)  # type: ignore[union-attr]
    assert [told(v) for v in whole.verdicts] == [told(v) for v in changed.verdicts]
    assert not kept(whole.verdicts[0])


SUITE = {"": "c", "test_q1.py::test_a": "1", "test_q1.py::test_b": "2"}


def config_of(verdict: Verdict, spec: AssignmentSpec = SPEC, **changed: str) -> BatchConfig:
    """The setting of a batch in which everything is as it was, but for what is changed."""
    made = verdict.provenance
    assert made
    return BatchConfig(
        assignment=verdict.assignment,
        spec=spec,
        bundle_sha256="another",
        hidden="",
        reference="",
        data="",
        sandbox=made.sandbox,  # type: ignore[arg-type]
        isolation="warm",
        image=made.image,
        seed=0,
        grader_version=made.grader_version,
        packages=made.packages,
        suite=SUITE | changed,
    )


def verdict_of(**changed: object) -> Verdict:
    """A verdict of which every result is certain."""
    verdict = graded("ada", ability=1.0)
    assert verdict.provenance
    provenance = msgspec.structs.replace(verdict.provenance, suite=SUITE)
    return msgspec.structs.replace(verdict, **({"provenance": provenance} | changed))


def test_where_no_test_has_changed_the_verdict_stands() -> None:
    found = reusable_results(verdict_of(), config_of(verdict_of()))
    assert found is not None and found.whole


def test_where_one_has_changed_the_results_of_the_others_stand() -> None:
    config = config_of(verdict_of(), **{"test_q1.py::test_b": "3"})
    found = reusable_results(verdict_of(), config)
    assert found == ReusableResults(frozenset({"test_q1.py::test_a"}), whole=False)
    job = with_reusable_results(
        Job(student="a", file="f", data=b"", sha256=""), verdict_of(), found
    )
    assert verdict_of().provenance is not None
    assert job.seed == verdict_of().provenance.seed  # type: ignore[union-attr]
    assert job.unchanged == ("test_q1.py::test_a",)
    assert job.before == verdict_of().tests


def _with_outcome(outcome: TestOutcome) -> tuple[TestResult, ...]:
    first, *others = verdict_of().tests
    return (msgspec.structs.replace(first, outcome=outcome), *others)


@pytest.mark.parametrize(
    "changed",
    [
        {"tests": _with_outcome(TestOutcome.TIMEOUT)},
        {"tests": _with_outcome(TestOutcome.NOT_RUN)},
        {"tests": _with_outcome(TestOutcome.CRASHED)},
        {"usage": Usage(restarts=1)},
        {"outcome": Outcome.INFRASTRUCTURE_ERROR},
        {"provenance": None},
        {"provenance": graded("ada").provenance},
    ],
    ids=["timeout", "not run", "crash", "restart", "no mark", "no provenance", "an older grader's"],
)
def test_what_may_have_depended_on_others_is_run_again_with_all(changed: dict[str, object]) -> None:
    config = config_of(verdict_of(), **{"test_q1.py::test_b": "3"})
    assert reusable_results(verdict_of(**changed), config) is None


def test_another_program_or_rules_have_all_run_again() -> None:
    config = config_of(verdict_of(), **{"test_q1.py::test_b": "3"})
    ruled = msgspec.structs.replace(SPEC, rules=Rules(forbid=("torch.nn",)))
    for other in (
        msgspec.structs.replace(config, grader_version="other"),
        msgspec.structs.replace(config, packages={"torch": "other"}),
        msgspec.structs.replace(config, image="other"),
        msgspec.structs.replace(config, spec=ruled),
        msgspec.structs.replace(config, suite=config.suite | {"": "d"}),
    ):
        assert reusable_results(verdict_of(), other) is None


def test_dates_and_comments_are_in_no_fingerprint(classroom: Classroom) -> None:
    before = fingerprints_of(classroom.assignment)
    spec = classroom.assignment.spec_path
    spec.write_text(spec.read_text().replace("2024-10-09", "2024-10-16") + "# extended\n")
    later = classroom.course.assignment("warm-up")
    assert later.spec.dates != classroom.assignment.spec.dates
    assert fingerprints_of(later) == before
    spec.write_text(spec.read_text().replace("call_s = 30", "call_s = 31"))
    assert fingerprints_of(classroom.course.assignment("warm-up")) != before
