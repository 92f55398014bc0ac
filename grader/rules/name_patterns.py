"""What a name of a rule covers: the thing itself, what lies below it, and its other spellings."""

from __future__ import annotations

import functools
import inspect
import re
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from grader.rules.evaluation import UNKNOWN
from grader.rules.libraries import ABSENT, is_function, is_module, normalise, object_at, qualified
from grader.rules.operators import operators_of

_HOMES = ("torch", "torch.Tensor", "torch.nn.functional", "torch.special", "torch.linalg")
_SAME = (
    frozenset({"torch.Tensor.backward", "torch.autograd.backward"}),
    frozenset({"torch.sigmoid", "torch.special.expit"}),
    frozenset({"torch.digamma", "torch.special.psi"}),
    frozenset({"torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_norm"}),
)


@dataclass(frozen=True)
class Covered:
    """A name of a rule, as it is looked for in source and in a trace.

    `spellings` are full names of the same function; `methods` its names on a tensor; `operators`
    what torch runs for it and for nothing else.
    """

    name: str
    spellings: frozenset[str]
    methods: frozenset[str]
    operators: frozenset[str]

    def matches(self, path: str) -> bool:
        """Say whether a dotted name, as source or a trace has it, is this or lies below it."""
        path = normalise(path)
        if path.startswith(f"{UNKNOWN}."):
            return self._matches_end(path)
        if path.startswith("torch.ops.aten."):
            operator = path.removeprefix("torch.ops.aten.").partition(".")[0]
            return self.runs(operator) or path in self.spellings
        if is_module(path):
            return False
        return any(self._is(prefix) for prefix in _prefixes(path))

    def runs(self, operator: str) -> bool:
        """Say whether an operator, such as `_softmax`, tells of it."""
        return operator in self.operators

    def below(self, path: str) -> bool:
        """Say whether this is something within a module or class of that name."""
        return any(s.startswith(f"{path}.") for s in (self.name, *self.spellings))

    def _is(self, path: str) -> bool:
        if path in self.spellings:
            return True
        found = object_at(path)
        return found is not ABSENT and _is_within(found, object_at(self.name))

    def _matches_end(self, path: str) -> bool:
        """`x.softmax` of an unknown x; or an end that says enough, such as `functional.softmax`."""
        parts = path.split(".")[1:]
        if parts[-1] in self.methods:
            return True
        ends = {".".join(parts[start:]) for start in range(len(parts) - 1)}
        return any(spelling.endswith(f".{end}") for end in ends for spelling in self.spellings)


@functools.lru_cache(maxsize=512)
def covered(name: str) -> Covered:
    """Find out what a name covers. It must exist; torch must have been imported."""
    if "." not in name and object_at(f"builtins.{name}") is not ABSENT:
        name = f"builtins.{name}"
    found = object_at(name)
    spellings = {name}
    if qualified(found).startswith(("torch.", "numpy.")):
        spellings.add(normalise(qualified(found)))
    for same in _SAME:
        if name in same:
            spellings |= same
    home, _, last = name.rpartition(".")
    if home not in _HOMES or not (is_function(found) or home == "torch.Tensor"):
        methods = {s.removeprefix("torch.Tensor.") for s in spellings if "torch.Tensor." in s}
        if home == "numpy.ndarray":
            methods.add(last)
        return Covered(name, frozenset(spellings), frozenset(methods), frozenset())
    spelled = {f"{home}.{last}" for home in _HOMES} | {f"{home}.{last}_" for home in _HOMES}
    methods = {m for m in (last, f"{last}_") if object_at(f"torch.Tensor.{m}") is not ABSENT}
    operators = operators_of(last)
    spelled |= {f"torch.ops.aten.{operator}" for operator in operators}
    spellings |= spelled | _layers(last)
    return Covered(name, frozenset(spellings), frozenset(methods), operators)


def _layers(function: str) -> set[str]:
    """The layers of torch.nn that do what a function does: `nn.Softmax` for `softmax`."""
    wanted = function.replace("_", "")
    layers = vars(object_at("torch.nn")).items()
    found = [(n, c) for n, c in layers if inspect.isclass(c) and wanted in _names_of_layer(n)]
    return {f"torch.nn.{n}" for n, _ in found} | {qualified(c) for _, c in found}


def _names_of_layer(name: str) -> set[str]:
    lower = name.lower()
    return {lower, lower.removesuffix("loss"), re.sub(r"\dd$", "", lower)}


def _prefixes(path: str) -> list[str]:
    """The name and what it lies in: a method of a class is of the class."""
    parts = path.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _is_within(found: Any, wanted: Any) -> bool:
    """Say whether something is what is wanted, a kind of it, or a part of the module wanted."""
    if wanted is ABSENT or isinstance(found, ModuleType):
        return found is wanted
    if found is wanted:
        return True
    if inspect.isclass(found) and inspect.isclass(wanted):
        return issubclass(found, wanted)
    if isinstance(wanted, ModuleType) and callable(found):
        return id(found) in _parts(wanted.__name__)
    return False


@functools.lru_cache(maxsize=256)
def _parts(module: str) -> frozenset[int]:
    """What a module offers: not what it has imported for itself, such as `Tensor` and `cast`."""
    held = vars(object_at(module))
    offered = held.get("__all__")
    if offered is None:
        offered = [n for n, v in held.items() if not n.startswith("_") and _is_of(v, module)]
    found = [held[name] for name in offered if name in held]
    return frozenset(id(value) for value in found if callable(value))


def _is_of(found: Any, module: str) -> bool:
    """Say whether it is a module's own; of what is not written in Python one can't tell."""
    if not inspect.isclass(found) and not inspect.isfunction(found):
        return True
    return f"{found.__module__}.".startswith(f"{module}.")
