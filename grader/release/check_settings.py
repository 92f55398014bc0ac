"""What a student's own check must know of the assignment: limits, libraries, files beside.

It lies in the release, so that a check there says what the grading will.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec

from grader.course.spec import AssignmentSpec, BoxSpec, HandInRules, Resources

SETTING_NAME = "grader.json"
_MAX_BYTES = 1 << 20


class ReleasedSetting(msgspec.Struct, frozen=True, kw_only=True):
    """`grader.json`: nothing in it is a secret, and nothing in it decides over marks."""

    title: str
    resources: Resources = Resources()
    box: BoxSpec = BoxSpec()
    handin: HandInRules = HandInRules()


def released_setting(spec: AssignmentSpec) -> bytes:
    """Write what a release tells of the spec."""
    setting = ReleasedSetting(
        title=spec.title, resources=spec.resources, box=spec.box, handin=spec.handin
    )
    return msgspec.json.format(msgspec.json.encode(setting), indent=2) + b"\n"


def released_spec(folder: Path) -> AssignmentSpec | None:
    """Read it back as a spec without questions; None where it is not there or can't be read."""
    path = folder / SETTING_NAME
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        setting = msgspec.json.decode(path.read_bytes(), type=ReleasedSetting)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return AssignmentSpec(
        title=setting.title,
        points=Decimal(0),
        questions=(),
        resources=setting.resources,
        box=setting.box,
        handin=setting.handin,
    )
