"""Names that tell nothing about a student, and stay the same through a course."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from grader.errors import InfrastructureError

KEY_NAME = ".pseudonyms.key"
_KEY_BYTES = 32


def pseudonyms(students: Iterable[str], *, root: Path) -> dict[str, str]:
    """Return a name such as `K7QX2M` for each student.

    It is made with a secret that stays in the course directory: who knows the class's names and
    not the secret can't find out whose it is. The same students always get the same names.

    Raises:
        InfrastructureError: the secret can't be read or written.
    """
    key = _key(root / KEY_NAME)
    full = {student: _letters(key, student) for student in students}
    length = 6
    while len({name[:length] for name in full.values()}) < len(full):
        length += 1
    return {student: name[:length] for student, name in full.items()}


def _letters(key: bytes, student: str) -> str:
    digest = hmac.digest(key, student.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.b32encode(digest).decode().rstrip("=")


def _key(path: Path) -> bytes:
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = secrets.token_bytes(_KEY_BYTES)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key)
    except OSError as error:
        raise InfrastructureError(
            f"the secret of the pseudonyms cannot be kept: {error.strerror}", where=path
        ) from error
    if len(key) != _KEY_BYTES:
        raise InfrastructureError(
            "the secret of the pseudonyms is damaged",
            where=path,
            hint="Restore it from a copy. Without it, everybody gets another pseudonym: remove it "
            "only if that does no harm.",
        )
    return key
