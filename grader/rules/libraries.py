"""What a dotted name stands for on the judge's side: found without running a library's code."""

from __future__ import annotations

import builtins
import functools
import importlib
import importlib.util
import inspect
import sys
from types import ModuleType
from typing import Any

from grader.suggestions import perhaps

ABSENT = object()
_ROOTS = frozenset({"torch", "numpy", "builtins"})
_WRITTEN_OTHERWISE = (
    ("torch._C._special.special_", "torch.special."),
    ("torch._C._linalg.linalg_", "torch.linalg."),
    ("torch._C._fft.fft_", "torch.fft."),
    ("torch._C._nn.", "torch.nn.functional."),
    ("torch._C._VariableFunctions.", "torch."),
    ("torch._VariableFunctionsClass.", "torch."),
    ("torch._VF.", "torch."),
    ("torch._C.TensorBase.", "torch.Tensor."),
    ("torch._C._TensorBase.", "torch.Tensor."),
    ("torch._tensor.Tensor.", "torch.Tensor."),
)


def normalise(path: str) -> str:
    """Write a name of torch's inner modules as it is known."""
    for inner, known in _WRITTEN_OTHERWISE:
        if path.startswith(inner):
            return known + path.removeprefix(inner)
    return path


@functools.lru_cache(maxsize=4096)
def object_at(path: str) -> Any:
    """What a library has under a dotted name, or ABSENT.

    The name may be a student's: only namespaces are looked into, nothing is imported or called.
    """
    root, *rest = path.split(".")
    found: Any = sys.modules.get(root, ABSENT) if root in _ROOTS else ABSENT
    for part in rest:
        found = _member(found, part)
        if found is ABSENT:
            return ABSENT
    return found


def _member(holder: Any, name: str) -> Any:
    if isinstance(holder, ModuleType):
        return vars(holder).get(name, ABSENT)
    if isinstance(holder, type):
        for base in holder.__mro__:
            if name in vars(base):
                return vars(base)[name]
    return ABSENT


def is_module(path: str) -> bool:
    """Say whether a name is that of a module, which by itself does nothing."""
    return isinstance(object_at(path), ModuleType)


def why_unknown(name: str, libraries: tuple[str, ...]) -> str:
    """Say what is wrong with a name that an instructor wrote; empty when it exists.

    Args:
        name: dotted, such as `torch.nn.Linear`; a name without a dot is Python's own.
        libraries: what the box has beyond torch and numpy; they need not be installed here.
    """
    parts = name.split(".")
    if len(parts) == 1 and hasattr(builtins, name):
        return ""
    if len(parts) == 1 and importlib.util.find_spec(name) is None:
        return f"Python has no {name!r}; expected a full name such as torch.nn.functional.softmax"
    found, known = _imported(parts)
    if not known:
        if libraries and parts[0] not in _ROOTS:
            return ""  # it is installed in the box alone
        return f"there is no library {parts[0]!r} here{perhaps(parts[0], sorted(_ROOTS))}"
    for place in range(known, len(parts)):
        holder, part = found, parts[place]
        found = getattr(holder, part, ABSENT)
        if found is ABSENT:
            return f"{'.'.join(parts[:place])} has no {part!r}{perhaps(part, dir(holder))}"
    return ""


def _imported(parts: list[str]) -> tuple[Any, int]:
    """Import the longest module that a name begins with; return it and how many parts it took."""
    found, known = None, 0
    for place in range(1, len(parts) + 1):
        name = ".".join(parts[:place])
        try:
            if importlib.util.find_spec(name) is None:
                break
            found, known = importlib.import_module(name), place
        except (ImportError, ValueError, AttributeError):
            break
    return found, known


def qualified(found: Any) -> str:
    """The name under which a library defines something, or an empty text."""
    module, name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    if isinstance(name, str) and "<locals>" in name:
        # One of several that a function makes, such as `max_pool2d`, which bears its own name.
        name = getattr(found, "__name__", None)
    return f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else ""


def is_function(found: Any) -> bool:
    """Say whether it can be called and is no class."""
    return callable(found) and not inspect.isclass(found)
