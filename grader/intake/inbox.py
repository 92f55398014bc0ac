"""An inbox: a drop box that students of one machine can hand in to, without a server.

    INBOX/.grader-inbox     what it is, and which assignments it takes
    INBOX/tries/            3773: anybody may put a file in, nobody but the staff may look
    INBOX/receipts/         2771: signed when the staff collect, one for each try

A student's process writes a try as the student, so whatever a student may do, a try may be. What
holds is what the kernel holds: the folder can't be listed and names can't be guessed, so nobody
finds another's try; a file is readable by its owner and the staff's group; the sticky bit lets only
its owner (and the staff) remove or rename it. No secret lies in an inbox.

A try is one file: a line of JSON, the notebook, and what lies beside it, end to end, as long as the
line says. Its name begins with the hash of all that, so that content can't change without another
name, and a rename moves the file's change time, which no user can set back.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from grader.errors import InfrastructureError, SubmissionError, UsageError
from grader.intake.accepted_files import MAX_FILES, AcceptedFiles, Taken
from grader.intake.advice import advice
from grader.intake.content import RefusedFileError, read_regular_file
from grader.intake.json_values import value_or_none
from grader.intake.names import MAX_NAME, checked_assignment_name, display_name
from grader.intake.notebook import MAX_FILE_BYTES, ReadNotebook, read_notebook
from grader.intake.receipt import FileReceipt, Receipt
from grader.storage import write_atomically

MARK = ".grader-inbox"
TRIES = "tries"
RECEIPTS = "receipts"
MAX_HEADER_BYTES = 16 * 1024
MAX_TRY_BYTES = 2**30

_SHARED = {TRIES: 0o3773, RECEIPTS: 0o2771}
_TRY_MODE = 0o440
_MAX_MARK_BYTES = 2**20


class _Mark(msgspec.Struct, frozen=True, kw_only=True):
    """`.grader-inbox`; open to more keys, so that an older version can still hand in."""

    format: Literal["grader-inbox 1"] = "grader-inbox 1"
    assignments: tuple[str, ...] = ()
    beside: dict[str, AcceptedFiles] = {}


class TryFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file beside the notebook: its path there, which is not believed either, and its bytes."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_TRY_BYTES)]


class TryHeader(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """The first line of a try: what its writer says, of which nothing is believed unseen.

    A notebook alone is "grader-try 1", which earlier versions read. In "grader-try 2" it has
    `size` bytes, and the `files` follow it.
    """

    format: Literal["grader-try 1", "grader-try 2"]
    assignment: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    student: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    file: Annotated[str, msgspec.Meta(max_length=1000)]
    written_at: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_FILE_BYTES)] = 0
    files: Annotated[tuple[TryFile, ...], msgspec.Meta(max_length=MAX_FILES)] = ()

    def split(self, body: bytes) -> tuple[bytes, dict[str, bytes]] | None:
        """Return the notebook and what lies beside it, by path; None where it does not add up."""
        if self.format == "grader-try 1":
            return None if self.files or self.size else (body, {})
        at = self.size
        files = {}
        for file in self.files:
            files[file.path] = body[at : at + file.size]
            at += file.size
        whole = at == len(body) and len(files) == len(self.files)
        return (body[: self.size], files) if whole else None


def try_header(line: bytes) -> TryHeader | None:
    """Read the first line of a try; None where `submit` did not write it."""
    header: TryHeader | None = value_or_none(line, TryHeader)
    return header


@dataclass(frozen=True)
class Inbox:
    """An inbox as it is, the assignments that it takes, and what some ask for beside a notebook."""

    root: Path
    assignments: tuple[str, ...]
    beside: Mapping[str, AcceptedFiles]

    @property
    def tries(self) -> Path:
        """The drop box."""
        return self.root / TRIES

    @property
    def receipts(self) -> Path:
        """The signed receipts."""
        return self.root / RECEIPTS


def is_inbox(folder: Path) -> bool:
    """Say whether a folder is an inbox, as made here."""
    return (folder / MARK).is_file()


def open_inbox(folder: Path) -> Inbox:
    """Read what an inbox is.

    Raises:
        UsageError: it is none.
        InfrastructureError: it is one, and others could change what lies in it.
    """
    hint = "Name the course's inbox. The staff make one with: grader inbox make DIR"
    if not folder.is_dir():
        raise UsageError("there is no such inbox", where=folder, hint=hint)
    try:
        text = read_regular_file(folder / MARK, limit=_MAX_MARK_BYTES)
        mark = msgspec.json.decode(text, type=_Mark)
    except (RefusedFileError, msgspec.DecodeError, UnicodeError) as error:
        raise UsageError("this folder is no inbox", where=folder, hint=hint) from error
    for part in (TRIES, RECEIPTS):
        _refuse_open(folder / part)
    return Inbox(folder, mark.assignments, mark.beside)


def make_inbox(
    folder: Path,
    *,
    assignments: Sequence[str],
    beside: Mapping[str, AcceptedFiles] | None = None,
    group: str | None = None,
    private: bool = False,
) -> Inbox:
    """Make an inbox, or write anew which assignments an inbox takes.

    Args:
        folder: made if it is not there; else empty, or an inbox.
        assignments: the names that `submit` offers.
        beside: what `submit` takes along with an assignment's notebook.
        group: the staff's; only its members read tries. Default: the maker's own group, which
            must have no other members.
        private: for tries of this user alone, on a machine of their own.

    Raises:
        UsageError: the folder holds something else, or there is no such group.
        InfrastructureError: the file system refuses, or does not keep the modes.
    """
    if folder.exists() and not is_inbox(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "this is there already, and is no inbox",
            where=folder,
            hint="Name a new folder. (An inbox of version 0.1 can still be collected.)",
        )
    gid = None if private else _staff(group)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700 if private else 0o755)
        for name, mode in _SHARED.items():
            _make_part(folder / name, 0o700 if private else mode, gid)
        _write_mark(folder, _Mark(assignments=tuple(assignments), beside=dict(beside or {})))
    except OSError as error:
        raise InfrastructureError(
            f"the inbox can't be made ({error.strerror})", where=error.filename or folder
        ) from error
    return open_inbox(folder)


def _write_mark(folder: Path, mark: _Mark) -> None:
    write_atomically(folder / MARK, msgspec.json.encode(mark) + b"\n")
    (folder / MARK).chmod(0o644)  # whatever the umask is


def _make_part(part: Path, mode: int, gid: int | None) -> None:
    part.mkdir(mode=0o700, exist_ok=True)
    if gid is not None:
        os.chown(part, -1, gid)  # before the mode: it may clear the setgid bit
    part.chmod(mode)
    if stat.S_IMODE(part.lstat().st_mode) != mode:
        raise InfrastructureError(
            f"this file system does not keep the mode {mode:o}, without which students could "
            "change each other's tries",
            where=part,
            hint="Make the inbox on a disk of this machine.",
        )
    # A default ACL of the folder above would let others read what students put in.
    if any(name.startswith("system.posix_acl") for name in _attributes(part)):
        raise InfrastructureError(
            "access control lists of the folder above open the inbox",
            where=part,
            hint=f"Take them off: setfacl -b {part}",
        )


def _attributes(path: Path) -> list[str]:
    try:
        return os.listxattr(path) if hasattr(os, "listxattr") else []
    except OSError:
        return []  # a file system without attributes has no lists either


def _staff(group: str | None) -> int:
    """Return the group whose members read tries: the one named, else one's own."""
    import grp
    import pwd

    if group is not None:
        try:
            return grp.getgrnam(group).gr_gid
        except KeyError:
            raise UsageError("there is no such group", where=group) from None
    try:
        own = grp.getgrgid(os.getegid())
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise UsageError(
            "your account or group has no name, so nobody knows who is in it",
            hint="Name a group of the staff with --group; or --private for yourself alone.",
        ) from None
    if own.gr_name != user or not set(own.gr_mem) <= {user}:
        raise UsageError(
            f"your group, {own.gr_name}, may have students in it, who could read others' tries",
            hint="Name a group of the staff with --group; or --private for yourself alone.",
        )
    return own.gr_gid


