"""What a batch says to its workers, and they to it. All by value, so that it can travel."""

from __future__ import annotations

import datetime as dt

import msgspec

from grader.course.spec import AssignmentSpec
from grader.errors import GraderError
from grader.grading.verdict import Verdict
from grader.release.given_cells import GivenCell
from grader.sandbox.base import ALL_PRELOADS, CellResult, Isolation, Preload, SandboxName
from grader.suite.results import TestResult


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One submission to be judged.

    `data` is its notebook, and `files` lie beside it, by their path there; both are there from
    when the job is handed out (see `waiting`). Of several notebooks `notebook` names the one in
    `data`; the others are among `files`, as `NAME.ipynb`.
    `before` are the results of an earlier run with the same `seed`, of which those may stand whose
    tests are `unchanged`; without a seed of its own it has the batch's.
    """

    student: str
    file: str
    data: bytes = b""
    notebook: str = ""
    files: dict[str, bytes] = {}
    unused: tuple[str, ...] = ()
    sha256: str
    attempt: int = 1
    submitted_at: dt.datetime | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    seed: int | None = None
    before: tuple[TestResult, ...] = ()
    unchanged: tuple[str, ...] = ()


class NotebookConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch knows of one of several notebooks: where its reference is, what was released."""

    name: str
    reference: str
    released: tuple[GivenCell, ...] = ()


class BatchConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every submission of a batch.

    `seed_key` is the course's secret, without which nobody can tell what `seed` leads to.
    `gpus` are the devices of the slots, one for each; `gpu` is that of one worker.
    `given` is what the course gives beside the notebook, by its path there.
    `suite` are the fingerprints of the hidden suite. `released` are the cells of the notebook that
    students got: by them the answers are found that a person reads. `notebooks` are there where
    students get several; each is judged with the setting that `for_notebook` returns.
    `reference` is empty for a public suite. `alone` is true for a single submission: what is only
    of use to the next is not done for it. `keep` names the judge that stays for the next command
    of the same user (see `grading.keeping`); empty: none does. `measures` is true where each test
    is to say how much of its tolerances it has used, `diagnoses` where what kind of mistake a wrong
    value shows.
    """

    assignment: str
    spec: AssignmentSpec
    bundle_sha256: str
    hidden: str
    reference: str
    data: str
    given: dict[str, bytes] = {}
    sandbox: SandboxName
    isolation: Isolation
    image: str
    hide: tuple[str, ...] = ()
    seed: int
    seed_key: bytes = b""
    slots: int = 1
    grader_version: str = ""
    packages: dict[str, str] = {}
    gpu: str = ""
    gpus: tuple[str, ...] = ()
    runtime: str = ""
    suite: dict[str, str] = {}
    released: tuple[GivenCell, ...] = ()
    alone: bool = False
    preloads: tuple[Preload, ...] = ALL_PRELOADS
    keep: str = ""
    measures: bool = False
    diagnoses: bool = True
    notebooks: tuple[NotebookConfig, ...] = ()

    def for_notebook(self, notebook: NotebookConfig) -> BatchConfig:
        """Return the setting for one of several notebooks, as if it were all."""
        return msgspec.structs.replace(
            self,
            spec=self.spec.for_notebook(notebook.name),
            reference=notebook.reference,
            released=notebook.released,
            notebooks=(),
        )


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready", tag_field="kind"):
    """The worker's slot is warm; `pid` is the worker's."""

    packages: dict[str, str]
    pid: int = 0


class Warming(msgspec.Struct, frozen=True, kw_only=True, tag="warming", tag_field="kind"):
    """The worker waits for its slot, for so long so far: it is slow, and shows signs of life."""

    seconds: float
    pid: int = 0


class JobStarted(msgspec.Struct, frozen=True, kw_only=True, tag="begins", tag_field="kind"):
    """The worker has begun with a submission."""

    student: str
    attempt: int = 1


class CellStarted(msgspec.Struct, frozen=True, kw_only=True, tag="in cell", tag_field="kind"):
    """The submission has come to a cell, counted from one among all of them."""

    student: str
    cell: int
    cells: int


class Judged(msgspec.Struct, frozen=True, kw_only=True, tag="judged", tag_field="kind"):
    """A verdict, with the executed notebook as JSON."""

    verdict: Verdict
    executed: bytes


class Checked(msgspec.Struct, frozen=True, kw_only=True, tag="checked", tag_field="kind"):
    """What the public suite says of a notebook."""

    results: tuple[TestResult, ...]
    cells: tuple[CellResult, ...]
    notes: tuple[str, ...]
    missing_modules: tuple[str, ...]


class WorkerError(msgspec.Struct, frozen=True, kw_only=True, tag="broken", tag_field="kind"):
    """The suite or the sandbox can't be used: said before the first mark."""

    error: str
    what: str
    where: str = ""
    hint: str = ""


class DeviceLost(msgspec.Struct, frozen=True, kw_only=True, tag="withdrawn", tag_field="kind"):
    """The worker's device is not free after a submission: nothing is run there any more."""

    device: str
    what: str


FromWorker = (
    Ready | Warming | JobStarted | CellStarted | Judged | Checked | WorkerError | DeviceLost
)


def worker_error(error: GraderError) -> WorkerError:
    """An error as a message."""
    return WorkerError(
        error=type(error).__name__,
        what=error.what,
        where=error.where or "",
        hint=error.hint or "",
    )
