"""Grade many cases as one class, each followed by an honest submission in the same slot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import nbformat

from grader.api import grade
from grader.course.directory import Course
from grader.errors import GraderError
from grader.gradebook.store import Gradebook
from grader.grading.progress import Progress
from grader.grading.verdict import Verdict, verdict_to_json
from grader.report.files import file_name
from tests.attacks import services
from tests.attacks.corpus import (
    HOST_VARIABLE,
    NAME,
    SECRETS,
    Case,
    Notebooks,
    hand_in,
    make_course,
    notebooks_of,
)
from tests.attacks.weakened.table import Weakening

SEED = 411
_TELL_EVERY = 20
LOOK_ROUND = """\
import os
note = "CLASSMATE-KEY-walnut"
print(sorted(os.listdir(".")), sorted(os.listdir("/tmp")), sorted(os.listdir("/dev/shm")))
print(open("data/numbers.csv").read(), open("/proc/sysvipc/msg").read().count("\\n"))
print(open("/proc/sysvipc/sem").read().count("\\n"))
print(open("/proc/net/tcp").read().count("\\n"))
print("processes:", sum(p.isdigit() for p in os.listdir("/proc")))
"""
"""What an honest student's first cell prints: another's traces would show there."""


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of one case, and of the honest submission after it."""

    verdict: Verdict | None
    executed: str = ""
    pages: str = ""
    next: Verdict | None = None
    next_executed: str = ""

    @property
    def said(self) -> str:
        """The verdict as JSON."""
        return verdict_to_json(self.verdict).decode() if self.verdict else ""

    @property
    def everything(self) -> str:
        """All that anybody could read of it."""
        return self.said + self.executed + self.pages


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A graded class of attackers."""

    came: dict[str, Came]
    honest: Came
    trouble: str = ""
    """Why the batch was given up, if it was."""
    refused: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Class:
    """A course directory with the attackers' files in it."""

    root: Path
    cases: Sequence[Case]
    resources: tuple[tuple[str, float], ...] = ()
    every: int = 1
    """After every so many cases an honest submission is graded."""
    course: Course = field(init=False)
    notebooks: Notebooks = field(init=False)

    def __post_init__(self) -> None:
        self.course = make_course(self.root / "course", self.resources)
        self.notebooks = notebooks_of(self.course.assignment(NAME))
        self.folder = self.root / "handed-in"
        self.folder.mkdir()
        look = nbformat.v4.new_code_cell(LOOK_ROUND, id="look")
        honest = self.notebooks.mixed("solved", [look], first=True)
        (self.folder / "000-honest.ipynb").write_bytes(honest)
        for number, case in enumerate(self.cases, 1):
            hand_in(case, self.folder, f"{number:03}-{case.name}", self.notebooks)
            if number % self.every == 0:
                (self.folder / f"{number:03}-zz-next.ipynb").write_bytes(honest)

    def grade(
        self,
        sandbox: str,
        isolation: str = "auto",
        *,
        slots: int = 1,
        say: Callable[[str], None] = lambda text: None,
    ) -> Batch:
        """Grade the class, in one slot if each is to follow the one before, and gather it all.

        `say` is told now and then how far it is: in full it takes many minutes.
        """
        trouble, refused = "", ()
        files, judged = len(list(self.folder.iterdir())), count(1)

        def tell(verdict: Verdict) -> None:
            if (number := next(judged)) % _TELL_EVERY == 0:
                say(f"{sandbox}, {isolation}: {number} of {files} submissions are judged")

        with _host_secrets(self.course):
            try:
                graded = grade(
                    self.course,
                    NAME,
                    [self.folder],
                    sandbox=sandbox,
                    isolation=isolation,
                    slots=slots,
                    seed=SEED,
                    progress=Progress(judged=tell),
                )
                refused = tuple(f"{r.source}: {r.reason}" for r in graded.refused)
            except GraderError as error:
                trouble = str(error)
        with Gradebook(self.course.database_url) as gradebook:
            verdicts = {v.student: v for v in gradebook.current(NAME)}
            read = {s: gradebook.executed_notebook(v) or b"" for s, v in verdicts.items()}
        return Batch(
            came={c.id: self._came(n, verdicts, read) for n, c in enumerate(self.cases, 1)},
            honest=self._came(0, verdicts, read),
            trouble=trouble,
            refused=refused,
        )

    def _came(self, number: int, verdicts: dict[str, Verdict], read: dict[str, bytes]) -> Came:
        after = f"{number:03}-zz-next"
        mine = [s for s in verdicts if s.startswith(f"{number:03}-") and s != after]
        student = mine[0] if mine else ""
        return Came(
            verdict=verdicts.get(student),
            executed=read.get(student, b"").decode(),
            pages=self._pages(student),
            next=verdicts.get(after),
            next_executed=read.get(after, b"").decode(),
        )

    def _pages(self, student: str) -> str:
        folder = self.course.graded_dir / NAME
        name = f"{file_name(student)}.html"
        files = [folder / kind / name for kind in ("students", "instructors")]
        return "".join(f.read_text() for f in files if student and f.exists())


