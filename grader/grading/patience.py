"""How long a batch waits for a worker before it takes it for hung.

Generous: everything inside a submission has limits of its own, so that only a worker that has been
stopped, or whose machine has, comes near.
"""

from __future__ import annotations

from grader.course.spec import AssignmentSpec
from grader.sandbox.notebook_box import MAX_RESTARTS

START_S = 900.0
"""Until the suite is collected and the slot is warm."""
TRIES = 3
"""How often a submission is judged when the sandbox fails under it."""
MENDING_S = 60.0
"""How long a sandbox in which nothing runs is waited for; after it the batch stops."""
MAX_LOSSES = 2
"""Workers that may die over one submission before it is given up as ours to mend."""
_SLACK_S = 300.0


def job_patience_s(spec: AssignmentSpec) -> float:
    """Seconds after which a submission that was handed to a worker must have a verdict."""
    resources = spec.resources
    runs = (MAX_RESTARTS + 1) * (resources.notebook_s + _SLACK_S)
    one_try = runs + resources.suite_s
    # The reference is run, too, where it has to be told whose fault an exception is.
    return 2 * TRIES * one_try
