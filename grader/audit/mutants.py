"""Run an assignment's mutants: which does the suite notice, and which tests notice each.

A mutant is first a notebook of those cells alone that the tests which mention the changed name
need, and only these tests are run; what else the suite would say is taken from the reference. The
reference, cut in the same way, has to pass first. A mutant that survives there is run once more,
whole, against every test. So what is cut away can cost time, and never a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from grader.audit.findings import How, MutantFinding
from grader.audit.kept import Kept, key_of
from grader.audit.reach import tests_by_name
from grader.audit.targets import Target
from grader.audit.tolerances import share_of
from grader.grading.job import BatchConfig, Job
from grader.grading.regrade import fingerprints_of
from grader.grading.trials import judge_trials
from grader.grading.verdict import Verdict
from grader.mutation.mutants import Mutant
from grader.suite.fingerprints import COMMON
from grader.suite.results import TestOutcome, TestResult

OnDone = Callable[[str], None]


@dataclass(frozen=True)
class Aim:
    """What a mutant is run against: units of the suite, and the cells that these need."""

    units: frozenset[str]
    cells: frozenset[int]


class MutantRun:
    """The mutants of one assignment, in one sandbox, with one seed."""

    def __init__(
        self,
        config: BatchConfig,
        targets: Sequence[Target],
        reference: Verdict,
        *,
        kept: Kept[MutantFinding],
        sound: Kept[bool],
        on_done: OnDone = lambda name: None,
    ) -> None:
        """Prepare to run mutants.

        Args:
            config: of the batch.
            targets: the notebooks of the assignment.
            reference: the verdict on the reference, whole, with the same seed.
            kept: findings of before.
            sound: which cuts the reference has passed before.
            on_done: told after each mutant.
        """
        self._config = config
        self._targets = {target.part.notebook: target for target in targets}
        self._before = reference.tests
        self._kept = kept
        self._sound = sound
        self._on_done = on_done
        part = targets[0].part
        self._prints = fingerprints_of(part)
        self._hidden = {
            path.relative_to(part.hidden_dir).as_posix(): path.read_bytes()
            for path in sorted(part.hidden_dir.rglob("*.py"))
        }

    @property
    def units(self) -> frozenset[str]:
        """Every test function of the suite."""
        return frozenset(self._prints) - {COMMON}

    @cached_property
    def _mentions(self) -> dict[str, dict[str, set[str]]]:
        return {
            name: tests_by_name(
                self._hidden, self.units, target.names.defined, target.names.asked_for
            )
            for name, target in self._targets.items()
        }

    def run(self, mutants: Mapping[str, Sequence[Mutant]]) -> list[MutantFinding]:
        """Say of each mutant which tests notice it.

        Args:
            mutants: by the name of the notebook, "" where there is one.

        Raises:
            InfrastructureError: it could not be tried here.
            SuiteError: the suite can't be used.
        """
        all_of = [(name, mutant) for name, group in mutants.items() for mutant in group]
        found: dict[str, MutantFinding] = {}
        aimed = [(name, mutant, self._aim(name, mutant)) for name, mutant in all_of]
        sound = self._sound_aims({(name, aim) for name, _, aim in aimed})
        waiting = [
            (name, mutant, aim if (name, aim) in sound else self._whole(name))
            for name, mutant, aim in aimed
        ]
        found |= self._pass(waiting)
        again = [
            (name, mutant, self._whole(name))
            for name, mutant, aim in waiting
            if not found[mutant.id].noticed and aim != self._whole(name)
        ]
        for finding in self._pass(again).values():
            questions = found[finding.id].questions
            found[finding.id] = msgspec.structs.replace(finding, questions=questions)
        return [found[mutant.id] for _, mutant in all_of]

    def _aim(self, notebook: str, mutant: Mutant) -> Aim:
        """The tests that mention what is changed, or else what uses it, and what these need."""
        target, mentions = self._targets[notebook], self._mentions[notebook]
        if len(self._targets) > 1 or not mutant.name:
            return self._whole(notebook)
        units = mentions.get(mutant.name) or {
            unit for name in target.names.dependents(mutant.name) for unit in mentions.get(name, ())
        }
        if not units:
            return self._whole(notebook)
        asked = {name for name, by in mentions.items() if by & units}
        cells = target.names.cells_for({*asked, mutant.name}) | {mutant.cell}
        return Aim(frozenset(units), frozenset(cells))

    def _whole(self, notebook: str) -> Aim:
        return Aim(self.units, frozenset(range(len(self._targets[notebook].solution.cells))))

    def _sound_aims(self, aims: set[tuple[str, Aim]]) -> set[tuple[str, Aim]]:
        """Those with which the reference, cut in the same way, still passes."""
        sound: set[tuple[str, Aim]] = set()
        jobs: dict[str, tuple[str, Aim]] = {}
        for notebook, aim in aims:
            key = self._key(notebook, aim, self._targets[notebook].solved(aim.cells))
            if aim == self._whole(notebook) or self._sound.get(key):
                sound.add((notebook, aim))
            else:
                jobs[key] = (notebook, aim)
        made = [
            self._job(key, notebook, aim, self._targets[notebook].solved(aim.cells))
            for key, (notebook, aim) in jobs.items()
        ]
        passed = {test.name for test in self._before if test.outcome is TestOutcome.PASSED}
        for key, verdict in self._judged(made).items():
            lost = [t for t in verdict.tests if t.name in passed and not _passes(t)]
            if not lost:
                sound.add(jobs[key])
                self._sound.add(key, True)
        return sound

    def _pass(self, waiting: Sequence[tuple[str, Mutant, Aim]]) -> dict[str, MutantFinding]:
        found: dict[str, MutantFinding] = {}
        jobs: dict[str, Job] = {}
        keys: dict[str, str] = {}
        for notebook, mutant, aim in waiting:
            data = self._targets[notebook].mutated(mutant, aim.cells)
            keys[mutant.id] = self._key(notebook, aim, data)
            before = self._kept.get(keys[mutant.id])
            if before is not None:
                found[mutant.id] = msgspec.structs.replace(before, **_facts(notebook, mutant))
                self._on_done(mutant.id)
            else:
                jobs[mutant.id] = self._job(mutant.id, notebook, aim, data)
        by_id = {mutant.id: (notebook, mutant) for notebook, mutant, _ in waiting}

        def take(verdict: Verdict) -> None:
            notebook, mutant = by_id[verdict.student]
            found[mutant.id] = self._finding(notebook, mutant, verdict)
            self._kept.add(keys[mutant.id], found[mutant.id])
            self._on_done(mutant.id)

        self._judged(list(jobs.values()), take)
        return found

    def _finding(self, notebook: str, mutant: Mutant, verdict: Verdict) -> MutantFinding:
        """What the tests say of a mutant that the reference passes."""
        passed = {test.name for test in self._before if _passes(test)}
        kept = verdict.provenance.kept if verdict.provenance else ()
        run = [t for t in verdict.tests if t.name not in kept]
        lost = [t for t in run if t.name in passed and not _passes(t)]
        blamed = [t for t in lost if t.outcome is not TestOutcome.SUITE_ERROR]
        # What was not run says nothing itself: a test that it needs has failed.
        said = [t for t in blamed if t.outcome is not TestOutcome.NOT_RUN] or blamed
        return MutantFinding(
            **_facts(notebook, mutant),
            questions=tuple(dict.fromkeys(t.question for t in run if t.question)),
            tests=tuple(t.name for t in run),
            failed=tuple(t.name for t in said),
            how="suite" if lost and not blamed else _how({t.outcome for t in said}),
            tolerance_used={t.name: s for t in run if (s := share_of(t)) is not None},
        )

    def _job(self, name: str, notebook: str, aim: Aim, data: bytes) -> Job:
        others = {
            f"{other}.ipynb": target.solved()
            for other, target in self._targets.items()
            if other != notebook
        }
        skipped = self.units - aim.units
        return Job(
            student=name,
            file=f"{notebook or 'mutant'}.ipynb",
            data=data,
            notebook=notebook,
            files=others,
            sha256=name,
            seed=self._config.seed,
            before=self._before if skipped else (),
            unchanged=tuple(sorted(skipped)),
        )

    def _key(self, notebook: str, aim: Aim, data: bytes) -> str:
        prints = {unit: self._prints[unit] for unit in sorted(aim.units)}
        return key_of(
            data,
            notebook,
            prints,
            self._prints[COMMON],
            self._config.seed,
            self._config.image,
            self._config.sandbox,
            self._config.grader_version,
        )

    def _judged(
        self, jobs: Sequence[Job], take: Callable[[Verdict], None] = lambda verdict: None
    ) -> dict[str, Verdict]:
        judged = judge_trials(self._config, jobs, lambda one: take(one.verdict))
        return {name: one.verdict for name, one in judged.items()}


def _passes(test: TestResult) -> bool:
    return test.outcome is TestOutcome.PASSED


def _how(outcomes: set[TestOutcome]) -> How:
    if TestOutcome.FAILED in outcomes:
        return "value"
    if outcomes & {TestOutcome.STUDENT_ERROR, TestOutcome.CRASHED, TestOutcome.OUT_OF_MEMORY}:
        return "error"
    return "time" if TestOutcome.TIMEOUT in outcomes else "error" if outcomes else ""


def _facts(notebook: str, mutant: Mutant) -> dict[str, Any]:
    """What is known of a mutant without running it."""
    return {
        "id": mutant.id,
        "notebook": notebook,
        "function": mutant.function,
        "kind": mutant.kind,
        "mistake": mutant.mistake,
        "line": mutant.line,
        "diff": mutant.diff,
    }
