"""What of an assignment has to be run, and what stands: the first step of grading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from grader.api.batch_config import batch_config
from grader.api.handing_in import zone_of
from grader.course.directory import Assignment, Course
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.hand_ins import HandInTime, hand_in_of
from grader.gradebook.reuse import Reusable
from grader.gradebook.store import Gradebook, StoredVerdict
from grader.grading.job import BatchConfig, Job
from grader.grading.order import longest_first
from grader.grading.regrade import fingerprints_of, reusable_results, with_reusable_results
from grader.grading.verdict import Verdict
from grader.intake.collected import without_time
from grader.intake.hand_in_times import learnt_time
from grader.intake.submission import Submission
from grader.sandbox.choose import Choice


@dataclass(frozen=True, kw_only=True)
class GradingPlan:
    """What is to be done for some submissions of one assignment.

    Attributes:
        config: how they are run.
        jobs: what has to run, the longest first; `load` reads their notebooks.
        reused: the entries of the record that stand as they are.
        before: the verdicts of these students that counted until now.
        submissions: all of them that run, by student and attempt.
        tries: of how many submissions of each student the plan is.
    """

    config: BatchConfig
    jobs: Sequence[Job]
    reused: Sequence[StoredVerdict]
    before: Sequence[Verdict]
    submissions: Mapping[tuple[str, int], Submission]
    tries: Mapping[str, int]

    def load(self, job: Job) -> Job:
        """Read a job's notebook, and what lies beside it.

        Raises:
            InfrastructureError: it is not there as it was.
        """
        submission = self.submissions[job.student, job.attempt]
        return msgspec.structs.replace(job, data=submission.read(), files=submission.read_files())


def config_for_record(
    assignment: Assignment,
    choice: Choice,
    seed: int,
    *,
    slots: int | None = None,
    gpus: tuple[str, ...] = (),
) -> BatchConfig:
    """A setting whose verdicts are kept: it has the hashes by which they are used again."""
    return msgspec.structs.replace(
        batch_config(assignment, choice, seed, slots=slots, gpus=gpus),
        bundle_sha256=assignment.bundle_sha256(),
        suite=fingerprints_of(assignment),
    )


def plan_grading(
    course: Course,
    assignment: Assignment,
    gradebook: Gradebook,
    submissions: Sequence[Submission],
    *,
    config: BatchConfig,
    regrade: bool = False,
    keeps_seed: bool = True,
    warned: Callable[[str], None] = lambda warning: None,
) -> GradingPlan:
    """Decide what has to run; an unchanged submission keeps its verdict.

    Hand-in times that are new are recorded on the way.

    Args:
        course: the course directory.
        assignment: of the course.
        gradebook: the record.
        submissions: what was handed in.
        config: as `config_for_record` returns it.
        regrade: also run what has not changed.
        keeps_seed: whether what is run again in part may have the seed of before.
        warned: told of times that were learnt, and of those that are missing.
    """
    tries = Counter(s.student for s in submissions)
    held = _held(gradebook, assignment, tries)
    submissions, learnt = _learn_times(course, assignment, gradebook, submissions, held, warned)
    if learnt:
        held = _held(gradebook, assignment, tries)
    before = counted_verdicts(course, assignment, gradebook, [e.verdict for e in held])
    reusable = Reusable(
        [] if regrade else held, bundle_sha256=config.bundle_sha256, image=config.image
    )
    reused: list[StoredVerdict] = []
    jobs: list[Job] = []
    for submission in submissions:
        found = _found_or_job(submission, reusable, config, keeps_seed=keeps_seed)
        if isinstance(found, Job):
            jobs.append(found)
        else:
            reused.append(found)
    by_key = {(s.student, s.attempt): s for s in submissions}
    return GradingPlan(
        config=config,
        jobs=longest_first(jobs, before),
        reused=reused,
        before=before,
        submissions={key: by_key[key] for key in ((j.student, j.attempt) for j in jobs)},
        tries=tries,
    )


def _held(
    gradebook: Gradebook, assignment: Assignment, tries: Mapping[str, int]
) -> list[StoredVerdict]:
    return [e for e in gradebook.current_entries(assignment.name) if e.verdict.student in tries]


def _learn_times(
    course: Course,
    assignment: Assignment,
    gradebook: Gradebook,
    submissions: Sequence[Submission],
    held: Sequence[StoredVerdict],
    warned: Callable[[str], None],
) -> tuple[list[Submission], int]:
    """Record hand-in times that are new; return submissions with what is known of them.

    Also returns how many were new.

    A time is a fact about a submission, not about its verdict: nothing is run for it.
    """
    known = {one.key: one.at for one in (hand_in_of(entry.verdict) for entry in held)}
    told = [
        HandInTime(
            student=s.student,
            attempt=s.attempt,
            sha256=s.sha256,
            at=s.submitted_at,
            told_by=s.time_from,
        )
        for s in submissions
    ]
    learnt = gradebook.hand_ins.learn(assignment.name, told, known)
    for one in learnt:
        warned(learnt_time(one.student, one.at, one.before, one.told_by, zone_of(course)))
    timed = [
        replace(s, submitted_at=known.get(t.key)) if s.submitted_at is None else s
        for s, t in zip(submissions, told, strict=True)
    ]
    if assignment.spec.dates.due is not None and (missing := without_time(timed)):
        warned(missing)
    return timed, len(learnt)


def _found_or_job(
    submission: Submission, reusable: Reusable, config: BatchConfig, *, keeps_seed: bool
) -> StoredVerdict | Job:
    """The entry that stands for a submission; where there is none, the job that makes one."""
    at = (submission.student, submission.attempt, submission.sha256)
    found = reusable.find(*at)
    if found is not None:
        return found
    job = _job(submission)
    earlier = reusable.same_submission(*at)
    stands = reusable_results(earlier.verdict, config) if earlier else None
    if earlier and stands and stands.whole:
        return earlier
    if earlier and stands and keeps_seed:
        return with_reusable_results(job, earlier.verdict, stands)
    return job


def _job(submission: Submission) -> Job:
    return Job(
        student=submission.student,
        file=submission.file,
        sha256=submission.sha256,
        attempt=submission.attempt,
        submitted_at=submission.submitted_at,
        problem=submission.problem,
        notes=submission.notes,
        unused=submission.unused,
        notebook=submission.notebook,
    )