def faults(case: Case, batch: Batch) -> list[str]:
    """What is not as the case says it must be; nothing where the wall holds."""
    came = batch.came[case.id]
    verdict = came.verdict
    if verdict is None:
        return ["there is no verdict"]
    found = []
    if str(verdict.outcome) != case.outcome:
        found.append(f"the outcome is {verdict.outcome} ({verdict.reason})")
    if verdict.points != case.points:
        wrong = {t.name: f"{t.outcome} {t.message} {t.details}"[:300] for t in verdict.tests}
        notes = " ".join(verdict.notes)
        found.append(f"it has {verdict.points} points, not {case.points}: {notes} {wrong}")
    for start, outcome in case.tests.items():
        outcomes = {str(t.outcome) for t in verdict.tests if t.name.startswith(start)}
        if outcomes != {outcome}:
            found.append(f"{start} ended as {outcomes}, not {outcome}")
    found += [f"it gives {needle} away" for needle in leaked(case, came)]
    found += [f"the verdict does not say {text!r}" for text in case.says if text not in came.said]
    found += [
        f"the notebook does not show {text!r}" for text in case.shows if text not in came.executed
    ]
    return found + spilled(batch, came)


def leaked(case: Case, came: Came) -> list[str]:
    """What came out and must not."""
    needles = [n for n in (*SECRETS, *case.never) if n in came.everything]
    return needles + [f"{n} as markup" for n in case.unshown if n in came.pages]


def spilled(batch: Batch, came: Came) -> list[str]:
    """How the honest submission after it differs from one that nobody went before."""
    if came.next is None:
        return []
    found = []
    if came.next.points != batch.honest.verdict.points or came.next.notes:
        found.append(f"the next has {came.next.points} points and {came.next.notes}")
    ours, theirs = _outputs(batch.honest.executed), _outputs(came.next_executed)
    if ours != theirs:
        found.append(f"the next sees {theirs}, not {ours}")
    return found


def _outputs(executed: str) -> Any:
    return [c.get("outputs") for c in json.loads(executed)["cells"]] if executed else None


@contextmanager
def _host_secrets(course: Course) -> Iterator[None]:
    """Secrets of the judge's machine: in its environment, and in a file beside the course."""
    key = course.root.parent / "host-key.txt"
    key.write_text("HOST-KEY-fennel\n")
    values = {HOST_VARIABLE: "HOST-KEY-fennel", "GRADER_TEST_COURSE": str(course.root)}
    os.environ.update(values)
    try:
        with services.running():
            yield
    finally:
        for name in values:
            os.environ.pop(name, None)


# -- where a wall is missing


@dataclass(frozen=True, kw_only=True)
class Weak:
    """What came of a case where a wall is missing."""

    score: float | None
    text: str
    said: str = ""
    broke: bool = False
    spilled: bool = False
    hung: bool = False
    """It was ended for its time: a slow machine is no loss of a mark."""


