"""Grade a batch: plan what has to run, run it, finish with the pages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from grader.api.batch_config import with_released_cells
from grader.api.batch_lock import batch_lock
from grader.api.costless import costless_tries
from grader.api.graded import Graded, finish_grading
from grader.api.grading_plan import GradingPlan, config_for_record, plan_grading
from grader.api.handing_in import class_due, intake_config
from grader.api.pages import Pages
from grader.api.verdict_recorder import VerdictRecorder
from grader.course.directory import Assignment, Course, check_assignment
from grader.errors import GraderError, UsageError
from grader.gradebook.store import Gradebook
from grader.grading.batch import grade_batch
from grader.grading.cluster import Cluster, open_cluster
from grader.grading.fresh_seed import fresh_seed
from grader.grading.job import BatchConfig
from grader.grading.keeping.kept import end_kept_judges, with_key
from grader.grading.one_notebook import for_one
from grader.grading.packed_bundle import pack
from grader.grading.progress import SILENT, Progress
from grader.grading.verdict import Verdict
from grader.intake.accepted_files import beside_of
from grader.intake.collect import collect
from grader.intake.collected import RefusedHandIn
from grader.intake.submission import Submission
from grader.sandbox.choose import choose
from grader.sandbox.gpus import gpus_for


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
    progress, sources = progress or SILENT, list(sources)
    chosen = course.assignment(assignment)
    check_assignment(chosen)
    if cluster and (slots or gpus):
        raise UsageError(
            "a cluster's workers say themselves how many slots and which GPUs they have",
            hint="Leave out --slots and --gpus, see docs/how-to/cluster.md.",
        )
    devices = gpus_for(chosen.spec.resources, gpus) if not cluster else ()
    submissions, refused, warnings = _submissions(course, chosen, sources, only)
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
        stack.enter_context(batch_lock(chosen, on_wait=progress.warned))
        gradebook = stack.enter_context(Gradebook(course.database_url))
        _refuse_numbers_of_the_desk(course, chosen, gradebook, sources, submissions)
        pages = Pages(course, chosen, gradebook, out=out, keep=True)
        drawn = seed if seed is not None else _seed_of_batch(gradebook, assignment)
        config = config_for_record(chosen, choice, drawn, slots=slots, gpus=devices)
        record = (course, chosen, gradebook)
        warned = progress.warned
        plan = plan_grading(
            *record,
            submissions,
            config=config,
            regrade=regrade,
            keeps_seed=seed is None,
            warned=warned,
        )
        progress.planned(len(plan.jobs), len(plan.reused))
        verdicts = _run(plan, chosen, gradebook, pages, progress, machines, keep=keep)
        graded = finish_grading(
            *record, plan, verdicts, choice=choice, pages=pages, refused=refused, warned=warned
        )
    graded.duration_s = time.monotonic() - began
    return graded


def _submissions(
    course: Course, assignment: Assignment, sources: Iterable[Path | str], only: Sequence[str]
) -> tuple[list[Submission], Sequence[RefusedHandIn], Sequence[str]]:
    attempts = assignment.spec.attempts
    collected = collect(
        [Path(s) for s in sources],
        assignment=assignment.name,
        counts=attempts.counts,
        limit=attempts.limit,
        due=class_due(course, assignment),
        costless=costless_tries(course, assignment.name) if attempts.limit else (),
        config=intake_config(course, beside=beside_of(assignment)),
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


def _refuse_numbers_of_the_desk(
    course: Course,
    assignment: Assignment,
    gradebook: Gradebook,
    sources: Sequence[Path | str],
    submissions: Sequence[Submission],
) -> None:
    """Refuse an archive whose tries have the numbers of others that came through the desk.

    Its verdicts would take the place of theirs; collected, both are numbered in one row.
    """
    stored = course.submissions_dir.resolve()
    if all(Path(source).resolve().is_relative_to(stored) for source in sources):
        return
    desk = gradebook.desk_attempts(assignment.name)
    taken = sorted(
        {
            one.student
            for one in submissions
            if desk.get((one.student, one.attempt), one.sha256) != one.sha256
        }
    )
    if taken:
        more = f" and {len(taken) - 1} more" if taken[1:] else ""
        name = assignment.name
        raise UsageError(
            f"{taken[0]}{more} handed in at the desk, too, and these tries have the same numbers",
            hint=f"Run `grader collect {name} SOURCE`, then `grader grade {name}`.",
        )


def _run(
    plan: GradingPlan,
    assignment: Assignment,
    gradebook: Gradebook,
    pages: Pages,
    progress: Progress,
    machines: Cluster | None,
    *,
    keep: bool,
) -> list[Verdict]:
    """Run what has to run; each verdict is in the gradebook before its page is written."""
    recorder = VerdictRecorder(gradebook, pages, plan.config, tries=plan.tries)
    for entry in plan.reused:
        recorder.keep(entry)
    if not plan.jobs:
        return recorder.verdicts
    recorder.begin()
    run = grade_batch
    if machines is not None:
        run = partial(machines.grade, pack(assignment))
    run(
        _placed(with_released_cells(plan.config, assignment), plan, machines, keep=keep),
        plan.jobs,
        recorder.take,
        progress=progress,
        load=plan.load,
        on_idle=pages.write_one_ahead,
    )
    recorder.end()
    return recorder.verdicts


def _placed(
    config: BatchConfig, plan: GradingPlan, machines: Cluster | None, *, keep: bool
) -> BatchConfig:
    """The setting of this run: a single submission may have a judge that stays."""
    if len(plan.jobs) == 1 and machines is None:
        with suppress(GraderError, OSError):  # it was changed meanwhile: the batch says so
            config = for_one(config, plan.load(plan.jobs[0]))
            return with_key(config) if keep else config
    if keep:
        end_kept_judges()
    return config


def _seed_of_batch(gradebook: Gradebook, assignment: str) -> int:
    """A fresh seed; that of an unfinished batch when it is continued."""
    last = gradebook.last_batch(assignment)
    if last is not None and last.finished_at is None:
        return last.seed
    return fresh_seed()
