"""The setting of a batch that runs nothing."""

from __future__ import annotations

from decimal import Decimal

from grader.course.spec import AssignmentSpec, Question
from grader.grading.job import BatchConfig


def config_of(spec: AssignmentSpec, bundle: str = "b") -> BatchConfig:
    """The setting of an assignment, with nothing in it that exists."""
    return BatchConfig(
        assignment="warm-up",
        spec=spec,
        bundle_sha256=bundle,
        hidden="",
        reference="",
        data="",
        sandbox="local",
        isolation="warm",
        image="i",
        seed=1,
    )


SPEC = AssignmentSpec(
    title="t", points=Decimal(1), questions=(Question(id="q1", title="q", points=Decimal(1)),)
)
SETTING = config_of(SPEC)
