"""What one notebook takes, whose author waits for it: `check` and `grade` beside the peers.

    python benchmarks/one_notebook.py --rounds 5

Every round runs every system once, in turn: ours on a notebook, Otter's `run` on the same answers,
nbgrader's `autograde`. What a peer does once for a class (`otter assign`, `generate_assignment`)
is done before and not measured. Nothing is kept warm between two runs; the files of all are in the
page cache. Wall clock is compared as ratios within a round; CPU is that of all that was started.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measuring
from compare import RESULTS, machine
from systems import FULL_MARKS, GRADER, Nbgrader, Otter, Ours, Prepared, System

WORKLOAD = "light"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to have one notebook looked at: `ready` lays it out, `command` is measured."""

    name: str
    system: System
    once: list[str | Path] | None = None
    """What is done for a whole class, and is not measured."""
    command: list[str | Path]


def _ours(sandbox: str) -> list[Case]:
    system = Ours(sandbox, "warm")
    notebook = "submissions/s0000.ipynb"
    check = [GRADER, "check", notebook, "--assignment", "ps1", "--sandbox", sandbox, "--no-keep"]
    return [
        Case(name=f"grader check, {sandbox}", system=system, command=list(check)),
        Case(
            name=f"grader grade, {sandbox}",
            system=system,
            command=[GRADER, "grade", "ps1", "--sandbox", sandbox, "--no-keep"],
        ),
    ]


def _peers() -> list[Case]:
    otter, nbgrader = Otter(), Nbgrader()
    assign = f"{otter.python} -m otter assign --no-pdfs hw.ipynb dist"
    run = (
        f"{otter.python} -m otter run --no-logo -a dist/autograder/hw-autograder_*.zip "
        "-o out/s0000 submissions/s0000/hw.ipynb"
    )
    return [
        Case(
            name=otter.name,
            system=otter,
            once=["sh", "-c", f"{assign} && mkdir -p out/s0000"],
            command=["sh", "-c", run],
        ),
        Case(
            name=nbgrader.name,
            system=nbgrader,
            once=[nbgrader.python, "-m", "nbgrader", "generate_assignment", "ps1"],
            command=[nbgrader.python, "-m", "nbgrader", "autograde", "ps1"],
        ),
    ]


def measure(case: Case) -> dict[str, float]:
    """Lay out one submission in a fresh folder, run the command on it, and look at its marks."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        ready: Prepared = case.system.prepare(WORKLOAD, 1, folder)
        log = Path(name, ".log")
        if case.once:
            environment = {**os.environ, **ready.env}
            subprocess.run(
                case.once, cwd=ready.cwd, env=environment, check=True, capture_output=True
            )
        cost = measuring.run(
            case.command, cwd=ready.cwd, log=log, env=ready.env, containers=case.system.containers
        )
        marks = [FULL_MARKS] if "check" in map(str, case.command) else case.system.marks(folder)
        if marks != [FULL_MARKS]:
            words = log.read_text(errors="replace")[-2000:]
            raise SystemExit(f"{case.name}: marks {marks}\n{words}")
    return cost.as_dict()


def ratios(rows: list[dict[str, Any]], against: str) -> dict[str, list[float]]:
    """Of each system, its wall clock over that of `against` in the same round."""
    base = {row["round"]: row["wall_s"] for row in rows if row["system"] == against}
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["system"], []).append(row["wall_s"] / base[row["round"]])
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """As Markdown: medians, with the least and the most."""
    beside = ratios(rows, Otter.name)
    lines = [
        "| one notebook | wall clock | CPU | against Otter, in the same round |",
        "|---|---|---|---|",
    ]
    for name, ratio in beside.items():
        own = [row for row in rows if row["system"] == name]
        cells = [name]
        for values, unit in (
            ([row["wall_s"] for row in own], " s"),
            ([row["cpu_s"] for row in own], " s"),
            (ratio, " ×"),
        ):
            middle = statistics.median(values)
            cells.append(f"{middle:.2f}{unit} ({min(values):.2f}–{max(values):.2f})")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write the raw numbers and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sandboxes", default="local", help="of ours, with commas between")
    parser.add_argument("--name", default="one-notebook", help="of the files under results")
    options = parser.parse_args()
    ours = [case for sandbox in options.sandboxes.split(",") for case in _ours(sandbox)]
    cases = [*ours, *_peers()]
    for case in cases:
        case.system.install()
        measure(case)  # once before: its files are read from the disk
    found: dict[str, Any] = {"machine": machine(), "rows": []}
    for number in range(1, options.rounds + 1):
        for case in cases:
            row = {"round": number, "system": case.name, **measure(case)}
            found["rows"].append(row)
            print(f"round {number} {case.name:<24} {row['wall_s']:7.2f} s", flush=True)
    found["machine"]["load_at_end"] = os.getloadavg()[0]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{options.name}.json").write_text(json.dumps(found, indent=1) + "\n")
    text = table(found["rows"])
    (RESULTS / f"{options.name}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
