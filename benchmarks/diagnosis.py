"""What it costs to say what kind of mistake a wrong value shows: CPU, with and without, in turns.

    python benchmarks/diagnosis.py --submissions 200 --rounds 3

The light task of `benchmarks/course`, in the local sandbox, with answers of which every test fails,
each at another value. CPU is that of a command in a control group of its own (see `measuring`), so
that the machine may do other work meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import measuring
from grader.api import find_course, grade, grading_plan
from grader.release.notebooks import notebook_bytes, solution_notebook

COURSE = Path(__file__).parent / "course"
RIGHT_SOFTMAX = "return e / e.sum(dim=dim, keepdim=True)"
RIGHT_LINEAR = "return x @ W.T + b"
SOFTMAX = ("return e / e.sum()", "return e / (e.sum() + x.std())", "return e / e.norm()")
LINEAR = (
    "return x @ W.T",
    "return x @ W.T - b",
    "return 2 * (x @ W.T + b)",
    "return x @ W.T + b**2",
)


def wrong(notebook: dict[str, Any], number: int) -> str:
    """The solution with a mistake in every answer, of several kinds."""
    text = json.dumps(notebook)
    for right, other in (
        (RIGHT_SOFTMAX, SOFTMAX[number % len(SOFTMAX)]),
        (RIGHT_LINEAR, LINEAR[number % len(LINEAR)]),
        ("torch.relu(self.fc1(x))", "self.fc1(x)"),
        ("return losses", "return losses[:1] * steps"),
    ):
        assert right in text, right
        text = text.replace(right, other)
    return text.replace("import torch\\n", f"import torch  # student {number}\\n", 1)


def batch(count: int, *, diagnoses: bool) -> None:
    """Grade so many submissions and say what was diagnosed."""
    plain = grading_plan.batch_config

    def config(*args: Any, **options: Any) -> Any:
        return msgspec.structs.replace(plain(*args, **options), diagnoses=diagnoses)

    grading_plan.batch_config = config
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        root = Path(folder, "course")
        shutil.copytree(COURSE, root)
        course = find_course(root)
        solution = json.loads(notebook_bytes(solution_notebook(course.assignment("ps1"))))
        (root / "submissions").mkdir()
        for number in range(count):
            (root / "submissions" / f"s{number:04}.ipynb").write_text(wrong(solution, number))
        graded = grade(course, "ps1", [root / "submissions"], sandbox="local", slots=2)
    passed = [v.student for v in graded.verdicts if v.points]
    if passed:
        raise SystemExit(f"some tests passed: {passed}")
    told = Counter(t.diagnosis for v in graded.verdicts for t in v.tests if t.diagnosis)
    print(json.dumps({str(kind): number for kind, number in told.items()}))


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("with", "without"))
    options = parser.parse_args()
    if options.only:
        batch(options.submissions, diagnoses=options.only == "with")
        return
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        for number in range(options.rounds):
            order = list(seconds) if number % 2 else list(seconds)[::-1]
            for which in order:
                command = [sys.executable, "-m", "benchmarks.diagnosis", "--only", which]
                command += ["--submissions", str(options.submissions)]
                cost = measuring.run(
                    command, cwd=Path.cwd(), log=log, env=dict(os.environ), containers=False
                )
                seconds[which].append(cost.cpu_s)
                print(which, round(cost.cpu_s, 2), log.read_text().strip(), file=sys.stderr)
    ratios = [a / b for a, b in zip(seconds["with"], seconds["without"], strict=True)]
    rounded = {which: [round(s, 2) for s in values] for which, values in seconds.items()}
    print(json.dumps({**rounded, "ratio": round(statistics.median(ratios), 4)}))


if __name__ == "__main__":
    main()
