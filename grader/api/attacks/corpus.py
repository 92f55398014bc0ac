"""The attacks that ship: each a file of the cell that a dishonest student would add.

`cells/NAME.py` gives, in place of what the student should write, something that is made without
solving anything. It begins with a header of TOML between `# /// attack` and `# ///`, in the form of
PEP 723: see `_Header`. `cells/parts/` holds what several of them need, each a cell before theirs:

- `prelude`, which all of them have: `_replace(answer)` puts `answer(name, args, kwargs)` in the
  place of every name that is left to students, which `_NAMES` holds;
- `reference`: `right(…)` is what the reference returns, for attacks that keep the shape of a right
  answer and nothing else of it;
- `spoiled`, `reads`, `liar`, `suite`, `tensors`, `published`: as their first lines say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

_HEADER = "# /// attack\n"
_HEADER_ENDS = "# ///\n"
_CELLS = files("grader.api.attacks") / "cells"
_REFERENCE = "reference"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One way to earn points without the work."""

    name: str
    kind: str
    """What attacks of this kind have in common, as docs and lists show it."""
    what: str
    """Completes "… earned 2 points"."""
    code: str
    needs: tuple[str, ...] = ()
    """The parts that it needs, in their order."""

    def cells(self, names: Mapping[str, str], reference: str) -> list[str]:
        """The sources of the cells to add.

        Args:
            names: what is left to students, and whether each is a "function" or a "class".
            reference: the source of the reference, in percent format.
        """
        found = [f"_NAMES = {dict(names)!r}\n{_part('prelude')}"]
        for part in self.needs:
            given = f"_REFERENCE = {reference!r}\n" if part == _REFERENCE else ""
            found.append(given + _part(part))
        return [*found, self.code]


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The header of an attack's file."""

    kind: str
    what: str
    needs: tuple[str, ...]


@cache
def shipped_attacks() -> tuple[Attack, ...]:
    """Every attack that `grader validate --attacks` tries, by name."""
    found = [
        read_attack(file.name.removesuffix(".py"), file.read_text(encoding="utf-8"))
        for file in _CELLS.iterdir()
        if file.name.endswith(".py")
    ]
    return tuple(sorted(found, key=lambda attack: attack.name))


def read_attack(name: str, text: str) -> Attack:
    """Read an attack's file.

    Raises:
        ValueError: it has no header, or not such a one.
    """
    begin, _, rest = text.partition(_HEADER)
    commented, ends, code = rest.partition(_HEADER_ENDS)
    if begin or not ends:
        raise ValueError(f"{name}.py does not begin with {_HEADER!r} and what it is")
    toml = "\n".join(line.removeprefix("# ") for line in commented.splitlines())
    header = msgspec.toml.decode(toml, type=_Header)
    return Attack(
        name=name, kind=header.kind, what=header.what, needs=header.needs, code=code.strip()
    )


@cache
def _part(name: str) -> str:
    return (_CELLS / "parts" / f"{name}.py").read_text(encoding="utf-8").strip()
