"""`assignment.toml`: what an instructor says about an assignment, read strictly."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

import msgspec

from grader.points import Points


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What students must write themselves: library names that they may not use.

    A name stands for itself and all below it; `allow` makes exceptions. `names` are the functions
    and classes of the notebook that the rule covers, with all that they use; none: all of it.
    `cost` is what a violation costs: the points of the tests it concerns, or a look by a person.
    """

    forbid: tuple[str, ...]
    allow: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    cost: Literal["points", "flag"] = "points"


WhenTold = Literal["after_due", "always", "never"]
"""When a student reads what kind of mistake a wrong value shows."""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One question: `points` come from the suite, `manual` from a person who reads the answer.

    `extra_credit`: both come on top, and are not among the assignment's points.
    `rubric` is Markdown for that person: it stands beside the answers, and students never see it.
    """

    id: str
    title: str
    points: Points = Decimal(0)
    manual: Points = Decimal(0)
    extra_credit: bool = False
    rubric: str = ""
    rules: Rules | None = None
    diagnose: WhenTold | None = None


class Notebook(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """One of several notebooks of an assignment: `NAME.ipynb`, with questions of its own.

    `reference` is the file of its solution in `reference/`; by default it is named after
    assignment and notebook.
    """

    name: str
    questions: tuple[str, ...]
    reference: str | None = None

    @property
    def file(self) -> str:
        """What the file is called in a release, and what it is called when it is handed in."""
        return f"{self.name}.ipynb"

    @property
    def absence(self) -> str:
        """The sentence on it where it was not handed in."""
        listed = " and ".join(filter(None, (", ".join(self.questions[:-1]), self.questions[-1])))
        verb = "is" if len(self.questions) == 1 else "are"
        return f"{self.file} was not handed in: {listed} {verb} in it."


class Resources(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one submission may use. Times in seconds, sizes in MB (2**20 bytes).

    Of an assignment with several notebooks each may use so much.

    For a cell or a call, time spent waiting for a processor does not count, up to its limit again.
    `gpu_memory_mb`: of the GPU, through torch; 0: all that the GPU has. `cuda_as_cpu`: where
    there is none, a notebook that asks for one gets the CPU. `judge_memory_mb`: what the hidden
    suite may take to check one submission, beyond what it has when it is loaded.
    """

    notebook_s: float = 120.0
    cell_s: float = 30.0
    call_s: float = 10.0
    suite_s: float = 300.0
    memory_mb: int = 1024
    disk_mb: int = 256
    output_mb: int = 8
    processes: int = 128
    cpus: float = 1.0
    threads: int = 1
    gpu: bool | Literal["optional"] = False
    gpu_memory_mb: int = 0
    cuda_as_cpu: bool = False
    judge_memory_mb: int = 2048


class Dates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When it is out and when it is due (with a UTC offset, or local to the course)."""

    released: dt.datetime | None = None
    due: dt.datetime | None = None


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an answer gets whose place holds what was released, and nothing else.

    "ask": a person marks it as any other. "zero": no points, by rule; a person may give others.
    """

    untouched: Literal["ask", "zero"] = "ask"


class Attempts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which of a student's submissions counts, and how many may be handed in (0: any number)."""

    counts: Literal["last", "best"] = "last"
    limit: int = 0


class BoxSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the box has beyond torch, numpy and matplotlib, and how the notebook is run in it.

    `libraries` are Python's, from pip; `packages` are Debian's, such as a compiler or fonts.
    `files` are patterns, in the assignment's own folder, of what the course gives beside the
    notebook: modules that it imports, pictures that it shows.
    """

    libraries: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    on_error: Literal["continue", "stop"] = "continue"


class HandInRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What students may hand in beside the notebook: patterns, and MB of all files together."""

    files: tuple[str, ...] = ()
    max_mb: float = 10.0


class Leaderboard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page for the class that ranks it, by pseudonym, by what `test` of the suite measured.

    `percent`: what is measured is a share of 1, shown as a percentage.
    """

    test: str
    title: str = "Score"
    best: Literal["highest", "lowest"] = "highest"
    percent: bool = False


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A finding of `validate --attacks` that the instructor knows and leaves, and why.

    `test` is a test of the hidden suite (of a parametrized one the name without its cases), or
    `question` all tests of one.
    """

    attack: str
    reason: str
    test: str = ""
    question: str = ""


class AssignmentSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of `assignment.toml`.

    `diagnose` and `reference_runs`: when students are told what kind of mistake a value shows, and
    how the reference's own runs of a training lie.
    """

    title: str
    points: Points
    questions: tuple[Question, ...]
    course: str | None = None
    summary: str = ""
    reference: str | None = None
    notebooks: tuple[Notebook, ...] = ()
    data: tuple[str, ...] | None = None
    resources: Resources = Resources()
    dates: Dates = Dates()
    attempts: Attempts = Attempts()
    answers: Answers = Answers()
    box: BoxSpec = BoxSpec()
    handin: HandInRules = HandInRules()
    rules: Rules | None = None
    leaderboard: Leaderboard | None = None
    diagnose: WhenTold = "after_due"
    reference_runs: WhenTold = "after_due"
    accepted: tuple[Accepted, ...] = ()

    @property
    def machine_points(self) -> Decimal:
        """Points that the hidden suite gives, without extra credit."""
        return sum((q.points for q in self.questions if not q.extra_credit), Decimal(0))

    @property
    def manual_points(self) -> Decimal:
        """Points that a person gives for written answers, without extra credit."""
        return sum((q.manual for q in self.questions if not q.extra_credit), Decimal(0))

    @property
    def extra_points(self) -> Decimal:
        """Points that come on top, from the suite and from people."""
        extra = (q.points + q.manual for q in self.questions if q.extra_credit)
        return sum(extra, Decimal(0))

    def question(self, identifier: str) -> Question | None:
        """Return the question with this id, or None."""
        return next((q for q in self.questions if q.id == identifier), None)

    def notebook_of(self, question: str) -> Notebook | None:
        """Return the notebook that holds a question; None where there is one notebook alone."""
        return next((n for n in self.notebooks if question in n.questions), None)

    def for_notebook(self, name: str) -> AssignmentSpec:
        """Return the spec as if one of its notebooks were all: its questions and their points."""
        held = next(n for n in self.notebooks if n.name == name)
        questions = tuple(q for q in self.questions if q.id in held.questions)
        alone = msgspec.structs.replace(
            self, questions=questions, notebooks=(), reference=held.reference
        )
        return msgspec.structs.replace(alone, points=alone.machine_points + alone.manual_points)
