"""Names that tell nothing about a student, and stay the same through a course."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from grader.course.secret import kept_secret

KEY_NAME = ".pseudonyms.key"


def pseudonyms(students: Iterable[str], *, root: Path) -> dict[str, str]:
    """Return a name such as `K7QX2M` for each student.

    It is made with a secret that stays in the course directory: who knows the class's names and
    not the secret can't find out whose it is. The same students always get the same names.

    Raises:
        InfrastructureError: the secret can't be read or written.
    """
    key = kept_secret(root / KEY_NAME, of="the pseudonyms")
    full = {student: _letters(key, student) for student in students}
    length = 6
    while len({name[:length] for name in full.values()}) < len(full):
        length += 1
    return {student: name[:length] for student, name in full.items()}


def _letters(key: bytes, student: str) -> str:
    digest = hmac.digest(key, student.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.b32encode(digest).decode().rstrip("=")
