"""TOML files of an instructor, read strictly: every error names file, key and what was expected."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import types
import typing
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from grader.errors import SpecError
from grader.points import to_points
from grader.suggestions import did_you_mean

Struct = TypeVar("Struct", bound=msgspec.Struct)

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)
_AT = re.compile(r" - at `\$\.?(?P<key>.*)`$", re.DOTALL)

_NOUNS = {
    "array": "a list",
    "bool": "true or false",
    "date": "a date such as 2024-10-30",
    "datetime": "a date and time such as 2024-10-30T23:59:00+03:00",
    "decimal": "a number with at most two decimals",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "a text in quotes",
}


OPEN = "open"


def read_struct(
    path: Path,
    struct: type[Struct],
    *,
    left_open: list[str] | None = None,
    whole_days: bool = False,
) -> Struct:
    """Read a TOML file into a struct; fields of type Decimal are points, exact in hundredths.

    Args:
        path: the file.
        struct: what it must fit.
        left_open: takes the keys whose value is the word "open" where no text is expected;
            the fields keep their defaults. Without a list that word is a fault like any other.
        whole_days: a date alone is taken for the end of that day where a time is expected.

    Raises:
        SpecError: the file cannot be read, is not TOML, or does not fit the struct.
    """
    data = _read_toml(path)
    try:
        exact = _TomlReading(path, left_open, whole_days).converted(data, struct, "")
        return msgspec.convert(exact, struct, builtin_types=(Decimal,))
    except msgspec.ValidationError as error:
        raise _explained(path, struct, str(error)) from error


def wrong_key(path: Path, key: str, what: str, *, hint: str | None = None) -> SpecError:
    """Make the error that a key of a file is wrong."""
    return SpecError(f"{key}: {what}", where=path, hint=hint)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read the file: {error}", where=path) from error
    try:
        # A float would lose the exactness of points such as 0.1.
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        line = at[1] if at else len(text.splitlines())
        raise SpecError(f"not valid TOML: {error}", where=f"{path}:{line}") from error
    except RecursionError as error:
        raise SpecError(
            "not valid TOML: lists or tables are nested too deep", where=path
        ) from error


@dataclass(frozen=True)
class _TomlReading:
    """How values are made exact: points, floats, open facts and dates; the shape stays."""

    path: Path
    left_open: list[str] | None
    whole_days: bool

    def converted(self, value: Any, wanted: Any, key: str) -> Any:
        struct = _struct_of(wanted)
        if isinstance(value, dict):
            return self._table(value, wanted, struct, key)
        if isinstance(value, list):
            item_type = (typing.get_args(_plain(wanted)) or (None,))[0]
            return [self.converted(v, item_type, f"{key}[{i}]") for i, v in enumerate(value)]
        plain = _plain(wanted)
        if plain is Decimal:
            return _exact_points(value, self.path, key)
        if self.whole_days and plain is dt.datetime and type(value) is dt.date:
            return dt.datetime.combine(value, dt.time(23, 59, 59))
        return float(value) if isinstance(value, Decimal) else value

    def _table(
        self, table: dict[str, Any], wanted: Any, struct: type[msgspec.Struct] | None, key: str
    ) -> dict[str, Any]:
        hints = _hints(struct) if struct else {}
        # A dict[str, Decimal] has one type for all its values.
        every = None if struct else (typing.get_args(_plain(wanted)) or (None,))[-1]
        read = {}
        for name, value in table.items():
            own, kind = f"{key}.{name}".lstrip("."), hints.get(name, every)
            if self.left_open is not None and value == OPEN and _may_be_open(kind):
                self.left_open.append(own)
            else:
                read[name] = self.converted(value, kind, own)
        return read


def _may_be_open(wanted: Any) -> bool:
    return wanted is not None and _plain(wanted) is not str


def _exact_points(value: Any, path: Path, key: str) -> Decimal:
    try:
        number = None if isinstance(value, bool) else Decimal(str(value))
    except ArithmeticError:
        number = None
    # TOML has inf and nan; more than a million is a slip of the hand.
    if number is None or not number.is_finite() or abs(number) > 1_000_000:
        raise wrong_key(path, key, f"expected {_NOUNS['decimal']}, got {value!s}")
    if to_points(number) != number:
        raise wrong_key(path, key, f"expected at most two decimals, got {value!s}")
    return to_points(number)


def _explained(path: Path, struct: type[msgspec.Struct], message: str) -> SpecError:
    """Turn msgspec's message into file, key, what was expected, and the nearest right name."""
    at = _AT.search(message)
    parent = at["key"] if at else ""
    message = _AT.sub("", message)
    unknown, missing = _UNKNOWN.match(message), _MISSING.match(message)
    if unknown or missing:
        name = (unknown or missing)["name"]  # type: ignore[index]
        key = f"{parent}.{name}".lstrip(".")
        owner = _struct_of(_type_at(struct, parent)) or struct
        fields = list(owner.__struct_fields__)
        if missing:
            return wrong_key(path, key, "this key is missing")
        return wrong_key(path, key, "no such key", hint=did_you_mean(name, fields))
    choices = _choices(_type_at(struct, parent))
    if choices:
        return wrong_key(path, parent, f"expected {choices}")
    return wrong_key(path, parent or "the file", _plainly(message))


def _plainly(message: str) -> str:
    """Write "Expected `str`, got `int`" for people who know TOML and not Python."""
    words = re.sub(
        r"`([^`]+)`",
        lambda m: " or ".join(_NOUNS.get(t, t) for t in m[1].split(" | ") if t != "null"),
        message,
    )
    return words[:1].lower() + words[1:]


def _type_at(struct: type[msgspec.Struct], key: str) -> Any:
    """Follow a dotted key such as `questions[2].points` down to its type."""
    wanted: Any = struct
    for name, _index in _STEP.findall(key):
        if not name:
            wanted = (typing.get_args(_plain(wanted)) or (None,))[0]
        else:
            owner = _struct_of(wanted)
            wanted = _hints(owner).get(name) if owner else None
    return wanted


@lru_cache
def _hints(struct: type) -> dict[str, Any]:
    return typing.get_type_hints(struct)


def _plain(wanted: Any) -> Any:
    """Take `| None` off a type."""
    if isinstance(wanted, types.UnionType) or typing.get_origin(wanted) is typing.Union:
        rest = [arg for arg in typing.get_args(wanted) if arg is not type(None)]
        return rest[0] if len(rest) == 1 else wanted
    return wanted


def _struct_of(wanted: Any) -> type[msgspec.Struct] | None:
    plain = _plain(wanted)
    is_struct = isinstance(plain, type) and issubclass(plain, msgspec.Struct)
    return plain if is_struct else None


def _choices(wanted: Any) -> str:
    """List what a Literal allows, as it is written in TOML; empty for other types."""
    arms = [arg for arg in typing.get_args(wanted) if arg is not type(None)]
    if typing.get_origin(wanted) is typing.Literal:
        return " or ".join(f'"{arm}"' for arm in arms)
    if not any(typing.get_origin(arm) is typing.Literal for arm in arms):
        return ""
    return " or ".join("true or false" if arm is bool else _choices(arm) for arm in arms)
