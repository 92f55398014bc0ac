"""What of an earlier verdict stands when the suite has changed since then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from grader.course.directory import Assignment
from grader.course.spec import Dates
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.verdict import Verdict
from grader.suite.fingerprints import COMMON, Fingerprints, files_of, fingerprints, unchanged_units
from grader.suite.results import TestOutcome

_CERTAIN = frozenset({TestOutcome.PASSED, TestOutcome.FAILED, TestOutcome.STUDENT_ERROR})


@dataclass(frozen=True)
class ReusableResults:
    """Units of an earlier verdict that are as they were; `whole` if all of them are."""

    unchanged: frozenset[str]
    whole: bool


def fingerprints_of(assignment: Assignment) -> Fingerprints:
    """The fingerprints of an assignment's hidden suite, with all that its tests use."""
    bundle = assignment.bundle_files()
    hidden = [path for path in bundle if path.is_relative_to(assignment.hidden_dir)]
    others = [path for path in bundle if path not in hidden and path != assignment.spec_path]
    # Dates, diagnoses and the reference's runs decide what a page shows, what is accepted only what
    # `validate` says; none of them a result.
    spec = msgspec.json.encode(
        msgspec.structs.replace(
            assignment.spec,
            dates=Dates(),
            accepted=(),
            diagnose="after_due",
            reference_runs="after_due",
        )
    )
    return fingerprints(
        files_of(assignment.hidden_dir, hidden),
        {"assignment.toml": spec, **files_of(assignment.course_root, others)},
    )


def with_kept(judged: Judged, names: Sequence[str]) -> Judged:
    """Have a verdict say which of its results an earlier run has given."""
    made = judged.verdict.provenance
    if not names or made is None:
        return judged
    provenance = msgspec.structs.replace(made, kept=tuple(names))
    verdict = msgspec.structs.replace(judged.verdict, provenance=provenance)
    return msgspec.structs.replace(judged, verdict=verdict)


def with_reusable_results(job: Job, verdict: Verdict, stands: ReusableResults) -> Job:
    """Have a submission run again, with the seed of before, only as far as it must."""
    made = verdict.provenance
    return msgspec.structs.replace(
        job,
        seed=made.seed if made else None,
        before=verdict.tests,
        unchanged=tuple(sorted(stands.unchanged)),
    )


def reusable_results(verdict: Verdict, config: BatchConfig) -> ReusableResults | None:
    """Say what of a verdict on the same submission stands; None where nothing does.

    Where every fingerprint is as it was, the verdict stands as it is. Else a result does not that
    may have depended on how long others took, on what became of the box under them, or on what all
    of them called (as rules do); and then nothing does.
    """
    made = verdict.provenance
    if made is None or not verdict.outcome.is_mark or not made.suite:
        return None
    same_program = (made.grader_version, made.packages, made.image, made.sandbox) == (
        config.grader_version,
        config.packages,
        config.image,
        config.sandbox,
    )
    if not same_program:
        return None
    if made.suite == config.suite:
        return ReusableResults(frozenset(made.suite), whole=True)
    spec = config.spec
    has_rules = spec.rules is not None or any(q.rules is not None for q in spec.questions)
    certain = {test.outcome for test in verdict.tests} <= _CERTAIN
    unchanged = unchanged_units(made.suite, config.suite) - {COMMON}
    if has_rules or not certain or verdict.usage.restarts or not unchanged:
        return None
    return ReusableResults(unchanged, whole=False)
