"""Secrets of a course: made when they are first needed, kept in its directory for one person."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from grader.errors import InfrastructureError

_KEY_BYTES = 32
_WRITTEN_S = 5.0
SEEDS_KEY_NAME = ".seeds.key"


def kept_secret(path: Path, *, of: str) -> bytes:
    """Return the secret that a file holds, made with mode 600 where there is none.

    Args:
        path: of the file.
        of: what it is for, such as "the pseudonyms".

    Raises:
        InfrastructureError: it can't be read or written, or is damaged.
    """
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = _written(path)
        else:
            key = secrets.token_bytes(_KEY_BYTES)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key)
    except OSError as error:
        raise InfrastructureError(
            f"the secret of {of} cannot be kept: {error.strerror}", where=path
        ) from error
    if len(key) != _KEY_BYTES:
        raise InfrastructureError(
            f"the secret of {of} is damaged",
            where=path,
            hint="Restore it from a copy. If you remove it, a new one is made, and what depends "
            "on it changes: do so only if that does no harm.",
        )
    return key


def _written(path: Path) -> bytes:
    """Read a secret; an empty file is one that another process or thread is about to write."""
    until = time.monotonic() + _WRITTEN_S
    while not (key := path.read_bytes()) and time.monotonic() < until:
        time.sleep(0.02)
    return key


def seeds_key(course_root: Path, *, make: bool = True) -> bytes:
    """Return the secret that hidden suites' random inputs hang on; b"" where none may be made.

    Without it a seed that somebody guesses, such as the course's number, would tell them.
    """
    if not make and not (course_root / SEEDS_KEY_NAME).exists():
        return b""
    return kept_secret(course_root / SEEDS_KEY_NAME, of="the random inputs")
