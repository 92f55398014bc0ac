"""What a command says to a judge that has stayed, and what it answers."""

from __future__ import annotations

import msgspec

from grader.grading.job import BatchConfig


class Take(msgspec.Struct, frozen=True, kw_only=True, tag="take", tag_field="kind"):
    """Serve this command; the connection becomes that of a worker."""

    config: BatchConfig


class End(msgspec.Struct, frozen=True, kw_only=True, tag="end", tag_field="kind"):
    """End now."""


class Tell(msgspec.Struct, frozen=True, kw_only=True, tag="tell", tag_field="kind"):
    """Say what you are."""


TAKEN = b"taken"
"""The answer to whom it serves; from then on it speaks as a worker does."""

Order = Take | End | Tell


class KeptInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge says of itself; `checks` where it has the public tests alone."""

    assignment: str
    sandbox: str
    checks: bool
    idle_s: float
