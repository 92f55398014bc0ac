"""Whether a batch holds more, or a submission takes longer, the larger the class is.

    python benchmarks/memory.py --sandbox local
    python benchmarks/memory.py --sandbox local --submissions 120     # a quick try

Grades a class of 10 and one of 1,000 with `grader grade`, in turn. Every notebook has a picture in
it as it is handed in, and shows another one when it is run, so that a batch that held notebooks
would be seen to. Prints lines of JSON: the memory of one slot at rest; for each class the peaks of
the batch's own process, of the judge's and of a worker's; and what a submission took early and
late in the large class. CPU is that of a control group, which only root can make, and with docker
that of the engine and of every container.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import measuring
import numpy as np

from grader.api import find_course
from grader.gradebook.store import Gradebook
from grader.release.notebooks import notebook_bytes, solution_notebook
from grader.sandbox.choose import choose
from grader.sandbox.limits import slot_options

HERE = Path(__file__).parent
MB = 2**20
EARLY, SPAN = 10, 50
"""The early submissions are those after the first 10, and the late ones the last; 50 each."""
PICTURE = """
import os, struct, zlib
from IPython.display import Image, display
def _chunk(kind, data):
    sum_ = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + sum_
_rows = b"".join(b"\\0" + os.urandom(3 * 240) for _ in range(240))
_head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 240, 240, 8, 2, 0, 0, 0))
_data = _chunk(b"IDAT", zlib.compress(_rows, 1)) + _chunk(b"IEND", b"")
display(Image(data=b"\\x89PNG\\r\\n\\x1a\\n" + _head + _data, format="png"))
"""


@dataclass
class Watched:
    """What was seen of a batch while it ran: peaks in bytes by process, CPU over time."""

    proportional: dict[str, int] = field(default_factory=dict)
    resident: dict[str, int] = field(default_factory=dict)
    moments: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def look(self, root: int, group: Path, *, containers: bool) -> None:
        """Take note of how it is now."""
        self.moments.append(time.time())
        cpu = measuring.group_seconds(group)
        self.cpu_s.append(cpu + (measuring.engine_seconds() if containers else 0.0))
        for role, pid in roles(root):
            self._note(self.proportional, role, measuring.proportional_bytes(pid))
            self._note(self.resident, role, highest_resident_bytes(pid))

    def _note(self, peaks: dict[str, int], role: str, found: int) -> None:
        peaks[role] = max(peaks.get(role, 0), found)

    def cpu_at(self, moment: float) -> float:
        """CPU seconds used until then."""
        return float(np.interp(moment, self.moments, self.cpu_s))

    def peaks_mb(self) -> dict[str, dict[str, float]]:
        """Both kinds, for each process."""
        return {
            role: {"pss": round(pss / MB, 1), "rss": round(self.resident[role] / MB, 1)}
            for role, pss in sorted(self.proportional.items())
        }


def roles(root: int) -> list[tuple[str, int]]:
    """The batch's process, its judge, and the judge's workers."""
    up_of = measuring.parents()
    judges = {
        pid
        for pid, up in up_of.items()
        if up == root and "grader.grading.judge_main" in measuring.read(f"/proc/{pid}/cmdline")
    }
    workers = [("worker", pid) for pid, up in up_of.items() if up in judges]
    return [("batch", root), *(("judge", pid) for pid in judges), *workers]


def highest_resident_bytes(pid: int) -> int:
    """The most memory that a process has had so far, all of what it shares included."""
    for line in measuring.read(f"/proc/{pid}/status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def make_course(root: Path, count: int) -> None:
    """A course with that many submissions; each is a notebook of its own."""
    shutil.copytree(HERE / "course", root)
    course = find_course(root)
    notebook = json.loads(notebook_bytes(solution_notebook(course.assignment("ps1"))))
    shown = {"output_type": "display_data", "metadata": {}, "data": {}}
    cell = {"cell_type": "code", "id": "a-picture", "metadata": {}, "execution_count": 1}
    notebook["cells"].append(cell | {"source": PICTURE.strip(), "outputs": [shown]})
    course.submissions_dir.mkdir()
    for number in range(count):
        noise = random.Random(number).randbytes(random.Random(number).randrange(75_000, 375_000))
        shown["data"] = {"image/png": base64.b64encode(noise).decode()}
        notebook["cells"][1]["source"] = f"import torch\nfrom torch import nn\n\n# {number}"
        (course.submissions_dir / f"s{number:05}.ipynb").write_text(json.dumps(notebook))


def grade(root: Path, options: argparse.Namespace) -> Watched:
    """Grade a class as a user does, and watch it."""
    command = [str(Path(sys.executable).with_name("grader")), "grade", "ps1"]
    command += ["--sandbox", options.sandbox]
    command += ["--cluster", options.cluster] if options.cluster else ["--slots", options.slots]
    watched, over = Watched(), threading.Event()
    with (root / "log").open("wb") as log, measuring.control_group() as group:
        process = subprocess.Popen(
            ["sh", "-c", f'echo $$ >{group}/cgroup.procs && exec "$@"', "sh", *command],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(HERE.parent)},
            stdout=log,
            stderr=log,
        )

        def watch() -> None:
            while not over.wait(0.25):
                watched.look(process.pid, group, containers=options.sandbox == "docker")

        thread = threading.Thread(target=watch)
        thread.start()
        process.wait()
        over.set()
        thread.join()
    if process.returncode:
        raise SystemExit((root / "log").read_text(errors="replace")[-3000:])
    return watched


class Judged(NamedTuple):
    """When a verdict was committed, and how long its cells took."""

    moment: float
    cells_s: float


def judged(root: Path) -> list[Judged]:
    """Every submission of a class, in the order of the verdicts."""
    with Gradebook(find_course(root).database_url) as book:
        entries = book.history("ps1")
    low = [e.verdict.student for e in entries if e.verdict.points != e.verdict.max_points]
    if low:
        raise SystemExit(f"not full marks: {low[:5]}")
    return [
        Judged(e.made_at.timestamp(), e.verdict.usage.notebook_s if e.verdict.usage else 0.0)
        for e in entries
    ]


def cost(verdicts: list[Judged], watched: Watched, first: int, last: int) -> dict[str, float]:
    """Seconds of one submission, of those after the `first` until the `last`, counted from one.

    Every notebook has the same cells: what they took in the median says how fast the machine was.
    """
    began, ended, count = verdicts[first - 1].moment, verdicts[last - 1].moment, last - first
    cpu = watched.cpu_at(ended) - watched.cpu_at(began)
    cells = statistics.median(one.cells_s for one in verdicts[first:last])
    found = {"wall_s": (ended - began) / count, "cpu_s": cpu / count, "cells_s": cells}
    return {what: round(seconds, 4) for what, seconds in found.items()}


def measure(count: int, options: argparse.Namespace) -> tuple[Watched, dict[str, Any]]:
    """Grade a class of that size; what was seen, and the line to print."""
    with tempfile.TemporaryDirectory(prefix="grader-memory-", dir=options.folder) as folder:
        root = Path(folder, "course")
        make_course(root, count)
        handed_in = sum(p.stat().st_size for p in (root / "submissions").iterdir())
        began = time.time()
        watched = grade(root, options)
        ended = time.time()
        verdicts = judged(root)
    found: dict[str, Any] = {
        "submissions": count,
        "kb_of_each": round(handed_in / count / 1024),
        "peak_mb": watched.peaks_mb(),
        "until_first_verdict_s": round(verdicts[0].moment - began, 1),
        "pages_s_of_each": round((ended - verdicts[-1].moment) / count, 4),
    }
    if count >= EARLY + 2 * SPAN:
        early = cost(verdicts, watched, EARLY, EARLY + SPAN)
        late = cost(verdicts, watched, count - SPAN, count)
        found |= {"early": early, "late": late}
        found["late_over_early"] = {k: round(late[k] / early[k], 3) for k in early}
        found["by_hundred"] = [
            cost(verdicts, watched, first or 1, first + 100) for first in range(0, count - 99, 100)
        ]
    return watched, found


def slot_at_rest(options: argparse.Namespace) -> dict[str, Any]:
    """Start one slot, alone, and see what its processes take once it is warm."""
    assignment = find_course(HERE / "course").assignment("ps1")
    known = measuring.zygotes()
    contained = options.sandbox == "docker"
    slot = choose(options.sandbox).slot(slot_options(assignment.spec, data=None))
    try:
        slot.start()
        slot.wait_ready()
        time.sleep(2)
        found = measuring.zygotes() - known
        if not contained:  # somebody else's may have been started meanwhile
            found &= measuring.descendants(os.getpid())
        total = sum(map(measuring.proportional_bytes, found))
    finally:
        slot.stop()
    return {"slot_at_rest": options.sandbox, "processes": len(found), "mb": round(total / MB, 1)}


def main() -> None:
    """Measure and print lines of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", default="local")
    parser.add_argument("--slots", default="2")
    parser.add_argument("--cluster", help="Such as local:2; then only the batch is watched.")
    parser.add_argument("--few", type=int, default=10)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="Where the courses are made; default: /tmp.")
    options = parser.parse_args()
    print(json.dumps(slot_at_rest(options)), flush=True)
    few, found = measure(options.few, options)
    print(json.dumps(found), flush=True)
    many, found = measure(options.submissions, options)
    print(json.dumps(found), flush=True)
    larger = {
        role: {
            "pss": round(many.proportional[role] / few.proportional[role], 3),
            "rss": round(many.resident[role] / few.resident[role], 3),
        }
        for role in few.proportional
    }
    print(json.dumps({"many_over_few": larger}))


if __name__ == "__main__":
    main()
