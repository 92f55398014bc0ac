"""The systems that are compared, each as commands that grade a number of submissions."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import task

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
GRADER = Path(sys.executable).with_name("grader")
TORCH = "torch==2.13.0"
NO_NOISE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
FULL_MARKS = 10.0


@dataclass(frozen=True)
class Prepared:
    """A command ready to be measured, and where its marks will be."""

    command: list[str | Path]
    cwd: Path
    env: dict[str, str]


MANY = 2, 202
"""For what costs a tenth of a second: a start-up takes ten, and never quite the same."""


class System(ABC):
    """One grader."""

    name: str
    containers = False
    few, many = 1, 3
    slots = 1
    workloads = ("light", "medium", "heavy")

    def install(self) -> None:  # noqa: B027 - ours needs nothing
        """Make its environment; not measured."""

    @abstractmethod
    def prepare(self, workload: str, count: int, folder: Path) -> Prepared:
        """Lay out that many submissions in a folder and say how they are graded."""

    @abstractmethod
    def marks(self, folder: Path) -> list[float]:
        """What each submission got, after the command has run."""

    def sizes(self, workload: str) -> tuple[int, int]:
        """A small and a large number of submissions; both fill every slot."""
        if workload == "light":
            return self.few, self.many
        return self.slots, (4 if workload == "medium" else 2) * self.slots


class Ours(System):
    """`grader grade` with full pages, as a user runs it."""

    slots = 2

    def __init__(self, sandbox: str, isolation: str) -> None:
        self.name = f"grader, {sandbox} {isolation}" if sandbox != "local" else "grader, local"
        self.sandbox, self.isolation = sandbox, isolation
        self.containers = sandbox == "docker"
        self.few, self.many = (2, 8) if isolation == "single-use" else MANY

    def prepare(self, workload: str, count: int, folder: Path) -> Prepared:
        """A course directory of the task."""
        course = folder / "course"
        shutil.copytree(HERE / "course", course)
        submissions = course / "submissions"
        submissions.mkdir()
        for number in range(count):
            notebook = task.submission(workload, number, with_tests=False)
            (submissions / f"s{number:04}.ipynb").write_text(json.dumps(notebook))
        spec = course / "assignments" / "ps1" / "assignment.toml"
        spec.write_text(
            spec.read_text()
            .replace("notebook_s = 60", "notebook_s = 600")
            .replace("cell_s = 20", "cell_s = 300")
        )
        command = [str(GRADER), "grade", "ps1", "--slots", str(self.slots)]
        command += ["--sandbox", self.sandbox, "--isolation", self.isolation]
        return Prepared(list(command), course, {"PYTHONPATH": str(HERE.parent)})

    def marks(self, folder: Path) -> list[float]:
        """Read from the verdicts beside the instructors' pages."""
        files = (folder / "course" / "graded" / "ps1" / "instructors").glob("*.json")
        return [float(json.loads(f.read_text())["points"]) for f in files]


class Limit(System):
    """The same cells and checks in one warm process: no isolation, no records, no pages."""

    name = "the limit (one warm process, nothing else)"
    few, many = MANY
    slots = 2

    def prepare(self, workload: str, count: int, folder: Path) -> Prepared:
        """The submissions as files, for `limit.py`."""
        for number in range(count):
            notebook = task.submission(workload, number, with_tests=False)
            (folder / f"s{number:04}.ipynb").write_text(json.dumps(notebook))
        return Prepared([sys.executable, HERE / "limit.py", folder], folder, NO_NOISE)

    def marks(self, folder: Path) -> list[float]:
        """Read from what `limit.py` wrote."""
        return [float(mark) for mark in json.loads((folder / "marks.json").read_text())]


