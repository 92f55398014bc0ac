"""Students' pages laid out for a static web server: one unguessable name each, and no list."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import InfrastructureError, UsageError
from grader.report.files import write_pages
from grader.report.templates import render
from grader.storage import replace_folder

_MARK = "# Written by grader publish"
_ROBOTS = f"{_MARK}; it replaces the whole folder.\nUser-agent: *\nDisallow: /\n"
_NOTHING = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="robots" content="noindex, nofollow"><title>Nothing here</title></head>'
    "<body><p>There is no list here. Use the address that you were sent.</p></body></html>\n"
)
_LETTERS = 26


@dataclass(frozen=True)
class OwnPage:
    """One page of a student: its file name, what it is called, and its bytes on disk."""

    file: str
    title: str
    path: Path


def secret_name(key: bytes, student: str) -> str:
    """Return a student's name on the server: 130 bits that only the course's secret tells."""
    digest = hmac.digest(key, b"publish\0" + student.encode("utf-8", "surrogatepass"), "sha256")
    return base64.b32encode(digest).decode().lower()[:_LETTERS]


def lay_out(
    folder: Path,
    pages: Mapping[str, Sequence[OwnPage]],
    *,
    key: bytes,
    names: Mapping[str, str],
    course: str,
    now: dt.datetime,
    template_dirs: Sequence[Path] = (),
) -> dict[str, str]:
    """Write a folder anew, whole, and return each student's place in it.

    Args:
        folder: replaced if it was written here, else it must not be there.
        pages: by student.
        key: the course's secret; the same secret gives the same places.
        names: of students, for their own page.
        course: its title.
        now: shown as the date.
        template_dirs: a course's own templates.

    Raises:
        UsageError: the folder holds something else.
        InfrastructureError: it can't be written.
    """
    _check_ours(folder)
    places = {student: secret_name(key, student) for student in pages}
    files: dict[str, str | bytes] = {"robots.txt": _ROBOTS, "index.html": _NOTHING}
    fresh = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}")
    old = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}")
    try:
        write_pages(fresh, files)
        for student, own in pages.items():
            index = render(
                "report/own_pages.html.j2",
                {
                    "name": names.get(student) or student,
                    "course": course,
                    "pages": [(page.file, page.title) for page in own],
                    "now": now,
                },
                template_dirs,
            )
            content: dict[str, str | bytes] = {page.file: page.path.read_bytes() for page in own}
            write_pages(fresh / places[student], content | {"index.html": index})
        replace_folder(fresh, folder, old=old)
    except OSError as error:
        raise InfrastructureError(
            f"the pages cannot be laid out: {error.strerror}", where=folder
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
    return places


def _check_ours(folder: Path) -> None:
    """A mistyped path must not cost a folder of something else."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError("this is no folder", where=folder)
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    try:
        ours = (folder / "robots.txt").read_text(errors="replace").startswith(_MARK)
    except OSError:
        ours = False
    if not ours:
        raise UsageError(
            "the folder holds something that grader did not write",
            where=folder,
            hint="It would be replaced as a whole: name another.",
        )
