"""The course's own modules beside the notebook, importable on the judge's side too."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath


class _HelperFinder(importlib.abc.MetaPathFinder):
    """Finds these modules in this folder and no other: not what else lies there."""

    def __init__(self, folder: Path, names: frozenset[str]) -> None:
        self.folder = folder
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the module's spec, where it is one of these."""
        if path is not None or fullname not in self.names:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [str(self.folder)])


def make_importable(folder: Path, files: Iterable[str]) -> None:
    """Have the reference and the suite import these files; those of another assignment no more.

    Args:
        folder: the assignment's.
        files: their paths in it, as they lie beside the notebook.
    """
    for finder in [f for f in sys.meta_path if isinstance(f, _HelperFinder)]:
        sys.meta_path.remove(finder)
        for module in [m for m in sys.modules if m.partition(".")[0] in finder.names]:
            del sys.modules[module]
    names = frozenset(module_name(file) for file in files if file.endswith(".py"))
    if names:
        sys.meta_path.insert(0, _HelperFinder(folder.resolve(), names))
        importlib.invalidate_caches()


def module_name(file: str) -> str:
    """The name by which a file beside the notebook is imported: of its package, if it has one."""
    return PurePosixPath(file).parts[0].removesuffix(".py")
