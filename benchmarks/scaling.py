"""How a cluster scales: submissions that wait rather than compute, on 1 to 16 slots.

    python benchmarks/scaling.py --slots 1 2 4 8 16 --per-slot 4 --wait 10

Waiting submissions leave out what the machine's cores forbid: what is left is what handing out,
taking in and committing cost. They wait between half of `--wait` and one and a half times as long:
if all were equal, all slots would want the machine's cores in the same instant. A scheduler and
workers of four slots each are started here. Looked at is the time from when every slot has begun
with a submission until the last one is begun, so that warming up and the end are not part of it.
Efficiency is the share of the slots' time in which they waited as submissions told them to, and
relative to one slot, where no other shares the cores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from distributed import LocalCluster, Security

from grader.api import Progress, find_course, grade
from grader.release.notebooks import notebook_bytes, solution_notebook

COURSE = Path(__file__).parent / "course"
SLOTS_OF_A_WORKER = 4


GOLDEN = (5**0.5 - 1) / 2
"""Its multiples, less their whole parts, spread evenly however many there are."""
Spans = dict[str, tuple[float, float]]
"""Of each submission, when it was begun and when its verdict was committed."""


def waits(count: int, mean_s: float) -> dict[str, float]:
    """How long each submission waits, by student."""
    return {f"s{i:04}": round(mean_s * (0.5 + i * GOLDEN % 1), 3) for i in range(count)}


def batch(slots: int, waiting: dict[str, float], sandbox: str) -> Spans:
    """Grade submissions that wait as they are told, on so many slots."""
    with tempfile.TemporaryDirectory(prefix="grader-scaling-") as folder:
        root = Path(folder, "course")
        shutil.copytree(COURSE, root)
        course = find_course(root)
        notebook = json.loads(notebook_bytes(solution_notebook(course.assignment("ps1"))))
        for student, wait_s in waiting.items():
            source = f"import time, torch\nfrom torch import nn\n# {student}"
            notebook["cells"][1]["source"] = f"{source}\ntime.sleep({wait_s})"
            path = root / "submissions" / f"{student}.ipynb"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(notebook))
        begun: dict[str, float] = {}
        ended: dict[str, float] = {}
        progress = Progress(
            begun=lambda student: begun.setdefault(student, time.monotonic()),
            judged=lambda verdict: ended.setdefault(verdict.student, time.monotonic()),
        )
        threads = min(slots, SLOTS_OF_A_WORKER)
        with LocalCluster(
            n_workers=slots // threads,
            threads_per_worker=threads,
            resources={"slots": threads},
            host="tcp://127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=None,
            security=Security(),
        ) as cluster:
            graded = grade(
                course,
                "ps1",
                [root / "submissions"],
                sandbox=sandbox,
                cluster=cluster.scheduler_address,
                progress=progress,
            )
        low = [v.student for v in graded.verdicts if v.points != v.max_points]
        if low:
            raise SystemExit(f"not full marks: {low}")
        return {student: (begun[student], ended[student]) for student in begun}


def efficiency(spans: Spans, slots: int, waiting: dict[str, float]) -> float:
    """The share of the slots' time that went into waiting, while all of them had something."""
    begun = sorted(begin for begin, _ in spans.values())
    start, end = begun[slots - 1], begun[-1]
    waited = sum(
        waiting[student] * max(min(done, end) - max(begin, start), 0.0) / (done - begin)
        for student, (begin, done) in spans.items()
    )
    return waited / (slots * (end - start))


def main() -> None:
    """Measure and print one line of JSON for each number of slots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--per-slot", type=int, default=5)
    parser.add_argument("--wait", type=float, default=10.0)
    parser.add_argument("--sandbox", default="local")
    options = parser.parse_args()
    alone = 0.0
    for slots in options.slots:
        count = slots * options.per_slot
        waiting = waits(count, options.wait)
        spans = batch(slots, waiting, options.sandbox)
        share = efficiency(spans, slots, waiting)
        alone = alone or share
        found = {
            "slots": slots,
            "submissions": count,
            "wait_s": options.wait,
            "efficiency": round(share, 3),
            "relative_to_the_first": round(share / alone, 3),
            "load": round(os.getloadavg()[0], 1),
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
