"""What a class costs that is graded again: unchanged, after a comment, after a test changed.

    python benchmarks/regrade.py --submissions 40 --slots 2

Prints one line of JSON: wall clock of each run, without and with the start-up, and the seconds that
submissions spent in notebooks and in checks.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

from grader.api import Graded, Progress, find_course, grade
from grader.course.directory import Course
from grader.release.notebooks import notebook_bytes, solution_notebook

COURSE = Path(__file__).parent / "course"
OLD, NEW = "torch.randn(5, 7)", "torch.randn(6, 7)"


def run(course: Course, options: argparse.Namespace) -> dict[str, float]:
    """Grade the class and say what it took."""
    first: list[float] = []
    progress = Progress(begun=lambda student: first.append(time.monotonic()))
    began = time.monotonic()
    graded: Graded = grade(
        course,
        "ps1",
        [course.submissions_dir],
        sandbox=options.sandbox,
        slots=options.slots,
        progress=progress,
    )
    ended = time.monotonic()
    low = [v.student for v in graded.verdicts if v.points != v.max_points]
    if low:
        raise SystemExit(f"not full marks: {low}")
    ran = [v for v in graded.verdicts if graded.run]
    return {
        "run": graded.run,
        "seconds": round(ended - began, 2),
        "seconds_after_start_up": round(ended - first[0], 2) if first else 0.0,
        "in_notebooks": round(sum(v.usage.notebook_s for v in ran), 2),
        "in_checks": round(sum(v.usage.suite_s for v in ran), 2),
        "results_kept": sum(len(v.provenance.kept) for v in ran if v.provenance),
    }


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--sandbox", default="local")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="grader-regrade-") as folder:
        root = Path(folder, "course")
        shutil.copytree(COURSE, root)
        course = find_course(root)
        notebook = json.loads(notebook_bytes(solution_notebook(course.assignment("ps1"))))
        course.submissions_dir.mkdir()
        for i in range(options.submissions):
            notebook["cells"][1]["source"] = f"import torch\nfrom torch import nn\n\n# student {i}"
            (course.submissions_dir / f"s{i:04}.ipynb").write_text(json.dumps(notebook))
        found = {"first": run(course, options), "unchanged": run(course, options)}
        suite = next(course.assignment("ps1").hidden_dir.glob("test_*.py"))
        suite.write_text(f"{suite.read_text()}\n# a comment\n")
        found["after_a_comment"] = run(course, options)
        if OLD not in suite.read_text():
            raise SystemExit(f"the suite does not hold {OLD}")
        suite.write_text(suite.read_text().replace(OLD, NEW, 1))
        found["after_one_test"] = run(course, options)
        print(json.dumps(found))


if __name__ == "__main__":
    main()
