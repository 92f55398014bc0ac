"""The files of a folder, in the same shape as the members of an archive."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from grader.intake.archive import is_opened_archive, read_archive
from grader.intake.content import RefusedFileError, Shelf, on_disk
from grader.intake.members import Member, RefusedMember, Wanted
from grader.intake.names import display_name, is_clutter
from grader.intake.notebook import MAX_FILE_BYTES
from grader.intake.zip_names import Naming

MAX_DEPTH = 32
MAX_FILES = 200_000


def folder_members(
    root: Path, *, wanted: Wanted, shelf: Shelf | None = None, naming: Naming | None = None
) -> Iterator[Member | RefusedMember]:
    """Yield what is in a folder and below it, sorted by name; archives in it are opened.

    Links to folders are never followed, links to files only inside `root`: a link that leads out
    would put any file of the instructor's machine into a submission. Pipes, sockets and devices
    are not opened, since reading them could hang. What archives hold is put on the `shelf`.
    """
    yield from _Walk(root.resolve(), wanted, shelf, naming).below(
        root.resolve(), prefix="", depth=0
    )


class _Walk:
    def __init__(
        self, root: Path, wanted: Wanted, shelf: Shelf | None, naming: Naming | None
    ) -> None:
        self._naming = naming
        self._root = root
        self._wanted = wanted
        self._shelf = shelf
        self._files = 0

    def below(self, folder: Path, *, prefix: str, depth: int) -> Iterator[Member | RefusedMember]:
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            reason = f"the folder cannot be read ({error.strerror})"
            yield RefusedMember(display_name(prefix or folder.name), reason, path=prefix[:-1])
            return
        for entry in entries:
            path = prefix + entry.name
            if is_clutter(path) or entry.name.startswith("."):
                continue
            self._files += 1
            if self._files > MAX_FILES or depth > MAX_DEPTH:
                reason = "the folder holds too many files" if depth <= MAX_DEPTH else "too deep"
                yield RefusedMember(display_name(path), f"{reason}; the rest was not read")
                return
            if entry.is_dir(follow_symlinks=False):
                yield Member(path, is_folder=True)
                yield from self.below(Path(entry.path), prefix=f"{path}/", depth=depth + 1)
            else:
                yield from self._file(Path(entry.path), path)

    def _file(self, file: Path, path: str) -> Iterator[Member | RefusedMember]:
        try:
            target = self._regular(file)
            if is_opened_archive(path):
                yield Member(path, is_folder=True)
                yield from read_archive(
                    target,
                    wanted=self._wanted,
                    prefix=f"{path}/",
                    shelf=self._shelf,
                    naming=self._naming,
                )
            elif self._wanted(path):
                content = on_disk(target, limit=MAX_FILE_BYTES)
                yield Member(path, content, modified=_modified(target))
            else:
                yield Member(path)
        except RefusedFileError as error:
            yield RefusedMember(display_name(path), str(error), path=path)

    def _regular(self, file: Path) -> Path:
        """Return the plain file behind a path, or refuse it."""
        try:
            is_link = file.is_symlink()
            target = file.resolve(strict=True) if is_link else file
            mode = target.lstat().st_mode
        except (OSError, RuntimeError) as error:
            raise RefusedFileError("it is a symbolic link that leads nowhere") from error
        if is_link and not target.is_relative_to(self._root):
            raise RefusedFileError("it is a symbolic link that leads out of the folder")
        if is_link and stat.S_ISDIR(mode):
            raise RefusedFileError("it is a symbolic link to a folder; these are not followed")
        if not stat.S_ISREG(mode):
            raise RefusedFileError("it is no regular file (a pipe, a socket or a device)")
        return target


def _modified(file: Path) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(file.stat().st_mtime, tz=dt.UTC)
    except (OSError, ValueError, OverflowError):
        return None
