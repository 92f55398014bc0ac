"""Grade a batch: what changed is run; a verdict is committed when it is made, its page follows."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from grader.api.batch_config import SEED_BITS, batch_config, with_released_cells
from grader.api.batch_lock import batch_lock
from grader.api.handing_in import intake_config, zone_of
from grader.api.mark_notes import notes_on_marks
from grader.api.pages import Pages
from grader.course.directory import Assignment, Course, check_assignment
from grader.course.spec import AssignmentSpec
from grader.errors import UsageError
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.differences import MarkChange, differences
from grader.gradebook.hand_ins import HandInTime, hand_in_of
from grader.gradebook.reuse import Reusable
from grader.gradebook.standings import Standing
from grader.gradebook.store import Gradebook, StoredVerdict
from grader.gradebook.untouched import Untouched, mark_untouched
from grader.gradebook.whole_mark import WholeMark
from grader.grading.batch import Watchers, grade_batch
from grader.grading.cluster import Cluster, open_cluster
from grader.grading.job import Job, Judged
from grader.grading.keeping.kept import end_kept_judges, with_key
from grader.grading.order import longest_first
from grader.grading.packed_bundle import pack
from grader.grading.regrade import fingerprints_of, reusable_results, with_reusable_results
from grader.grading.suite_faults import SuiteFault, suite_faults
from grader.grading.verdict import Outcome, Verdict
from grader.intake.accepted_files import beside_of
from grader.intake.collect import RefusedHandIn, collect, without_time
from grader.intake.hand_in_times import learnt_time
from grader.intake.submission import Submission
from grader.report.overview import OverviewLine
from grader.sandbox.choose import Choice, choose
from grader.sandbox.gpus import gpus_for


@dataclass(kw_only=True)
class Progress:
    """Who is told how a batch goes; each is called in the caller's own process."""

    chosen: Callable[[Choice], None] = lambda choice: None
    planned: Callable[[int, int], None] = lambda to_run, reused: None
    warm: Callable[[int], None] = lambda slots: None
    begun: Callable[[str], None] = lambda student: None
    cell: Callable[[str, int, int], None] = lambda student, cell, cells: None
    stopping: Callable[[], None] = lambda: None
    judged: Callable[[Verdict], None] = lambda verdict: None
    refused: Callable[[RefusedHandIn], None] = lambda refused: None
    warned: Callable[[str], None] = lambda warning: None


@dataclass(kw_only=True)
class Graded:
    """What came of a batch: the verdict that counts for each student, and where the pages are.

    `marks` are machine and people together, `standings` say of everybody on the roster how they
    stand, `findings` are worth a look.
    """

    assignment: str
    spec: AssignmentSpec
    choice: Choice
    seed: int
    verdicts: list[Verdict]
    pages: dict[str, Path]
    class_page: Path
    duration_s: float
    run: int
    reused: int
    refused: tuple[RefusedHandIn, ...]
    changes: list[MarkChange] = field(default_factory=list)
    untouched: Untouched = field(default_factory=Untouched)
    marks: Mapping[str, WholeMark | None] = field(default_factory=dict)
    standings: Mapping[str, Standing] = field(default_factory=dict)
    findings: Sequence[OverviewLine] = ()

    @property
    def infrastructure_errors(self) -> list[Verdict]:
        """Submissions that we failed to judge; they have no mark yet."""
        return [v for v in self.verdicts if v.outcome is Outcome.INFRASTRUCTURE_ERROR]

    @property
    def suite_faults(self) -> list[SuiteFault]:
        """Tests that the suite itself has spoilt: whom they concern has no mark yet."""
        return suite_faults(self.verdicts)