class Containers(System):
    """The floor under single use: a container for each, which imports torch and does nothing."""

    name = "a container that imports torch (nothing else)"
    containers = True
    few, many, slots = 2, 8, 2
    workloads = ("light",)

    def prepare(self, workload: str, count: int, folder: Path) -> Prepared:
        """As many at once as there are slots of ours; what a first optimizer step needs, too."""
        built = subprocess.run(
            [GRADER, "sandbox", "build"], capture_output=True, text=True, check=True
        )
        imports = "import gc, os; gc.disable(); import torch, torch._dynamo; os._exit(0)"
        script = (
            f"seq {count} | xargs -P {self.slots} -I{{}} sh -c 'docker run --rm --network none "
            f"--read-only --tmpfs /tmp --user 10001:10001 {built.stdout.split()[0]} "
            f'python3 -B -P -c "{imports}" && touch {{}}.done\''
        )
        return Prepared(["sh", "-c", script], folder, NO_NOISE)

    def marks(self, folder: Path) -> list[float]:
        """Full marks for each container that came to its end."""
        return [FULL_MARKS for _ in folder.glob("*.done")]


class Nbgrader(System):
    """nbgrader: generate_assignment, autograde, generate_feedback."""

    name = "nbgrader 0.9.6"
    few, many = 1, 7
    python = PEERS / "nbgrader" / "bin" / "python"

    def install(self) -> None:
        """From PyPI."""
        _environment("nbgrader", "nbgrader==0.9.6", "ipykernel", "numpy")

    def prepare(self, workload: str, count: int, folder: Path) -> Prepared:
        """A course of nbgrader's."""
        (folder / "source" / "ps1").mkdir(parents=True)
        shutil.copy(task.SOURCE, folder / "source" / "ps1" / "ps1.ipynb")
        (folder / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = 'bench'\n"
            "c.ExecutePreprocessor.timeout = 600\nc.NbGrader.logfile = ''\n"
        )
        for number in range(count):
            place = folder / "submitted" / f"s{number:04}" / "ps1"
            place.mkdir(parents=True)
            notebook = task.submission(workload, number, with_tests=True)
            (place / "ps1.ipynb").write_text(json.dumps(notebook))
        steps = ("generate_assignment", "autograde", "generate_feedback")
        script = " && ".join(f"{self.python} -m nbgrader {step} ps1" for step in steps)
        return Prepared(["sh", "-c", script], folder, _jupyter(folder, "nbgrader"))

    def marks(self, folder: Path) -> list[float]:
        """Read from the gradebook."""
        script = (
            "from nbgrader.api import Gradebook\n"
            "with Gradebook('sqlite:///gradebook.db') as g:\n"
            "    print([s.score for s in g.assignment_submissions('ps1')])\n"
        )
        found = subprocess.run(
            [self.python, "-c", script], cwd=folder, capture_output=True, text=True, check=True
        )
        return [float(mark) for mark in json.loads(found.stdout)]


class Otter(System):
    """Otter: `otter run` for each submission, as many at once as there are slots of ours."""

    name = "Otter 7.0.0"
    few, many, slots = 2, 14, 2
    python = PEERS / "otter" / "bin" / "python"

    def install(self) -> None:
        """From PyPI, with a kernel that means this environment."""
        _environment("otter", "otter-grader==7.0.0", "ipykernel", "numpy")
        kernel = ["-m", "ipykernel", "install", "--prefix", PEERS / "otter", "--name", "python3"]
        subprocess.run([self.python, *kernel], check=True, capture_output=True)

    def prepare(self, workload: str, count: int, folder: Path) -> Prepared:
        """An assignment of Otter's, built by `otter assign` (its start-up, so it is measured)."""
        (folder / "hw.ipynb").write_text(json.dumps(otter_master()))
        for number in range(count):
            place = folder / "submissions" / f"s{number:04}"
            place.mkdir(parents=True)
            notebook = otter_submission(workload, number)
            (place / "hw.ipynb").write_text(json.dumps(notebook))
        script = (
            f"{self.python} -m otter assign --no-pdfs hw.ipynb dist && "
            "ls submissions | xargs -P 2 -I{} sh -c 'mkdir -p out/{} && "
            f"{self.python} -m otter run --no-logo -a dist/autograder/hw-autograder_*.zip "
            "-o out/{} submissions/{}/hw.ipynb'"
        )
        return Prepared(["sh", "-c", script], folder, _jupyter(folder, "otter"))

    def marks(self, folder: Path) -> list[float]:
        """Read from each results.json."""
        found = []
        for file in (folder / "out").glob("*/results.json"):
            tests = json.loads(file.read_text())["tests"]
            found.append(sum(float(test.get("score", 0)) for test in tests))
        return found