def _refuse_open(part: Path) -> None:
    """Refuse a folder in which one user can remove or replace another's files."""
    try:
        mode = part.lstat().st_mode
    except OSError as error:
        raise InfrastructureError(
            f"the inbox is damaged ({error.strerror})",
            where=part,
            hint="The staff can fix it with: grader inbox make DIR",
        ) from error
    others_write = mode & stat.S_IWOTH
    if not stat.S_ISDIR(mode) or (others_write and not mode & stat.S_ISVTX):
        raise InfrastructureError(
            "this inbox is open: others could change what is handed in",
            where=part,
            hint="Hand in nothing, and tell the staff. They can fix it with: grader inbox make DIR",
        )


def read_for_submission(path: Path) -> tuple[bytes, ReadNotebook]:
    """Read a notebook that a student wants to hand in.

    Raises:
        UsageError: there is no such file.
        SubmissionError: it can't be read.
    """
    if not path.exists():
        raise UsageError("there is no such file", where=path)
    if path.is_dir():
        raise UsageError("a notebook is a file, not a folder", where=path)
    try:
        data = read_regular_file(path.resolve(), limit=MAX_FILE_BYTES)
    except RefusedFileError as error:
        raise SubmissionError(
            f"The file was not taken: {error}.",
            where=path.name,
            hint="Hand in the notebook itself, the .ipynb file.",
        ) from error
    return data, read_notebook(data, name=display_name(path.name))