def bitten(case: Case, weak: Weak) -> list[str]:
    """How the attack succeeded, of the ways that it names; empty when it did not."""
    bites = case.bites
    found = {
        "gains": weak.score is not None and weak.score >= float(case.points + bites.gains),
        "reveals": bool(bites.reveals) and bites.reveals in weak.text,
        "says": bool(bites.says) and bites.says in weak.said,
        "loses": not weak.hung and (weak.score is None or weak.score < float(case.points)),
        "breaks": weak.broke,
        "spills": weak.spilled,
    }
    return [name for name in bites.how() if found[name]]


class PeerGrader:
    """The warm process of `weakened.peer`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._course = make_course(root / "course")
        self._assignment = self._course.assignment(NAME)
        self.notebooks = notebooks_of(self._assignment)
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", "tests.attacks.weakened.peer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", HOST_VARIABLE: "HOST-KEY-fennel"},
            text=True,
        )

    def run(self, case: Case, weakening: Weakening) -> Weak:
        """Grade one case as such a grader does; one that is not to break it has time to end."""
        seconds = 5.0 if case.bites.breaks else 120.0
        root = self._root / f"{case.group}-{case.name}"
        folder = root / "work"
        (folder / "tests").mkdir(parents=True)
        hand_in(case, folder, "submission", self.notebooks)
        assignment = self._assignment
        for name, given in assignment.given_contents().items():
            if not (folder / "submission" / name).exists():  # it takes what is handed in
                (folder / name).write_bytes(given)
        _unpack(folder, "submission")
        suite = assignment.hidden_dir / "test_small.py"
        (folder / "tests" / "test_small.py").write_bytes(suite.read_bytes())
        (folder / "reference.py").write_bytes(assignment.reference_path.read_bytes())
        (folder / "data").mkdir(exist_ok=True)
        if not (folder / "data" / "numbers.csv").exists():
            (folder / "data" / "numbers.csv").write_text("0.5,1.5\n2.5,3.5\n")
        (root / "classmate").mkdir()
        (root / "classmate" / "submission.ipynb").write_text(LOOK_ROUND)
        released = json.loads(self.notebooks.released)["cells"]
        ids = [c["id"] for c in released if c["cell_type"] == "code"]
        (folder / "released.json").write_text(json.dumps(ids))
        rules = sorted(weakening.peer or ())
        request = {"folder": str(folder), "rules": rules, "seconds": seconds}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Weak(
            score=answer["score"],
            text=answer["text"],
            said=answer["text"],
            broke=answer["score"] is None,
            hung=answer["hung"],
        )

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.kill()
        self._process.wait()


def _unpack(folder: Path, student: str) -> None:
    """Where a folder was handed in, put what is in it in place of it."""
    handed_in = folder / student
    if handed_in.is_dir():
        for path in list(handed_in.iterdir()):
            target = f"{student}.ipynb" if path.suffix == ".ipynb" else path.name
            path.rename(folder / target)
        handed_in.rmdir()


def grade_weakly(root: Path, name: str, weakening: Weakening, cases: Sequence[Case]) -> Batch:
    """Grade a class where a wall is missing."""
    handed = Class(root=root, cases=cases, resources=weakening.resources)
    site = Path(__file__).parent / "weakened" / "site"
    repository = Path(__file__).parents[2]
    inherited = os.environ.get("PYTHONPATH", "")
    variables = {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(site), str(repository), inherited])),
        "GRADER_TEST_WEAKENING": name,
    }
    with weakening.page() if weakening.page else nullcontext():
        os.environ.update(variables)
        try:
            return handed.grade(
                weakening.sandbox, "warm" if weakening.sandbox == "local" else "auto"
            )
        finally:
            os.environ["PYTHONPATH"] = inherited
            if not inherited:
                del os.environ["PYTHONPATH"]
            del os.environ["GRADER_TEST_WEAKENING"]


def weak_of(case: Case, batch: Batch) -> Weak:
    """What came of a case in such a class."""
    came = batch.came[case.id]
    verdict = came.verdict
    graded = verdict is not None and str(verdict.outcome) == "graded"
    return Weak(
        score=float(verdict.points) if verdict is not None and graded else None,
        text=came.everything,
        said=came.said,
        broke=bool(batch.trouble) or not graded,
        spilled=bool(came.next is not None and spilled(batch, came)),
    )
