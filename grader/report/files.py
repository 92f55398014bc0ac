"""Pages on disk: whole or not at all, under names that no student can choose."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from grader.errors import InfrastructureError
from grader.storage import write_atomically

LEADERBOARD = "leaderboard.html"

# A plain name that ends like a hash could be chosen to be another student's file.
_PLAIN_NAME = re.compile(r"(?!(?:.*-)?[0-9a-f]{12}$)[a-z0-9][a-z0-9_-]{0,59}")


def file_name(student: str) -> str:
    """Return a file name for a student, without suffix: plain ASCII, one for each student.

    A name that isn't plain already gets a piece of its hash, so that two students never share a
    file, not even where the file system ignores case, and none names a file elsewhere.
    """
    if _PLAIN_NAME.fullmatch(student):
        return student
    ascii_only = unicodedata.normalize("NFKD", student.casefold()).encode("ascii", "ignore")
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only.decode())[:47].strip("-")
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{slug}-{digest}" if slug else digest


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
            write_atomically(path, data)
        except OSError as error:
            raise InfrastructureError(
                f"the page cannot be written: {error.strerror}",
                where=path,
                hint="Check that the folder is writable and the disk is not full, then run "
                "`grader report` again: the marks are in the gradebook.",
            ) from error
        written.append(path)
    return written
