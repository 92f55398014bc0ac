"""A stand-in for `google.colab`, which every box is without: what it asks for does no harm.

It is found where a cell says `from google.colab import drive` and would stop without it. A cell
that asks whether it is on Colab, by `try: import google.colab` or by looking into `sys.modules`,
is told that it is not: it then takes its other way, which is meant for such a place.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

NAME = "google.colab"
_MAX_FRAMES = 60


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `google.colab` for cells that can't do without it; the last one that is asked."""

    def __init__(self, is_cell: Callable[[str], bool]) -> None:
        self._is_cell = is_cell

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the stand-in's spec, or None where the cell is better off without it."""
        if fullname not in _MADE or self._is_asked():
            return None
        is_package = fullname in ("google", NAME)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=is_package)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Make an empty module."""
        return types.ModuleType(spec.name, "A stand-in: there is no Colab in this sandbox.")

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill it."""
        module.__dict__.update(_MADE[module.__name__]())

    def _is_asked(self) -> bool:
        """Whether the import is a question: inside a `try` that has an answer, or `find_spec`."""
        frame: types.FrameType | None = sys._getframe(2)
        for _ in range(_MAX_FRAMES):
            if frame is None:
                break
            code = frame.f_code
            if code.co_filename.endswith("importlib/util.py") or code.co_name == "find_spec":
                return True
            if self._is_cell(code.co_filename):
                return _is_guarded(linecache.getlines(code.co_filename), frame.f_lineno or 0)
            frame = frame.f_back
        return True


def _is_guarded(lines: list[str], line: int) -> bool:
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(
        node.handlers and node.body[0].lineno <= line <= (node.body[-1].end_lineno or 0)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
    )


def _say(text: str) -> None:
    print(f"There is no Colab in this sandbox: {text}")


def _drive() -> dict[str, Any]:
    def mount(mountpoint: str = "/content/drive", *_args: object, **_kwargs: object) -> None:
        _say(f"nothing was mounted at {mountpoint}.")

    def flush_and_unmount(*_args: object, **_kwargs: object) -> None:
        """Nothing is mounted."""

    return {"mount": mount, "flush_and_unmount": flush_and_unmount}


def _files() -> dict[str, Any]:
    def upload(*_args: object, **_kwargs: object) -> dict[str, bytes]:
        _say("nothing can be uploaded.")
        return {}

    def download(filename: object = "", *_args: object, **_kwargs: object) -> None:
        _say(f"{filename} was not downloaded.")

    return {"upload": upload, "download": download, "view": download}


def _userdata() -> dict[str, Any]:
    class SecretNotFoundError(Exception):
        """Colab's own, for a cell that catches it."""

    class NotebookAccessError(Exception):
        """Colab's own, for a cell that catches it."""

    def get(key: object) -> str:
        _say(f"the secret {key} is empty.")
        return ""

    return {
        "get": get,
        "SecretNotFoundError": SecretNotFoundError,
        "NotebookAccessError": NotebookAccessError,
    }


def _nothing(*names: str) -> Callable[[], dict[str, Any]]:
    def do_nothing(*_args: object, **_kwargs: object) -> None:
        """What a page of Colab would do."""

    return lambda: dict.fromkeys(names, do_nothing)


def _patches() -> dict[str, Any]:
    def cv2_imshow(image: Any) -> None:
        import matplotlib.pyplot as plt

        plt.imshow(image[..., ::-1] if image.ndim == 3 else image, cmap="gray")
        plt.axis("off")
        plt.show()

    return {"cv2_imshow": cv2_imshow}


_MADE: dict[str, Callable[[], dict[str, Any]]] = {
    "google": dict,
    NAME: dict,
    f"{NAME}.drive": _drive,
    f"{NAME}.files": _files,
    f"{NAME}.userdata": _userdata,
    f"{NAME}.patches": _patches,
    f"{NAME}.auth": _nothing("authenticate_user"),
    f"{NAME}.output": _nothing(
        "clear", "eval_js", "enable_custom_widget_manager", "no_vertical_scroll"
    ),
    f"{NAME}.data_table": _nothing("enable_dataframe_formatter", "disable_dataframe_formatter"),
    f"{NAME}.runtime": _nothing("unassign"),
}
