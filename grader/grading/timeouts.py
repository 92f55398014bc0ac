"""How long a batch waits for a worker before it takes it for hung.

A start is judged by its signs of life, see `sandbox.liveness`. For the rest this is generous:
everything inside a submission has limits of its own, so that only a worker that has been stopped,
or whose machine has, comes near.
"""

from __future__ import annotations

from grader.course.spec import AssignmentSpec
from grader.sandbox.notebook_box import MAX_RESTARTS
from grader.wire.waiting import WAITING

COLLECT_S = 900.0
"""Seconds of processor, not of the clock, that a judge may use until its suite is collected."""
NO_MACHINE_S = 900.0
"""How long a batch goes on without a single machine of its cluster."""
TELL_S = 10.0
"""How often a worker says that it waits for its slot."""
SLOW_S = 60.0
"""When it is said of a slot that it is slow; then again whenever it has taken twice as long."""
MENDING_S = 60.0
"""How long a sandbox that refuses is waited for, after it the batch stops; one that is only slow is
waited for within a try."""
SLOT_AGAIN_S = 600.0
"""After so long a pool that stands starts a slot again that has failed."""
_SLACK_S = 300.0


def job_timeout_s(spec: AssignmentSpec) -> float:
    """Seconds after which a submission that was handed to a worker must have a verdict."""
    resources, notebooks = spec.resources, max(len(spec.notebooks), 1)
    runs = (MAX_RESTARTS + 1) * (WAITING * resources.notebook_s + _SLACK_S)
    one_try = runs + WAITING * resources.suite_s
    # The reference is run, too, where it has to be told whose fault an exception is.
    return 2 * one_try * notebooks
