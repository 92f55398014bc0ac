"""Read `assignment.toml` strictly."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

import msgspec

from grader.course.spec import AssignmentSpec

SPEC_NAME = "assignment.toml"


def load_spec(path: Path) -> AssignmentSpec:
    """Read and check a spec."""
    data = tomllib.loads(path.read_text(), parse_float=Decimal)
    return msgspec.convert(data, AssignmentSpec, strict=False)
