"""Pages on disk: whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from grader.errors import InfrastructureError


def write_pages(folder: Path, pages: Mapping[str, str | bytes]) -> list[Path]:
    """Write files into a folder, each atomically: a reader sees the old one or the new one.

    Args:
        folder: made when it is missing.
        pages: content by name relative to the folder, such as "students/ada.html".

    Raises:
        InfrastructureError: a name leads out of the folder, or a file can't be written.
    """
    written = []
    for name, content in pages.items():
        path = folder / name
        # Names are made of students' names: none may climb out of the folder.
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise InfrastructureError(
                "a page's name leads out of its folder", where=name, hint="Use a plain file name."
            )
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_atomically(path, data)
        except OSError as error:
            raise InfrastructureError(
                f"the page cannot be written: {error.strerror}",
                where=path,
                hint="Check that the folder is writable and the disk is not full, then run "
                "`grader report` again: the marks are in the gradebook.",
            ) from error
        written.append(path)
    return written


def _write_atomically(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
