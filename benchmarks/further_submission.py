"""What one further submission costs: CPU of the whole machine, wall clock, and where it goes.

    python benchmarks/further_submission.py --sandbox docker --slots 2 --few 4 --many 44

Two batches of the task in `benchmarks/course` are graded, a small one and a large one; their
difference over the number of further submissions is what one costs, without the start-up. CPU is
the machine's busy time (/proc/stat), so that the engine's and the kernel's work count too: run it
on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from grader.api import Graded, find_course, grade
from grader.release.notebooks import notebook_bytes, solution_notebook

COURSE = Path(__file__).parent / "course"


def busy_seconds() -> float:
    """CPU seconds that this machine has been busy since it was started."""
    fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, *_ = fields
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def batch(count: int, options: argparse.Namespace) -> tuple[float, float, Graded]:
    """Grade `count` submissions, each with a comment of its own; CPU, wall clock, what came."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        root = Path(folder, "course")
        shutil.copytree(COURSE, root)
        course = find_course(root)
        notebook = json.loads(notebook_bytes(solution_notebook(course.assignment("ps1"))))
        submissions = root / "submissions"
        submissions.mkdir()
        for i in range(count):
            notebook["cells"][1]["source"] = f"import torch\nfrom torch import nn\n\n# student {i}"
            (submissions / f"s{i:04}.ipynb").write_text(json.dumps(notebook))
        cpu, wall = busy_seconds(), time.monotonic()
        graded = grade(
            course,
            "ps1",
            [submissions],
            sandbox=options.sandbox,
            isolation=options.isolation,
            slots=options.slots,
        )
        spent = busy_seconds() - cpu, time.monotonic() - wall
        low = [v.student for v in graded.verdicts if v.points != v.max_points]
        if low:
            raise SystemExit(f"not full marks: {low}")
        return *spent, graded


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--isolation", default="auto")
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--few", type=int, default=4)
    parser.add_argument("--many", type=int, default=44)
    options = parser.parse_args()
    batch(1, options)  # the first in a place looks whether the jail holds
    small_cpu, small_wall, _ = batch(options.few, options)
    large_cpu, large_wall, graded = batch(options.many, options)
    further = options.many - options.few
    usage = [v.usage for v in graded.verdicts]
    print(
        json.dumps(
            {
                "sandbox": graded.choice.sandbox,
                "isolation": graded.choice.isolation,
                "slots": options.slots,
                "cpu_s_per_further_submission": round((large_cpu - small_cpu) / further, 3),
                "wall_s_per_further_submission": round((large_wall - small_wall) / further, 3),
                "notebook_s": round(statistics.median(u.notebook_s for u in usage), 4),
                "suite_s": round(statistics.median(u.suite_s for u in usage), 4),
                "submission_wall_s": round(statistics.median(u.wall_s for u in usage), 4),
                "box_cpu_s": round(statistics.median(u.box_cpu_s for u in usage), 4),
                "batch_of": options.many,
                "batch_cpu_s": round(large_cpu, 2),
                "batch_wall_s": round(large_wall, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