def grade(
    course: Course,
    assignment: str,
    sources: Iterable[Path | str],
    *,
    out: Path | None = None,
    sandbox: str = "auto",
    isolation: str = "auto",
    slots: int | None = None,
    only: Sequence[str] = (),
    regrade: bool = False,
    seed: int | None = None,
    gpus: Sequence[str] = (),
    runtime: str = "",
    cluster: str = "",
    keep: bool = False,
    progress: Progress | None = None,
) -> Graded:
    """Grade what students handed in.

    Args:
        course: the course directory.
        assignment: its name there.
        sources: folders, zips, inboxes or notebooks; see `intake.collect`.
        out: where pages go; default `graded/ASSIGNMENT` in the course directory.
        sandbox: `auto`, `docker`, `local` or `unsafe`.
        isolation: `auto`, `warm` or `single-use`.
        slots: how many at once; default: cores over threads per submission.
        only: students; default everybody.
        regrade: run again what has not changed.
        seed: of the batch; default fresh, or that of the batch which is continued.
        gpus: the devices of the slots, one for each, if the spec wants a GPU; default: all that
            are found.
        runtime: of the container engine, such as `runsc`; default: the engine's own.
        cluster: address of a Dask scheduler, or `local:N`; then its machines grade.
        keep: have the judge of a single submission, with its warm slot, stay for the next command
            for ten minutes; several submissions need the room, and end those that have stayed.
        progress: who is told.

    Raises:
        SpecError, SuiteError: said before the first submission is graded.
        InfrastructureError: no sandbox, or another batch grades the same assignment.
    """
    began = time.monotonic()
    progress = progress or Progress()
    chosen = course.assignment(assignment)
    check_assignment(chosen)
    if cluster and (slots or gpus):
        raise UsageError(
            "a cluster's workers say themselves how many slots and which GPUs they have",
            hint="Leave out --slots and --gpus, see docs/how-to/cluster.md.",
        )
    devices = gpus_for(chosen.spec.resources, gpus) if not cluster else ()
    submissions, refused, warnings = _submissions(chosen, sources, only)
    for item in refused:
        progress.refused(item)
    for warning in warnings:
        progress.warned(warning)
    with ExitStack() as stack:
        machines = stack.enter_context(open_cluster(cluster)) if cluster else None
        box = chosen.spec.box
        if machines is None:
            hide = (course.root,)
            choice = choose(sandbox, isolation, box=box, hide=hide, runtime=runtime)
        else:
            choice = machines.choose(sandbox, isolation, box=box, runtime=runtime)
        progress.chosen(choice)
        stack.enter_context(batch_lock(chosen))
        gradebook = stack.enter_context(Gradebook(course.database_url))
        run = _Run(course, chosen, choice, gradebook, progress, out, machines)
        run.prepare(submissions, regrade=regrade, seed=seed, slots=slots, gpus=devices)
        run.judge(keep=keep)
        return run.finish(began, tuple(refused))


def _submissions(
    assignment: Assignment, sources: Iterable[Path | str], only: Sequence[str]
) -> tuple[list[Submission], Sequence[RefusedHandIn], Sequence[str]]:
    attempts = assignment.spec.attempts
    collected = collect(
        [Path(s) for s in sources],
        assignment=assignment.name,
        counts=attempts.counts,
        limit=attempts.limit,
        config=intake_config(Course(assignment.course_root), beside=beside_of(assignment)),
    )
    submissions = list(collected.submissions)
    if only:
        known = {s.student for s in submissions}
        unknown = [name for name in only if name not in known]
        if unknown:
            raise UsageError(
                f"no submission of {', '.join(unknown)}",
                hint=f"There are: {', '.join(sorted(known)[:20])}",
            )
        submissions = [s for s in submissions if s.student in only]
    return submissions, collected.refused, collected.warnings