def otter_master() -> dict[str, Any]:
    """The task in Otter's format, made of the same cells."""

    def raw(text: str) -> dict[str, Any]:
        return {"cell_type": "raw", "metadata": {}, "source": text}

    source = task.source()
    cells = [raw("# ASSIGNMENT CONFIG\nname: hw\ninit_cell: true\nexport_cell: false\n")]
    held: dict[str, Any] = {}
    for cell in source["cells"]:
        name = task.grade_id(cell)
        if name.endswith("_answer"):
            held = cell
        elif name.endswith("_test"):
            question = name.removesuffix("_test")
            points = cell["metadata"]["nbgrader"]["points"]
            cells.append(raw(f"# BEGIN QUESTION\nname: {question}\npoints: {points}"))
            solution = f"# BEGIN SOLUTION\n{task.answer(held)}\n# END SOLUTION"
            cells += [raw("# BEGIN SOLUTION"), task.code_cell(solution), raw("# END SOLUTION")]
            visible, hidden = task.visible_and_hidden(cell)
            cells.append(raw("# BEGIN TESTS"))
            # Its checks are doctests, in which an expression may have no value to show.
            shown, kept = (
                part.replace("torch.manual_seed(", "_ = torch.manual_seed(")
                for part in (visible, hidden)
            )
            cells += [task.code_cell(shown), task.code_cell("# HIDDEN\n" + kept)]
            cells += [raw("# END TESTS"), raw("# END QUESTION")]
        elif cell["cell_type"] == "code":
            cells.append(task.code_cell(task.text(cell)))
    return {**source, "cells": cells}


def otter_submission(workload: str, number: int) -> dict[str, Any]:
    """What a student hands in under Otter: the answers, each followed by its check."""
    source = task.source()
    first = "import otter\ngrader = otter.Notebook('hw.ipynb')"
    cells = [task.code_cell(first, {"deletable": False, "editable": False})]
    for cell in source["cells"]:
        name = task.grade_id(cell)
        if name.endswith("_answer"):
            cells.append(task.code_cell(task.answer(cell), {"tags": ["otter_answer_cell"]}))
            question = name.removesuffix("_answer")
            cells.append(task.code_cell(f"grader.check('{question}')"))
        elif cell["cell_type"] == "code" and not name.endswith("_test"):
            cells.append(task.code_cell(task.text(cell)))
    cells += task.training_cells(workload)
    cells.append(task.code_cell(f"# student {number}"))
    metadata = {**source["metadata"], "otter": {"assignment_name": "hw"}}
    return {**source, "metadata": metadata, "cells": cells}


def _environment(name: str, *packages: str) -> None:
    folder = PEERS / name
    if (folder / ".installed").exists():
        return
    if not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    for wanted in ([TORCH], packages):
        subprocess.run([*pip, *wanted], check=True)
    (folder / ".installed").touch()


def _jupyter(folder: Path, name: str) -> dict[str, str]:
    """Keep everything in the folder, and let `python3` be this environment's kernel."""
    binaries = PEERS / name / "bin"
    temporary = folder / ".tmp"
    temporary.mkdir()
    places = {"CONFIG": "config", "DATA": "data", "RUNTIME": "run"}
    return {
        **NO_NOISE,
        **{f"JUPYTER_{key}_DIR": str(folder / ".jupyter" / value) for key, value in places.items()},
        "TMPDIR": str(temporary),
        "IPYTHONDIR": str(folder / ".jupyter" / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin",
    }


def all_systems() -> list[System]:
    """Everything that is compared, in the order in which a round runs it."""
    return [
        Ours("docker", "warm"),
        Nbgrader(),
        Ours("docker", "single-use"),
        Otter(),
        Ours("local", "warm"),
        Containers(),
        Limit(),
    ]
