"""Inboxes: made by the staff, filled by students, receipted by who collects."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.api.own_notebooks import leading, own_notebooks
from grader.course.directory import Course
from grader.course.given_files import given_files
from grader.course.matches import Matcher
from grader.course.secret import kept_secret
from grader.errors import (
    GraderError,
    InfrastructureError,
    ReceiptError,
    UsageError,
)
from grader.intake import inbox as inboxes
from grader.intake import receipt as receipts
from grader.intake.accepted_files import (
    AcceptedFiles,
    AskedNotebook,
    beside_of,
    beside_on_disk,
    hashes,
)
from grader.intake.content import RefusedFileError, on_disk, read_regular_file
from grader.intake.notebook import MAX_FILE_BYTES
from grader.intake.receipt import Receipt
from grader.intake.stored import NOTEBOOK_FILE, attempts_in
from grader.intake.tries import read_tries
from grader.release.check_settings import released_spec
from grader.release.marker import released_as
from grader.storage import write_atomically
from grader.suggestions import closest, did_you_mean

KEY_NAME = ".receipts.key"
_NAMED = 20


class DoubtfulAssignmentError(UsageError):
    """Nothing, or not one thing alone, says which assignment a notebook is."""

    def __init__(self, what: str, *, where: object, hint: str, names: Sequence[str]) -> None:
        super().__init__(what, where=where, hint=hint)
        self.names = tuple(names)


@dataclass(frozen=True)
class HeldTry:
    """What an inbox holds of a receipt: the file's owner and its change time."""

    receipt: Receipt
    path: Path
    owner: int
    handed_in_at: dt.datetime


@dataclass(frozen=True)
class VerifiedReceipt:
    """A signed receipt that holds, and the folder of the submission where it was kept."""

    receipt: Receipt
    folder: Path | None


def make_inbox(
    folder: Path, *, course: Course | None, group: str | None = None, private: bool = False
) -> inboxes.Inbox:
    """Make an inbox; see `grader.intake.inbox.make_inbox`."""
    names: Sequence[str] = course.names() if course else ()
    asked = dict(_asked_by(course)) if course else {}
    return inboxes.make_inbox(folder, assignments=names, beside=asked, group=group, private=private)


def _asked_by(course: Course) -> Iterator[tuple[str, AcceptedFiles]]:
    for name in course.names():
        # An assignment that can't be read yet: its notebook can be handed in all the same.
        with contextlib.suppress(GraderError):
            beside = beside_of(course.assignment(name))
            if beside.asked.files or beside.notebooks:
                yield name, beside


def submit(
    notebook: Path,
    inbox: Path,
    *,
    student: str,
    assignment: str | None = None,
    sure: bool = False,
) -> Receipt:
    """Put a notebook into an inbox, and return an unsigned receipt.

    What the assignment asks for beside the notebook goes with it, from the notebook's folder; so do
    the other notebooks of an assignment that has several.

    Args:
        notebook: the file, or the folder in which it lies.
        inbox: as `make_inbox` made it.
        student: who hands it in.
        assignment: its name; default: what the release wrote into notebook and folder.
        sure: hand it in as `assignment`, whatever notebook, folder and inbox say.

    Raises:
        DoubtfulAssignmentError: nothing says which assignment it is, or two things differ.
        SubmissionError: the notebook can't be read.
    """
    lead = leading(notebook)
    named = assignment_of(lead, inbox, given=assignment, sure=sure)
    asked = _asked_beside(lead, inbox, named)
    own = own_notebooks(notebook, asked.notebooks, named)
    (called, first), *others = own.paths.items()
    beside = beside_on_disk(lead, asked)
    files = [(f"{n}.ipynb", on_disk(path, limit=MAX_FILE_BYTES)) for n, path in others]
    beside = replace(beside, files=(*files, *beside.files), notes=(*own.notes, *beside.notes))
    return inboxes.submit(
        first,
        inbox,
        student=student,
        assignment=named,
        now=dt.datetime.now(dt.UTC).replace(microsecond=0),
        beside=beside,
        called=called or named,
    )


