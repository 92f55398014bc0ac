"""What a student's own check must know of the assignment: limits, libraries, files, given cells.

It lies in the release, so that a check there says what the grading will.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from grader.course.spec import AssignmentSpec, BoxSpec, HandInRules, Notebook, Resources
from grader.release.given_cells import GivenCell

SETTING_NAME = "grader.json"
_MAX_BYTES = 16 << 20


class ReleasedSetting(msgspec.Struct, frozen=True, kw_only=True):
    """`grader.json`: nothing in it is a secret, and nothing in it decides over marks.

    `by_hand` are the questions for which a person gives points, `cells` those of the released
    notebook, by which their answers are found. `notebooks`
    is there where there are several, and `cells_of` are the cells of each by its name.
    """

    title: str
    resources: Resources = Resources()
    box: BoxSpec = BoxSpec()
    handin: HandInRules = HandInRules()
    by_hand: tuple[str, ...] = ()
    cells: tuple[GivenCell, ...] = ()
    notebooks: tuple[Notebook, ...] | msgspec.UnsetType = msgspec.UNSET
    cells_of: dict[str, tuple[GivenCell, ...]] | msgspec.UnsetType = msgspec.UNSET


def released_setting(spec: AssignmentSpec, cells: Mapping[str, tuple[GivenCell, ...]]) -> bytes:
    """Write what a release tells of the spec, and its cells where answers are looked for.

    `cells` are those of each notebook by its name; "" where there is one alone.
    """
    by_hand = tuple(question.id for question in spec.questions if question.manual)
    setting = ReleasedSetting(
        title=spec.title,
        resources=spec.resources,
        box=spec.box,
        handin=spec.handin,
        by_hand=by_hand,
        cells=cells.get("", ()) if by_hand else (),
        cells_of=dict(cells) if by_hand and spec.notebooks else msgspec.UNSET,
        notebooks=tuple(msgspec.structs.replace(n, reference=None) for n in spec.notebooks)
        or msgspec.UNSET,
    )
    return msgspec.json.format(msgspec.json.encode(setting), indent=2) + b"\n"


def read_setting(folder: Path) -> ReleasedSetting | None:
    """Read it back; None where it is not there or can't be read."""
    path = folder / SETTING_NAME
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        return msgspec.json.decode(path.read_bytes(), type=ReleasedSetting)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def released_spec(folder: Path) -> AssignmentSpec | None:
    """Read it back as a spec without questions; None where it is not there or can't be read."""
    setting = read_setting(folder)
    if setting is None:
        return None
    return AssignmentSpec(
        title=setting.title,
        points=Decimal(0),
        questions=(),
        resources=setting.resources,
        box=setting.box,
        handin=setting.handin,
        notebooks=setting.notebooks or (),
    )
