"""Run every attack against an assignment and name each point that one of them earned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from grader.api.attacks.corpus import Attack, shipped_attacks
from grader.api.attacks.earned import (
    Attacked,
    EarnedPoint,
    check_attack_names,
    check_test_names,
    sorted_out,
)
from grader.api.attacks.notebooks import attack_notebook
from grader.api.batch_config import default_slots, hurried, trial_config
from grader.api.trial_jobs import bytes_of_notebooks, job_of_notebooks
from grader.course.directory import Assignment, Course, check_assignment
from grader.grading.job import Job, Judged
from grader.grading.trials import judge_trials
from grader.grading.verdict import Verdict
from grader.release.notebooks import student_notebook
from grader.sandbox.choose import choose

UNTOUCHED = "untouched"


def attack(
    course: Course,
    assignment: str,
    *,
    sandbox: str = "auto",
    isolation: str = "auto",
    seed: int = 0,
    attacks: Sequence[Attack] | None = None,
    tell: Callable[[str], None] = lambda text: None,
    on_attack: Callable[[int, int, str], None] = lambda done, total, name: None,
) -> Attacked:
    """Try to earn points of an assignment without solving it.

    Each attack is the released notebook with stubs, constant answers, objects that lie, patched
    libraries, forged results or a search for the reference in place of the students' work.

    Args:
        course: the course directory.
        assignment: its name there.
        sandbox: as in `grade`.
        isolation: as in `grade`.
        seed: of the batch.
        attacks: which to try; default all.
        tell: told which sandbox it is.
        on_attack: told after each attack how many are done, of how many, and its name.

    Raises:
        SpecError, SuiteError: the assignment can't be tried (see `validate`), or accepts what
            is no attack or no test.
        InfrastructureError: it could not be tried here.
    """
    attacks = shipped_attacks() if attacks is None else attacks
    chosen = course.assignment(assignment)
    check_assignment(chosen)
    check_attack_names(chosen, attacks)
    choice = choose(sandbox, isolation, box=chosen.spec.box, hide=(course.root,))
    tell(f"{choice.sandbox} sandbox, {choice.isolation}")
    done: list[str] = []

    def take(judged: Judged) -> None:
        done.append(judged.verdict.student)
        on_attack(len(done), len(jobs), done[-1])

    jobs = _jobs(chosen, attacks)
    slots = max(2, default_slots(chosen.spec))
    config = hurried(trial_config(chosen, choice, seed, slots=slots))
    judged = judge_trials(config, jobs, take)
    verdicts = {name: one.verdict for name, one in judged.items()}
    check_test_names(chosen, verdicts[UNTOUCHED])
    return sorted_out(chosen, attacks, _earned(verdicts, attacks))


def _jobs(assignment: Assignment, attacks: Sequence[Attack]) -> list[Job]:
    untouched = bytes_of_notebooks(assignment, student_notebook)
    handed_in = {UNTOUCHED: untouched}
    for tried in attacks:
        # Each notebook is attacked from within: one never meets another.
        handed_in[tried.name] = {
            part.notebook: attack_notebook(part, tried) for part in assignment.notebooks
        }
    return [job_of_notebooks(name, notebooks) for name, notebooks in handed_in.items()]


def _earned(verdicts: dict[str, Verdict], attacks: Sequence[Attack]) -> tuple[EarnedPoint, ...]:
    given = {t.name: t.points for t in verdicts[UNTOUCHED].tests}
    found = [
        EarnedPoint(
            question=test.question,
            test=test.name,
            points=test.points - given.get(test.name, Decimal(0)),
            attack=a.name,
            what=a.what,
        )
        for a in attacks
        for test in verdicts[a.name].tests
        if test.points > given.get(test.name, Decimal(0))
    ]
    order = [t.name for t in verdicts[UNTOUCHED].tests]
    return tuple(sorted(found, key=lambda e: order.index(e.test)))
