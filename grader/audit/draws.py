"""The reference in the student's place, in the judge's own process, with hundreds of draws.

    python -m grader.audit.draws COURSE ASSIGNMENT DRAWS CPU_S

A run in the sandbox costs seconds, most of them for what does not depend on luck: so twenty seeds
are asked for, and a draw that takes a right solution's points one time in fifty is seen in one
audit of three. Here a draw costs what the tests themselves do. What a solution in this process
can't give, such as what a notebook has trained, and what takes long, is left to the sandbox.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from grader.course.directory import Assignment, Course
from grader.errors import SuiteError
from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.helpers import make_importable
from grader.suite.local_box import LocalBox
from grader.suite.mutated_reference import MutatedReference
from grader.suite.randomness import Seeds
from grader.suite.results import TestOutcome, TestResult
from grader.suite.running import CollectedSuite, collect_suite

LONGEST_S = 1.0
"""A test that takes longer is asked for in the sandbox alone."""
_TRIED = 2
_ONCE_S = 120.0
_GRACE_S = 300.0


Drawn = list[tuple[TestResult, ...]]
"""By draw: what each test said that can be asked here."""


def many_draws(assignment: Assignment, draws: int, *, cpu_s: float) -> Drawn:
    """Run an assignment's tests on its reference with many draws, in a process of their own.

    Args:
        assignment: of one notebook; of several nothing is run.
        draws: how many at most.
        cpu_s: no further draw is begun after so many seconds of CPU.

    Raises:
        SuiteError: the suite can't be run.
    """
    if assignment.spec.notebooks:
        return []
    program = [sys.executable, "-m", "grader.audit.draws"]
    arguments = [str(assignment.course_root.resolve()), assignment.name, str(draws), str(cpu_s)]
    with TemporaryDirectory(prefix="grader-draws-") as folder:  # as a notebook's own
        beside = {"data": assignment.data_dir, **assignment.given_files()}
        for path, given in beside.items():
            if given.exists():
                link = Path(folder, path)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(given.resolve())
        try:
            done = subprocess.run(
                [*program, *arguments],
                cwd=folder,
                capture_output=True,
                check=True,
                timeout=10 * cpu_s + _GRACE_S,
            )
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode("utf-8", "replace").strip().splitlines()
            raise SuiteError(
                f"the suite can't be run: {said[-1] if said else 'it said nothing'}",
                where=assignment.hidden_dir,
            ) from error
        except subprocess.TimeoutExpired:
            return []
    return msgspec.json.decode(done.stdout, type=Drawn)


def main(arguments: Sequence[str]) -> None:
    """Run the draws and write them as JSON."""
    root, name, draws, cpu_s = arguments
    assignment = Course(Path(root)).assignment(name)
    out = os.dup(1)
    os.dup2(2, 1)  # what a suite prints is no result
    import torch

    torch.set_num_threads(1)
    make_importable(assignment.folder, assignment.given_files())
    found: Drawn = []
    collect_suite(
        assignment.hidden_dir,
        reference_path=assignment.reference_path,
        on_ready=lambda suite: found.extend(_drawn(suite, assignment, int(draws), float(cpu_s))),
    )
    with os.fdopen(out, "wb") as answer:
        answer.write(msgspec.json.encode(found))


def _drawn(suite: CollectedSuite, assignment: Assignment, draws: int, cpu_s: float) -> Drawn:
    reference = MutatedReference(assignment.reference_path)
    notebook = ExecutedNotebook(reference.notebook, {})
    found: Drawn = []
    for number in range(draws):
        if time.process_time() > cpu_s:
            break
        if number == _TRIED:
            suite = suite.only(_of_use(found))
        box = LocalBox(reference.namespace())
        said = suite.said(box, notebook, seeds=Seeds(number), deadline_s=_ONCE_S)
        found.append(tuple(result for result, _ in said))
    kept = _of_use(found)
    return [tuple(test for test in tests if test.name in kept) for tests in found]


def _of_use(found: Sequence[Sequence[TestResult]]) -> frozenset[str]:
    """Tests that passed with one of the first draws; the others ask for more than there is here."""
    first = [test for tests in found[:_TRIED] for test in tests]
    slow = {test.name for test in first if test.duration_s > LONGEST_S}
    return frozenset(t.name for t in first if t.outcome is TestOutcome.PASSED) - slow


if __name__ == "__main__":
    main(sys.argv[1:])