class _Run:
    """One batch in the making."""

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        choice: Choice,
        gradebook: Gradebook,
        progress: Progress,
        out: Path | None,
        machines: Cluster | None,
    ) -> None:
        self._machines = machines
        self._course = course
        self._assignment = assignment
        self._choice = choice
        self._gradebook = gradebook
        self._progress = progress
        self._pages = Pages(course, assignment, gradebook, out=out, keep=True)
        self._verdicts: list[Verdict] = []
        self._before: list[Verdict] = []
        self._jobs: list[Job] = []
        self._submissions: dict[tuple[str, int], Submission] = {}
        self._batch = ""

    def prepare(
        self,
        submissions: Sequence[Submission],
        *,
        regrade: bool,
        seed: int | None,
        slots: int | None,
        gpus: tuple[str, ...],
    ) -> None:
        """Decide what has to run; an unchanged submission keeps its verdict."""
        bundle = self._assignment.bundle_sha256()
        self._seed = seed if seed is not None else self._seed_of_batch(bundle)
        self._config = msgspec.structs.replace(
            batch_config(self._assignment, self._choice, self._seed, slots=slots, gpus=gpus),
            bundle_sha256=bundle,
            suite=fingerprints_of(self._assignment),
        )
        self._attempts = Counter(s.student for s in submissions)
        holding = self._gradebook.current_entries(self._assignment.name)
        submissions, learnt = self._learn_times(submissions, holding)
        if learnt:
            holding = self._gradebook.current_entries(self._assignment.name)
        held = [e for e in holding if e.verdict.student in self._attempts]
        self._before = self._counted([e.verdict for e in held])
        reusable = Reusable([] if regrade else held, bundle_sha256=bundle, image=self._choice.image)
        for submission in submissions:
            found = self._found_or_job(submission, reusable, keeps_seed=seed is None)
            if found is not None:
                self._verdicts.append(found.verdict)
                self._pages.add(found.verdict, found.name)
        self._jobs = longest_first(self._jobs, self._before)
        self._progress.planned(len(self._jobs), len(self._verdicts))

    def _learn_times(
        self, submissions: Sequence[Submission], holding: Sequence[StoredVerdict]
    ) -> tuple[list[Submission], int]:
        """Record hand-in times that are new; return submissions with what is known of them.

        Also returns how many were new.

        A time is a fact about a submission, not about its verdict: nothing is run for it.
        """
        times = [hand_in_of(entry.verdict) for entry in holding]
        known = {one.key: one.at for one in times}
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
        learnt = self._gradebook.hand_ins.learn(self._assignment.name, told, known)
        for one in learnt:
            said = learnt_time(one.student, one.at, one.before, one.told_by, zone_of(self._course))
            self._progress.warned(said)
        timed = [
            replace(s, submitted_at=known.get(t.key)) if s.submitted_at is None else s
            for s, t in zip(submissions, told, strict=True)
        ]
        if self._assignment.spec.dates.due is not None and (missing := without_time(timed)):
            self._progress.warned(missing)
        return timed, len(learnt)

    def _counted(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        return counted_verdicts(self._course, self._assignment, self._gradebook, verdicts)

    def _found_or_job(
        self, submission: Submission, reusable: Reusable, *, keeps_seed: bool
    ) -> StoredVerdict | None:
        """The record that stands for a submission; where there is none, it becomes a job."""
        at = (submission.student, submission.attempt, submission.sha256)
        found = reusable.find(*at)
        if found is not None:
            return found
        job = _job(submission)
        earlier = reusable.same_submission(*at)
        stands = reusable_results(earlier.verdict, self._config) if earlier else None
        if earlier and stands and stands.whole:
            return earlier
        if earlier and stands and keeps_seed:
            job = with_reusable_results(job, earlier.verdict, stands)
        self._jobs.append(job)
        self._submissions[job.student, job.attempt] = submission
        return None

    def judge(self, *, keep: bool) -> None:
        """Run what has to run; each verdict is in the gradebook before its page is written."""
        if not self._jobs:
            return
        settings = {"sandbox": self._choice.sandbox, "isolation": self._choice.isolation}
        self._batch = self._gradebook.start_batch(
            self._assignment.name, seed=self._seed, settings=settings
        )
        self._config = with_released_cells(self._config, self._assignment)
        alone = len(self._jobs) == 1 and self._machines is None
        self._config = msgspec.structs.replace(self._config, alone=alone)
        if keep and alone:
            self._config = with_key(self._config)
        elif keep:
            end_kept_judges()
        watchers = Watchers(
            on_verdict=self._take,
            on_begin=self._progress.begun,
            on_ready=self._progress.warm,
            on_cell=self._progress.cell,
            on_stopping=self._progress.stopping,
            on_warned=self._progress.warned,
            on_idle=self._pages.write_one_ahead,
        )
        if self._machines is None:
            grade_batch(self._config, self._jobs, watchers, load=self._load)
        else:
            bundle = pack(self._assignment)
            self._machines.grade(self._config, bundle, self._jobs, watchers, load=self._load)
        if all(map(_has_mark, self._verdicts)):  # else it is continued, with the same seed
            self._gradebook.finish_batch(self._batch)

    def finish(self, began: float, refused: tuple[RefusedHandIn, ...]) -> Graded:
        """Write the pages of what counts, and the class page."""
        counted = self._counted(self._verdicts)
        untouched = mark_untouched(self._gradebook, self._assignment.spec, counted)
        report = self._pages.write(counted)
        for note in notes_on_marks(self._course, self._assignment, self._gradebook):
            self._progress.warned(note)
        return Graded(
            assignment=self._assignment.name,
            spec=self._assignment.spec,
            choice=self._choice,
            seed=self._seed,
            verdicts=counted,
            pages=report.pages,
            class_page=report.class_page,
            marks=report.marks,
            standings=report.standings,
            findings=report.findings,
            duration_s=time.monotonic() - began,
            run=len(self._jobs),
            reused=len(self._verdicts) - len(self._jobs),
            refused=refused,
            untouched=untouched,
            changes=differences(self._before, [v for v in counted if _has_mark(v)]),
        )

    def _load(self, job: Job) -> Job:
        submission = self._submissions[job.student, job.attempt]
        return msgspec.structs.replace(job, data=submission.read(), files=submission.read_files())

    def _take(self, judged: Judged) -> None:
        verdict = judged.verdict
        number = self._gradebook.record(verdict, judged.executed or None, batch=self._batch)
        self._verdicts.append(verdict)
        only = self._attempts[verdict.student] == 1  # else another attempt may be the one
        self._pages.add(verdict, f"{self._batch} {number}", ahead=only)
        self._progress.judged(verdict)

    def _seed_of_batch(self, bundle: str) -> int:
        """A fresh seed; that of an unfinished batch when it is continued."""
        last = self._gradebook.last_batch(self._assignment.name)
        if last is not None and last.finished_at is None:
            return last.seed
        return secrets.randbits(SEED_BITS)


def _has_mark(verdict: Verdict) -> bool:
    return verdict.outcome.is_mark


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
    )


def now() -> dt.datetime:
    """The time, to the second, in UTC."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
