"""What other packages bring along, found by the entry points that they name."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import entry_points
from typing import TypeVar

from grader.errors import UsageError

Plugin = TypeVar("Plugin")


def load_plugins(group: str, kind: type[Plugin], taken: Collection[str]) -> list[Plugin]:
    """Make one of each class that installed packages name under `group`.

    Args:
        group: of entry points.
        kind: what each must be; it has a `name`.
        taken: names that are used already.

    Raises:
        UsageError: one can't be loaded, is of another kind, or has no name of its own.
    """
    found: list[Plugin] = []
    names = set(taken)
    for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value)):
        try:
            made = point.load()()
        except Exception as error:
            said = f"can't be loaded: {type(error).__name__}: {str(error)[:200]}"
            raise _unusable(point.value, group, said) from error
        name = getattr(made, "name", "")
        if not isinstance(made, kind) or not name or name in names:
            said = (
                f"can't be used: it is no {kind.__module__}.{kind.__name__} with a name of its own"
            )
            raise _unusable(point.value, group, said)
        found.append(made)
        names.add(name)
    return found


def _unusable(value: str, group: str, said: str) -> UsageError:
    hint = f"It comes with a package that names it under {group!r}; fix or remove that."
    return UsageError(f"the system {value} {said}", hint=hint)
