"""Files on their way in: bounded, under names of ours, and forgotten after an hour.

What is uploaded lies in a folder with a random name until its owner says that it counts; nothing
of it is a hand-in before.
"""

from __future__ import annotations

import datetime as dt
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from grader.errors import InfrastructureError, UsageError
from grader.intake.archive import is_archive_name
from grader.intake.names import UnsafeNameError, safe_member_path, student_id

KEPT_S = 3600.0
MAX_FILES = 50
_RECORD = "upload.json"
_FILES = "files"
_PIECE = 1 << 20
NOTHING_HANDED_IN = "Nothing was handed in. Try again later; tell the course staff if it stays so."


class UploadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Whose an upload is, and for what; `key` is the form's, so that it counts once."""

    account: int
    course: str
    assignment: str
    student: str
    key: str
    at: dt.datetime


@dataclass(frozen=True)
class Upload:
    """Files that were uploaded; `files` holds what `api.receiving.look_at` looks at."""

    name: str
    folder: Path
    record: UploadRecord

    @property
    def files(self) -> Path:
        """Holds one folder, or archive, with the student's name."""
        return self.folder / _FILES

    def forget(self) -> None:
        """Remove the files."""
        shutil.rmtree(self.folder, ignore_errors=True)


def keep_upload(
    root: Path, record: UploadRecord, files: Sequence[tuple[str, BinaryIO]], *, max_bytes: int
) -> Upload:
    """Put uploaded files where they can be looked at.

    A single archive stays one; else all files lie in one folder with the student's name.

    Raises:
        UsageError: there is none, there are too many, they are too large, or whose they are names
            no folder: staff are called as their login is, which may lead anywhere.
        InfrastructureError: the disk refuses.
    """
    chosen = [(name, file) for name, file in files if name]
    if not chosen:
        raise UsageError("no file was chosen", hint="Choose your notebook, the .ipynb file.")
    if len(chosen) > MAX_FILES:
        raise UsageError(
            f"{len(chosen)} files are too many", hint=f"Pack them into a zip, or up to {MAX_FILES}."
        )
    if student_id(record.student) != record.student:
        raise UsageError(
            f"{record.student!r} can hand nothing in: of this id no folder is made",
            hint="Another id takes letters, digits and . _ - @.",
        )
    name = secrets.token_urlsafe(16)
    upload = Upload(name, root / name, record)
    try:
        upload.files.mkdir(parents=True, mode=0o700)
        (upload.folder / _RECORD).write_bytes(msgspec.json.encode(record))
        left = max_bytes
        for path, file in _places(upload.files, record.student, chosen):
            left -= _copy(file, path, left)
    except OSError as error:
        upload.forget()
        raise InfrastructureError(
            f"the files can't be kept: {error.strerror}",
            hint=NOTHING_HANDED_IN,
        ) from error
    except BaseException:
        upload.forget()
        raise
    return upload


def find_upload(root: Path, name: str, *, account: int) -> Upload | None:
    """Return an upload of this person's, or None: there is none (any more)."""
    if not name or len(name) > 40 or not name.replace("-", "").replace("_", "").isalnum():
        return None
    folder = root / name
    try:
        record = msgspec.json.decode((folder / _RECORD).read_bytes(), type=UploadRecord)
    except (OSError, msgspec.DecodeError):
        return None
    return Upload(name, folder, record) if record.account == account else None


def forget_old(root: Path) -> None:
    """Remove uploads that nobody came back to."""
    for folder in root.iterdir():
        try:
            if time.time() - folder.stat().st_mtime > KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            continue


def _places(
    root: Path, student: str, chosen: Sequence[tuple[str, BinaryIO]]
) -> list[tuple[Path, BinaryIO]]:
    if len(chosen) == 1 and is_archive_name(chosen[0][0]):
        name = chosen[0][0].lower()
        suffix = ".tar.gz" if name.endswith(".tar.gz") else f".{name.rpartition('.')[2]}"
        return [(root / f"{student}{suffix}", chosen[0][1])]
    places = {}
    for name, file in chosen:
        try:
            path = root / student / safe_member_path(name.replace("\\", "/").rpartition("/")[2])
        except UnsafeNameError as error:
            raise UsageError(f"a file's name can't be used: {error}") from error
        if path in places:
            raise UsageError(f"two files are called {path.name}")
        places[path] = file
    return list(places.items())


def _copy(source: BinaryIO, target: Path, most: int) -> int:
    """Copy a file of up to `most` bytes and return its size."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with target.open("xb") as out:
        while piece := source.read(_PIECE):
            size += len(piece)
            if size > most:
                raise UsageError("the files are too large", hint="Clear outputs, leave out data.")
            out.write(piece)
    return size