def _asked_beside(notebook: Path, inbox: Path, assignment: str) -> AcceptedFiles:
    """What an assignment asks for beside its notebook.

    The course around the inbox says it where a student can read that, else the inbox, else the
    release in which the notebook lies.
    """
    with contextlib.suppress(GraderError, OSError):
        return beside_of(Course.find(inbox.absolute()).assignment(assignment))
    told = inboxes.open_inbox(inbox).beside.get(assignment)
    if told is not None:
        return told
    folder = notebook.resolve().parent
    spec = released_spec(folder) if released_as(folder) == assignment else None
    if spec is None:
        return AcceptedFiles()
    given = given_files(folder, spec.box.files)
    return AcceptedFiles(
        spec.handin,
        hashes({name: path.read_bytes() for name, path in given.items()}),
        tuple(AskedNotebook(n) for n in spec.notebooks),
    )


def assignment_of(notebook: Path, inbox: Path, *, given: str | None, sure: bool) -> str:
    """Say which assignment a notebook is: never by the file's name, which browsers change.

    Raises:
        DoubtfulAssignmentError: see `submit`.
    """
    _, read = inboxes.read_for_submission(notebook)
    known = _known(inbox)
    said = {"the notebook": read.assignment, "its folder": released_as(notebook.absolute().parent)}
    said = {where: name for where, name in said.items() if name}
    if given and sure:
        return given
    names = [*dict.fromkeys([*([given] if given else []), *said.values()])]
    if len(names) == 1 and (names[0] in known or not known):
        return names[0]
    if not names:
        near = closest(notebook.stem, known, most=1)
        raise DoubtfulAssignmentError(
            "nothing says which assignment this is",
            where=notebook,
            hint=f"{_meant(notebook.stem, known)}Name it: --assignment NAME",
            names=[*near, *(name for name in known if name not in near)],
        )
    if len(names) == 1:
        (name,) = names
        near = closest(name, known, most=1)
        raise DoubtfulAssignmentError(
            f"the inbox takes no assignment {name!r}",
            where=inbox,
            hint=f"{_meant(name, known)}Name it: --assignment NAME; with --anyway, one that is "
            "not listed.",
            names=[*near, *(name for name in known if name not in near)],
        )
    sources = [f"{where} was released as {name}" for where, name in said.items() if name != given]
    if given:
        sources.append(f"you named {given}")
    raise DoubtfulAssignmentError(
        f"it is not clear which assignment this is: {', '.join(sources)}",
        where=notebook,
        hint=f"Look at it once more. If you are sure: --assignment {given or names[0]} --anyway",
        names=names,
    )


def _meant(name: str, known: Sequence[str]) -> str:
    sentence = did_you_mean(name, known, none="", listed=True)
    return f"{sentence} " if sentence else ""


def _known(inbox: Path) -> tuple[str, ...]:
    """Return the assignments that may be handed in: the course's around, else the inbox's list."""
    listed = inboxes.open_inbox(inbox).assignments
    try:
        return tuple(Course.find(inbox.absolute()).names()) or listed
    except (GraderError, OSError):
        return listed


def issue_receipts(
    course: Course,
    assignment: str,
    sources: Iterable[Path],
    *,
    matcher: Matcher,
    beside: AcceptedFiles,
) -> list[str]:
    """Sign a receipt of each try in the inboxes among the sources, and lay it where it is fetched.

    One that is there stays: it proves the earlier time.

    Returns sentences on what could not be written.
    """
    said = []
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    for source in filter(inboxes.is_inbox, sources):
        folder = inboxes.open_inbox(source).receipts
        found = read_tries(source, assignment=assignment, matcher=matcher, beside=beside).receipts
        key = receipts_key(course) if found else b""
        try:
            for receipt in found:
                signed = receipts.sign(replace(receipt, collected_at=now), key)
                _lay(folder / f"{receipt.name}.json", signed.to_json())
        except OSError as error:
            said.append(f"No receipts could be written to {folder} ({error.strerror}).")
    return said


def _lay(path: Path, data: bytes) -> None:
    """Write a file whole, unless there is one."""
    if not path.exists():
        write_atomically(path, data)
        path.chmod(0o644)  # whatever the umask is: who knows its name may read it


