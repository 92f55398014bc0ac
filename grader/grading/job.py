"""What a batch says to its workers, and they to it. All by value, so that it can travel."""

from __future__ import annotations

import datetime as dt

import msgspec

from grader.course.spec import AssignmentSpec
from grader.grading.verdict import Verdict
from grader.sandbox.base import Isolation, SandboxName


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One submission to be judged."""

    student: str
    file: str
    data: bytes
    sha256: str
    attempt: int = 1
    submitted_at: dt.datetime | None = None
    problem: str = ""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every submission of a batch."""

    assignment: str
    spec: AssignmentSpec
    bundle_sha256: str
    hidden: str
    reference: str
    data: str
    sandbox: SandboxName
    isolation: Isolation
    image: str
    hide: tuple[str, ...] = ()
    seed: int
    slots: int = 1
    grader_version: str = ""
    packages: dict[str, str] = {}
    gpu: str = ""
    runtime: str = ""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready", tag_field="kind"):
    """The worker's slot is warm; `pid` is the worker's."""

    packages: dict[str, str]
    pid: int = 0


class Begins(msgspec.Struct, frozen=True, kw_only=True, tag="begins", tag_field="kind"):
    """The worker has begun with a submission."""

    student: str


class InCell(msgspec.Struct, frozen=True, kw_only=True, tag="in cell", tag_field="kind"):
    """The submission has come to a code cell, counted from one."""

    student: str
    cell: int
    cells: int


class Judged(msgspec.Struct, frozen=True, kw_only=True, tag="judged", tag_field="kind"):
    """A verdict, with the executed notebook as JSON."""

    verdict: Verdict
    executed: bytes


class Broken(msgspec.Struct, frozen=True, kw_only=True, tag="broken", tag_field="kind"):
    """The suite or the sandbox can't be used: said before the first mark."""

    error: str
    what: str
    where: str = ""
    hint: str = ""


FromWorker = Ready | Begins | InCell | Judged | Broken
