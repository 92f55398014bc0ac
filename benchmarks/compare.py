"""Our grader beside nbgrader and Otter: the same task, the same submissions, in turn.

    python benchmarks/compare.py --rounds 5 --workloads light,medium,heavy
    python benchmarks/compare.py --rounds 2 --workloads heavy --add

Every round runs every system once with few and once with many submissions; their difference over
the number of further submissions is what one costs, without the start-up. A system that gives a
submission anything but full marks is not measured: the command fails. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import measuring
import task
from picture import picture
from systems import FULL_MARKS, HERE, System, all_systems
from table import summary, table

RESULTS = HERE / "results"
TRIES = 3


def measure(system: System, workload: str, count: int) -> dict[str, float]:
    """Grade that many submissions with one system, in a fresh folder."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        ready = system.prepare(workload, count, folder)
        log = Path(name, ".log")
        cost = measuring.run(
            ready.command, cwd=ready.cwd, log=log, env=ready.env, containers=system.containers
        )
        marks = system.marks(folder)
        if len(marks) != count or any(mark != FULL_MARKS for mark in marks):
            words = log.read_text(errors="replace")[-2000:]
            raise SystemExit(f"{system.name}: {count} submissions, marks {marks}\n{words}")
    return {"submissions": count, **cost.as_dict()}


def further(system: System, workload: str) -> dict[str, Any]:
    """What a further submission costs; measured again where other work on the machine drowns it."""
    for _ in range(TRIES):
        few, many = (measure(system, workload, count) for count in system.sizes(workload))
        more = many["submissions"] - few["submissions"]
        cpu_s, wall_s = ((many[what] - few[what]) / more for what in ("cpu_s", "wall_s"))
        if min(cpu_s, wall_s) > 0:
            return {
                "few": few,
                "many": many,
                "cpu_s_per_further": round(cpu_s, 4),
                "wall_s_per_further": round(wall_s, 4),
            }
    raise SystemExit(
        f"{system.name}: {many['submissions']} submissions took no longer than "
        f"{few['submissions']}, {TRIES} times: this machine has other work to do."
    )


def one_round(systems: list[System], workload: str, number: int) -> list[dict[str, Any]]:
    """Every system in turn; each with few, then many submissions."""
    rows = []
    for system in (s for s in systems if workload in s.workloads):
        row = {"round": number, "workload": workload, "system": system.name}
        row |= further(system, workload)
        if task.SECONDS[workload]:
            row["steps_per_second"] = task.steps_per_second()
        rows.append(row)
        print(
            f"round {number} {workload:<7} {system.name:<45} "
            f"{row['cpu_s_per_further']:8.3f} s CPU {row['wall_s_per_further']:8.3f} s wall",
            flush=True,
        )
    return rows


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages / 1e9),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_at_start": os.getloadavg()[0],
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
    }


def main() -> None:
    """Measure, write the raw numbers, print the table and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workloads", default="light,medium,heavy")
    parser.add_argument("--systems", default="", help="only those whose name contains one of these")
    parser.add_argument("--name", default="latest", help="of the files under benchmarks/results")
    parser.add_argument("--add", action="store_true", help="to the rounds that those files hold")
    options = parser.parse_args()
    wanted = [word for word in options.systems.split(",") if word]
    systems = [s for s in all_systems() if not wanted or any(w in s.name for w in wanted)]
    for system in systems:
        system.install()
    RESULTS.mkdir(exist_ok=True)
    raw = RESULTS / f"{options.name}.json"
    found: dict[str, Any] = {"machine": machine(), "rows": []}
    if options.add:
        found["rows"] = json.loads(raw.read_text())["rows"]
    for workload in options.workloads.split(","):
        before = [row["round"] for row in found["rows"] if row["workload"] == workload]
        for number in range(
            max(before, default=0) + 1, max(before, default=0) + options.rounds + 1
        ):
            found["rows"] += one_round(systems, workload, number)
            raw.write_text(json.dumps(found, indent=1) + "\n")
    figures = summary(found["rows"])
    text = table(figures, found["machine"])
    (RESULTS / f"{options.name}.md").write_text(text)
    (RESULTS / f"{options.name}.svg").write_text(picture(figures))
    print(text)


if __name__ == "__main__":
    main()