def submit(
    notebook_path: Path,
    inbox: Path,
    *,
    student: str,
    assignment: str,
    now: dt.datetime,
    beside: Taken | None = None,
    called: str = "",
) -> Receipt:
    """Put a notebook, and what lies beside it, into an inbox and return an unsigned receipt.

    Nothing is put there unless the notebook can be read. Each try is a file of its own.

    Args:
        notebook_path: the notebook.
        inbox: as `make_inbox` made it.
        student: who hands it in; believed only where the staff themselves hand in.
        assignment: the assignment's name.
        now: the time, with its zone; not believed by who collects.
        beside: what is handed in with it.
        called: what the notebook is called in a release; default: as the assignment.

    Returns:
        The receipt, with `warnings`: what the student may want to mend and hand in again.

    Raises:
        UsageError: there is no such file or inbox, or `now` has no zone.
        SubmissionError: the notebook can't be read, or there is too much beside it.
        InfrastructureError: the inbox can't be written to, or is open to others.
    """
    if now.tzinfo is None:
        raise UsageError("the time of a submission needs a time zone", where=now)
    if not student.strip():
        raise UsageError("a submission needs the name of a student")
    assignment = checked_assignment_name(assignment)
    data, notebook = read_for_submission(notebook_path)
    box = open_inbox(inbox)
    file = display_name(notebook_path.name)
    taken = beside or Taken()
    files = {name: content.read(name) for name, content in taken.files}
    header = TryHeader(
        format="grader-try 2" if files else "grader-try 1",
        assignment=assignment,
        student=student.encode(errors="replace").decode()[:1000],
        file=file,
        written_at=now.astimezone(dt.UTC).replace(microsecond=0),
        size=len(data) if files else 0,
        files=tuple(TryFile(path=name, size=len(held)) for name, held in files.items()),
    )
    line = msgspec.json.encode(header) + b"\n"
    content = b"".join((line, data, *files.values()))
    if len(line) > MAX_HEADER_BYTES or len(content) > MAX_TRY_BYTES:
        raise SubmissionError(
            "There are too many files next to the notebook, or they are too large.",
            where=file,
            hint="Nothing was handed in. Hand in fewer, with shorter names.",
        )
    name, at = _put(box.tries, content)
    return Receipt(
        assignment=assignment,
        student=header.student,
        name=name,
        handed_in_at=at,
        file=file,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        files=tuple(
            FileReceipt(path=path, sha256=hashlib.sha256(held).hexdigest())
            for path, held in files.items()
        ),
        warnings=(
            *advice(notebook, file=file, size=len(data), assignment=assignment, called=called),
            *taken.notes,
        ),
    )


def _put(tries: Path, content: bytes) -> tuple[str, dt.datetime]:
    """Write a try under a hidden name, then give it its own; return that and the file's time."""
    name = f"{hashlib.sha256(content).hexdigest()}-{secrets.token_hex(16)}"
    hidden = tries / f".{secrets.token_hex(16)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(hidden, flags, 0o400), "wb") as file:
            try:
                os.fchmod(file.fileno(), _TRY_MODE)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                hidden.rename(tries / name)
            except BaseException:
                hidden.unlink(missing_ok=True)
                raise
            changed = os.fstat(file.fileno()).st_ctime
    except OSError as error:
        raise InfrastructureError(
            f"the notebook could not be put into the inbox ({error.strerror})",
            where=tries.parent,
            hint="Nothing was handed in. Ask the staff whether the disk is full, and whether you "
            "may write there.",
        ) from error
    return name, dt.datetime.fromtimestamp(int(changed), tz=dt.UTC)