def receipts_key(course: Course) -> bytes:
    """Return the key of the course's receipts, which nobody but its owner can read.

    Raises:
        InfrastructureError: it can't be made or read, or others can read it.
    """
    path = course.root / KEY_NAME
    key = kept_secret(path, of="the receipts")
    mode = path.lstat().st_mode & 0o777
    if os.name == "posix" and mode & 0o077:
        raise InfrastructureError(
            f"others can read the key of the receipts (mode {mode:03o})",
            where=path,
            hint="Anybody who read it can sign receipts. Remove it: earlier receipts become "
            f"invalid. Or, if nobody read it, chmod 600 {path}",
        )
    return key


def read_receipt(path: Path) -> Receipt:
    """Read a receipt's file, of which nothing is believed yet."""
    try:
        with path.open("rb") as file:
            data = file.read(receipts.MAX_RECEIPT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the receipt can't be read: {error.strerror}", where=path) from error
    return receipts.parse_receipt(data)


def verify_receipt(path: Path, course: Course) -> VerifiedReceipt:
    """Check that a receipt is signed by this course, and look for what it is of.

    Raises:
        ReceiptError: it does not hold, and why.
    """
    receipt = read_receipt(path)
    if receipt.signature and not (course.root / KEY_NAME).exists():
        raise ReceiptError(
            "This course has no receipt key, so it never signed a receipt.",
            where=course.root,
            hint="Name the course that collected it with --course.",
        )
    receipts.verify(receipt, receipts_key(course) if receipt.signature else b"")
    return VerifiedReceipt(receipt, _kept(receipt, course))


def _kept(receipt: Receipt, course: Course) -> Path | None:
    """Return the submission that holds the receipt's bytes; the last try alone may be kept."""
    student = course.submissions_dir / receipt.assignment / receipt.student
    if not student.resolve().is_relative_to(course.submissions_dir.resolve()):
        return None
    for folder in attempts_in(student).values() if student.is_dir() else ():
        try:
            data = read_regular_file(folder / NOTEBOOK_FILE, limit=MAX_FILE_BYTES)
        except RefusedFileError:
            continue
        if hmac.compare_digest(hashlib.sha256(data).hexdigest(), receipt.sha256):
            return folder
    return None


def find_try(path: Path, inbox: Path) -> HeldTry:
    """Look for the try of a receipt in an inbox; its owner and the staff can.

    Raises:
        ReceiptError: the inbox does not hold it, or not as the receipt says.
    """
    receipt = read_receipt(path)
    file = inboxes.open_inbox(inbox).tries / receipt.name
    try:
        found = file.lstat()
        data = read_regular_file(file, limit=inboxes.MAX_TRY_BYTES)
    except FileNotFoundError:
        raise ReceiptError(
            "The inbox does not hold this try.",
            where=inbox,
            hint="Its owner or the staff removed it, or it is another inbox's.",
        ) from None
    except (OSError, RefusedFileError) as error:
        raise ReceiptError(f"The try can't be read: {error}.", where=file) from None
    whole = hashlib.sha256(data).hexdigest() == receipt.name[:64]
    line, _, body = data.partition(b"\n")
    header = inboxes.try_header(line)
    parts = header.split(body) if header else None
    if not whole or not parts or hashlib.sha256(parts[0]).hexdigest() != receipt.sha256:
        raise ReceiptError("The try in the inbox is not the one of the receipt.", where=file)
    changed = dt.datetime.fromtimestamp(int(found.st_ctime), tz=dt.UTC)
    return HeldTry(receipt, file, found.st_uid, changed)


def fetch_receipt(path: Path, inbox: Path) -> bytes:
    """Return the signed receipt of a try, by its unsigned one.

    Raises:
        ReceiptError: the staff have not signed it yet.
    """
    receipt = read_receipt(path)
    signed = inboxes.open_inbox(inbox).receipts / f"{receipt.name}.json"
    try:
        data = read_regular_file(signed, limit=receipts.MAX_RECEIPT_BYTES)
    except RefusedFileError:
        raise ReceiptError(
            "There is no signed receipt of this try yet.",
            where=inbox,
            hint="The staff sign it when they collect. Until then, `grader receipt verify --inbox` "
            "shows what the inbox holds.",
        ) from None
    if receipts.parse_receipt(data).name != receipt.name:
        raise ReceiptError("The inbox holds another try's receipt in its place.", where=signed)
    return data
