"""Find what ships with the package: templates, the catalog's assignments and references."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from grader.errors import GraderError

Shipped = Literal["templates", "assignments", "reference"]

_PACKAGE = Path(__file__).resolve().parent


def shipped_dir(kind: Shipped) -> Path:
    """Return the folder of what ships: in the installed package, or in the checkout it runs from.

    Raises:
        GraderError: the installation is incomplete.
    """
    for folder in (_PACKAGE / "_shipped" / kind, _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise GraderError(
        f"the installed package lacks its {kind}",
        where=_PACKAGE,
        hint="Install grader again from its source: pip install --force-reinstall --no-deps .",
    )
