"""The runs of one audit, through the real sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
from nbformat import v4

from grader.api.attacks import attack
from grader.api.attacks.corpus import shipped_attacks
from grader.api.attacks.earned import accepts
from grader.api.attacks.notebooks import attack_notebook, names_to_write
from grader.api.batch_config import hurried
from grader.api.trial_jobs import bytes_of_notebooks, job_of_notebooks
from grader.audit.draws import many_draws
from grader.audit.findings import AttackFinding, LuckFinding, MutantFinding, ToleranceFinding
from grader.audit.kept import Kept, key_of
from grader.audit.luck import flips, is_steady
from grader.audit.mutants import MutantRun
from grader.audit.targets import Target, targets
from grader.audit.tolerances import float32_cell, tolerances, written_functions
from grader.course.directory import Assignment, Course
from grader.errors import SpecError
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.reference_runs import keep_reference_runs
from grader.grading.regrade import fingerprints_of
from grader.grading.trials import judge_trials
from grader.grading.verdict import Outcome, Verdict
from grader.mutation.mutants import Mutant, chosen
from grader.release.notebooks import notebook_bytes, solution_notebook
from grader.suite.fingerprints import Fingerprints
from grader.suite.results import TestOutcome

REFERENCE = "reference"
SAMPLES = "samples"
IN_PROCESS = "the reference in the judge's process"
_MOST_THREADS = 8
DRAWS_OF_A_SEED = 20
DRAWS_CPU_S = 60.0
_ATTACK = "attack "
_GUESSES = frozenset(
    {"replays-an-answer", "returns-noise", "returns-ones", "returns-zeros", "takes-the-largest"}
)
"""Attacks that solve nothing, and may be right by chance."""

OnStep = Callable[[int, int, str], None]
"""Told how many steps are done, of how many, and which it was."""


def kept_dir(course: Course, assignment: str) -> Path:
    """Where findings are kept for the next time."""
    return course.graded_dir / assignment / "audit"


@dataclass
class AuditRun:
    """The runs of one audit; what several parts need is run once."""

    course: Course
    assignment: Assignment
    config: BatchConfig
    on_step: OnStep

    def __post_init__(self) -> None:
        self._done = self._total = 0
        self.repeated: list[str] = []
        self.draws = 0
        self._kept_dir = kept_dir(self.course, self.assignment.name)
        self._runs = Kept(self._kept_dir / "runs.json", Verdict)

    @cached_property
    def targets(self) -> list[Target]:
        """The notebooks of the assignment, solved."""
        return targets(self.assignment)

    @cached_property
    def reference(self) -> Verdict:
        """The verdict on the reference, whole, with the first seed.

        Raises:
            SpecError: it does not pass; what a mutant fails would say nothing.
        """
        verdict = self.judged({REFERENCE: self._notebooks[REFERENCE]}, self.config)[REFERENCE]
        lost = [t for t in verdict.tests if t.outcome is not TestOutcome.PASSED]
        if lost:
            raise SpecError(
                f"the reference does not pass {lost[0].name}: {lost[0].message or lost[0].outcome}",
                where=self.assignment.reference_path,
                hint=f"Fix it first: grader validate {self.assignment.name}",
            )
        return verdict

    @cached_property
    def _base(self) -> dict[str, Verdict]:
        """The reference and every sample, with the first seed.

        Mutants need the reference alone: a sample may take as long as the limits let it.
        """
        reference = self.reference
        samples = {name: n for name, n in self._notebooks.items() if name != REFERENCE}
        return {REFERENCE: reference} | self.judged(samples, self.config)

    @cached_property
    def _notebooks(self) -> dict[str, dict[str, bytes]]:
        """The reference and the samples, by name: each of one or several notebooks."""
        found = {REFERENCE: bytes_of_notebooks(self.assignment, solution_notebook)}
        if not self.assignment.spec.notebooks:
            for path in sorted((self.assignment.folder / SAMPLES).glob("*.ipynb")):
                found[path.stem] = {"": path.read_bytes()}
        return found

    @cached_property
    def right(self) -> dict[str, Verdict]:
        """The verdicts on all notebooks here that pass every test, the reference first."""
        return {
            name: verdict
            for name, verdict in self._base.items()
            if verdict.outcome is Outcome.GRADED
            and all(t.outcome is TestOutcome.PASSED for t in verdict.tests)
        }

    def mutants(self, every: Mapping[str, Sequence[Mutant]], budget: int) -> list[MutantFinding]:
        """Run so many mutants of all notebooks."""
        each = max(1, budget // max(len(every), 1))
        selected = {name: chosen(group, each) for name, group in every.items()}
        kept = Kept(self._kept_dir / "mutants.json", MutantFinding)
        sound = Kept(self._kept_dir / "sound-cuts.json", bool)
        self._expect(sum(map(len, selected.values())))
        ran: set[str] = set()

        def done(name: str) -> None:
            if name not in ran:
                ran.add(name)
                self._step(f"mutant {name}")

        config, reference = hurried(self.config), self.reference
        run = MutantRun(config, self.targets, reference, kept=kept, sound=sound, on_done=done)
        try:
            found = run.run(selected)
            kept.forget_unused()
            sound.forget_unused()
        finally:
            kept.write()
            sound.write()
        return found

    def luck(self, seeds: int) -> list[LuckFinding]:
        """Run every notebook that ends by itself with each seed, and what guesses the answers."""
        steady = [
            name
            for name, verdict in self._base.items()
            if verdict.outcome is Outcome.GRADED and is_steady(verdict)
        ]
        notebooks = {name: self._notebooks[name] for name in steady} | self._guesses
        self.repeated = [*notebooks]
        names = {f"{name}, seed {n}": name for n in range(seeds) for name in notebooks}
        jobs = [
            msgspec.structs.replace(
                job_of_notebooks(f"{name}, seed {number}", notebook),
                seed=self.config.seed + number,
            )
            for number in range(seeds)
            for name, notebook in notebooks.items()
            if number or name not in steady
        ]
        self._expect(len(jobs))
        ran = {f"{name}, seed 0": self._base[name] for name in steady}
        ran |= self._judge(jobs, self.config)
        found: dict[str, list[Verdict]] = {name: [] for name in notebooks}
        for student, name in names.items():
            found[name].append(ran[student])
        if REFERENCE in found:
            keep_reference_runs(self.course, self.assignment, found[REFERENCE])
        runs = {name: [v.tests for v in each] for name, each in found.items()}
        drawn = many_draws(self.assignment, DRAWS_OF_A_SEED * seeds, cpu_s=DRAWS_CPU_S)
        self.draws = len(drawn)
        runs[IN_PROCESS] = drawn
        return [one for one in flips(runs) if not self._is_accepted(one)]

    @cached_property
    def _guesses(self) -> dict[str, dict[str, bytes]]:
        return {
            f"{_ATTACK}{tried.name}": {
                part.notebook: attack_notebook(part, tried) for part in self.assignment.notebooks
            }
            for tried in shipped_attacks()
            if tried.name in _GUESSES
        }

    def _is_accepted(self, found: LuckFinding) -> bool:
        """Whether the spec says that the attack may have the points: then now and then, too."""
        return any(
            accepts(
                one,
                attack=found.notebook.removeprefix(_ATTACK),
                question=found.question,
                test=found.test,
            )
            for one in self.assignment.spec.accepted
            if found.notebook in self._guesses
        )

    def tolerances(self, mutants: Sequence[MutantFinding]) -> list[ToleranceFinding]:
        """Run right solutions with more threads, and one in single precision."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
        several = msgspec.structs.replace(
            self.config.spec.resources, threads=max(2, min(cores, _MOST_THREADS))
        )
        spec = msgspec.structs.replace(self.config.spec, resources=several)
        right = {name: self._notebooks[name] for name in self.right}
        threads = self.judged(right, msgspec.structs.replace(self.config, spec=spec))
        single = self._in_float32()
        float32 = self.judged({"float32": single}, self.config)["float32"] if single else None
        runs = dict(self.right)
        runs |= {f"{name} with {several.threads} threads": v for name, v in threads.items()}
        return tolerances(runs, float32, mutants)

    def _in_float32(self) -> dict[str, bytes]:
        """The reference with its functions in single precision; nothing where it has none."""
        found: dict[str, bytes] = {}
        for target in self.targets:
            names = list(names_to_write(target.part))
            sources = [c.source for c in target.solution.cells if c.cell_type == "code"]
            functions = written_functions(sources, names)
            if functions:
                notebook = solution_notebook(target.part)
                cell = v4.new_code_cell(float32_cell(functions), id="float32")
                notebook.cells.append(cell)
                found[target.part.notebook] = notebook_bytes(notebook)
            else:
                found[target.part.notebook] = target.solved()
        return found

    def attacks(
        self, sandbox: str, isolation: str, seed: int
    ) -> tuple[tuple[AttackFinding, ...], int]:
        """Try to have points without the work."""
        before = self._done

        def on_attack(done: int, total: int, name: str) -> None:
            self._total = max(self._total, before + total)
            self._step(f"attack {name}")

        attacked = attack(
            self.course,
            self.assignment.name,
            sandbox=sandbox,
            isolation=isolation,
            seed=seed,
            on_attack=on_attack,
        )
        earned = [(one, "") for one in attacked.earned]
        earned += [(one.earned, one.reason) for one in attacked.accepted]
        found = tuple(
            AttackFinding(
                attack=one.attack,
                test=one.test,
                question=one.question,
                points=float(one.points),
                what=str(one),
                accepted=reason,
            )
            for one, reason in earned
        )
        return found, attacked.attacks

    def judged(
        self, notebooks: Mapping[str, Mapping[str, bytes]], config: BatchConfig
    ) -> dict[str, Verdict]:
        """Judge some notebooks, by name; in the order in which they are named."""
        self._expect(len(notebooks))
        jobs = [job_of_notebooks(name, parts) for name, parts in notebooks.items()]
        found = self._judge(jobs, config)
        return {name: found[name] for name in notebooks}

    def _judge(self, jobs: Sequence[Job], config: BatchConfig) -> dict[str, Verdict]:
        """Judge whole notebooks, but for those that have been judged before."""
        keys = {job.student: self._key(job, config) for job in jobs}
        found: dict[str, Verdict] = {}
        for student, key in keys.items():
            verdict = self._runs.get(key)
            if verdict is not None:
                found[student] = verdict
                self._step(student)

        def take(judged: Judged) -> None:
            student = judged.verdict.student
            found[student] = judged.verdict
            self._runs.add(keys[student], judged.verdict)
            self._step(student)

        try:
            judge_trials(config, [job for job in jobs if job.student not in found], take)
        finally:
            self._runs.write()
        return found

    def forget_other_runs(self) -> None:
        """Keep no run that this audit, of all parts, did not ask for."""
        self._runs.forget_unused()
        self._runs.write()

    def _key(self, job: Job, config: BatchConfig) -> str:
        return key_of(
            job.data,
            job.notebook,
            job.files,
            config.seed if job.seed is None else job.seed,
            config.spec.resources,
            config.image,
            config.sandbox,
            config.grader_version,
            self._prints,
        )

    @cached_property
    def _prints(self) -> Fingerprints:
        return fingerprints_of(self.assignment)

    def _expect(self, steps: int) -> None:
        self._total += steps

    def _step(self, name: str) -> None:
        self._done += 1
        self.on_step(self._done, max(self._total, self._done), name)
