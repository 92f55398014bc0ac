"""Names that come from outside: of students, and of members of archives."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from grader.errors import UsageError

MAX_NAME = 100
MAX_COMPONENT_BYTES = 255
MAX_PATH_BYTES = 4096

_PUNCTUATION = frozenset(" ._-@+'(),")
_WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.I)

# The commonest Cyrillic and Greek letters that look like Latin ones.
_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһԛԝмтвнкгαεικνορτυχωıłøđ", "aeopcyxijsdhqwmtbhkraeikvoptuxwilod"
)


class UnsafeNameError(ValueError):
    """A path that no honest archive holds; the message is the reason."""


def student_id(raw: str) -> str:
    """Return the identifier of a student: safe as one component of a path, on every system.

    Letters, marks and digits of every script stay, and ``space . _ - @ + ' ( ) ,``; the name is
    normalised to NFC. Where anything else had to be replaced or cut off, eight hex digits of the
    raw name's hash are added, so that two students never become one. At most 100 characters.
    """
    name = " ".join(unicodedata.normalize("NFC", raw).split())
    safe = "".join(c if _may_stay(c) else "_" for c in name)
    # A leading dot hides a folder, a leading dash reads as an option, Windows drops a last dot.
    safe = re.sub(r"^[.\-+@' ,]+|[. ]+$", "_", safe)
    fits = len(safe) <= MAX_NAME and len(safe.encode()) <= MAX_COMPONENT_BYTES - 20
    if safe == name and _reads_as_a_name(safe) and fits:
        return safe
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    stem = safe[: MAX_NAME - 9]
    while len(stem.encode()) > MAX_COMPONENT_BYTES - 40:
        stem = stem[:-1]
    if not _reads_as_a_name(stem):
        stem = "student"
    return unicodedata.normalize("NFC", f"{stem.rstrip(' .')}-{digest}")


def _reads_as_a_name(text: str) -> bool:
    """A letter or digit is in it, no accent floats before it, and Windows knows no such device."""
    kinds = [unicodedata.category(c)[0] for c in text]
    return bool({"L", "N"} & set(kinds)) and kinds[0] != "M" and not _WINDOWS_DEVICE.fullmatch(text)


def _may_stay(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" or character in _PUNCTUATION


def look_alikes(students: Iterable[str]) -> list[tuple[str, ...]]:
    """Return groups of different identifiers that a person would take for the same.

    Compared without case, accents, width, spaces and punctuation, and with the common Cyrillic
    and Greek doubles of Latin letters. They are to be reported, never merged.
    """
    groups: dict[str, set[str]] = {}
    for student in students:
        groups.setdefault(_skeleton(student), set()).add(student)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def _skeleton(name: str) -> str:
    lowered = unicodedata.normalize("NFKD", name.casefold()).casefold().translate(_LOOK_ALIKES)
    kept = "".join(c for c in lowered if unicodedata.category(c)[0] in "LN")
    return kept or name


def safe_member_path(raw: str) -> str:
    """Return the path of an archive's member, relative and normalised, with ``/``.

    Raises:
        UnsafeNameError: the name is one that an attack uses; nothing is repaired, since a
            repaired name could be another student's.
    """
    if any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in raw):
        raise UnsafeNameError("the name holds control characters")
    if _has_direction_override(raw):
        raise UnsafeNameError("the name holds characters that change the reading direction")
    if "\\" in raw:
        raise UnsafeNameError("the name holds a backslash")
    if raw.startswith("/"):
        raise UnsafeNameError("the path is absolute")
    if re.match(r"[A-Za-z]:", raw):
        raise UnsafeNameError("the path starts with a drive letter")
    parts = [part for part in unicodedata.normalize("NFC", raw).split("/") if part not in {"", "."}]
    if ".." in parts:
        raise UnsafeNameError("the path leads out of the archive (..)")
    if not parts:
        raise UnsafeNameError("the name is empty")
    if any(len(part.encode()) > MAX_COMPONENT_BYTES for part in parts):
        raise UnsafeNameError(f"the name is longer than {MAX_COMPONENT_BYTES} bytes")
    if sum(len(part.encode()) + 1 for part in parts) > MAX_PATH_BYTES or len(parts) > 64:
        raise UnsafeNameError("the path is too long")
    return "/".join(parts)


def checked_assignment_name(assignment: str) -> str:
    """Return a name that an assignment's folder can have.

    Raises:
        UsageError: it can't.
    """
    try:
        safe = safe_member_path(assignment)
    except UnsafeNameError as error:
        raise UsageError(f"not the name of an assignment: {error}", where=assignment) from error
    if "/" in safe or safe.startswith(".") or len(safe) > MAX_NAME:
        raise UsageError("not the name of an assignment", where=assignment)
    return safe


def _has_direction_override(text: str) -> bool:
    """Say whether a name could be shown as another, as "gpj.exe" can be shown as "exe.jpg"."""
    return any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in text)


def display_name(raw: str) -> str:
    """Return a name as it can be printed on a terminal: escaped where it must be, and short."""
    shown = "".join(
        c if c.isprintable() and not _has_direction_override(c) else ascii(c)[1:-1] for c in raw
    )
    return shown if len(shown) <= 200 else f"{shown[:150]}…{shown[-40:]}"


def is_clutter(path: str) -> bool:
    """Say whether a path is what operating systems and Jupyter leave behind, not handed in."""
    parts = PurePosixPath(path).parts
    clutter = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints", "Thumbs.db", "desktop.ini"}
    return any(part in clutter or part.startswith("._") for part in parts)
