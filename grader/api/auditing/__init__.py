"""Find out before the release whether an assignment's suite can be trusted."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from grader.api.auditing.audit_run import AuditRun, OnStep
from grader.api.batch_config import default_slots, trial_config
from grader.audit.findings import PARTS, Audit, MutantFinding, Part
from grader.audit.room import room
from grader.audit.separation import alike, by_question, idle_tests
from grader.course.audit_file import read_audit_file
from grader.course.directory import Course, check_assignment
from grader.mutation.mutants import Mutant
from grader.sandbox.choose import choose

__all__ = ["PARTS", "Audit", "Part", "audit"]


def audit(
    course: Course,
    assignment: str,
    *,
    parts: Collection[Part] = PARTS,
    budget: int = 200,
    seeds: int = 20,
    seed: int = 0,
    sandbox: str = "auto",
    isolation: str = "auto",
    tell: Callable[[str], None] = lambda text: None,
    on_step: OnStep = lambda done, total, name: None,
) -> Audit:
    """Find out whether a suite tells wrong notebooks from right ones, and punishes no right one.

    Args:
        course: the course directory.
        assignment: its name there.
        parts: what is looked at; see `PARTS`.
        budget: how many mutants are run at most; they are chosen from every function and every
            kind of mistake, always the same ones.
        seeds: with how many the reference, each sample and each guess is run.
        seed: of the batch.
        sandbox: as in `grade`.
        isolation: as in `grade`.
        tell: told which sandbox it is.
        on_step: told after each run how many are done, of how many, and which it was.

    Raises:
        SpecError, SuiteError: the assignment can't be tried (see `validate`), or `audit.toml` is
            wrong.
        InfrastructureError: it could not be tried here.
    """
    began = time.monotonic()
    chosen_one = course.assignment(assignment)
    check_assignment(chosen_one)
    equivalents = read_audit_file(chosen_one.folder)
    choice = choose(sandbox, isolation, box=chosen_one.spec.box, hide=(course.root,))
    tell(f"{choice.sandbox} sandbox, {choice.isolation}")
    config = trial_config(chosen_one, choice, seed, slots=default_slots(chosen_one.spec))
    run = AuditRun(course, chosen_one, msgspec.structs.replace(config, measures=True), on_step)
    reference = run.reference
    mutants: Sequence[MutantFinding] = ()
    outdated: tuple[str, ...] = ()
    in_all = 0
    if {"mutants", "tests", "tolerances"} & set(parts):
        every = {target.part.notebook: target.mutants() for target in run.targets}
        in_all = sum(map(len, every.values()))
        mutants, outdated = _told(run.mutants(every, budget), every, equivalents.reasons)
    luck = run.luck(seeds) if "luck" in parts else ()
    attacks, tried = run.attacks(sandbox, isolation, seed) if "attacks" in parts else ((), 0)
    found = Audit(
        assignment=assignment,
        title=chosen_one.spec.title,
        sandbox=f"{choice.sandbox}, {choice.isolation}",
        parts=tuple(part for part in PARTS if part in parts),
        tests=len(reference.tests),
        reference_cpu_s=reference.usage.box_cpu_s,
        mutants=tuple(mutants),
        mutants_in_all=in_all,
        outdated=outdated,
        luck=tuple(luck),
        luck_seeds=seeds if "luck" in parts else 0,
        luck_draws=run.draws,
        luck_notebooks=tuple(run.repeated) if "luck" in parts else (),
        tolerances=tuple(run.tolerances(mutants)) if "tolerances" in parts else (),
        room=tuple(room(chosen_one.spec, reference)) if "room" in parts else (),
        questions=tuple(by_question(reference, mutants)) if "tests" in parts else (),
        idle_tests=tuple(idle_tests(reference, mutants)) if "tests" in parts else (),
        alike=tuple(alike(reference, mutants)) if "tests" in parts else (),
        attacks=attacks,
        attacks_tried=tried,
        seconds=round(time.monotonic() - began, 1),
    )
    if set(parts) == set(PARTS):
        run.forget_other_runs()
    return found


def _told(
    findings: Sequence[MutantFinding],
    every: Mapping[str, Sequence[Mutant]],
    reasons: Mapping[str, str],
) -> tuple[list[MutantFinding], tuple[str, ...]]:
    """Findings with the instructor's word on each, and the words that fit nothing."""
    known = {mutant.id for group in every.values() for mutant in group}
    noticed = {finding.id for finding in findings if finding.noticed}
    outdated = [
        f"{name} is no mutant of the reference any more: take the entry out"
        for name in reasons
        if name not in known
    ] + [
        f"{name} is noticed by a test, and so it is a mistake: take the entry out"
        for name in reasons
        if name in noticed
    ]
    told = [
        msgspec.structs.replace(f, equivalent="" if f.noticed else reasons.get(f.id, ""))
        for f in findings
    ]
    return told, tuple(outdated)
