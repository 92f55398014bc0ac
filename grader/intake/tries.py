"""What lies in an inbox, read by the staff: each file is its owner's, and hostile.

A try is believed to be of the user whose file it is, as the kernel says; only what root or the one
who collects has put there (for a student, or on a machine of one user) is of the student whom it
names. Its time is the file's change time: an owner can move that to now, and not back.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader.account import login_of
from grader.course.matches import Matcher
from grader.course.roster import Identity
from grader.errors import ReceiptError
from grader.intake.accepted_files import MB, AcceptedFiles, Taken
from grader.intake.choice import NoChoiceError, is_notebook_name
from grader.intake.content import Content, RefusedFileError, Shelf, held, read_regular_file
from grader.intake.inbox import MAX_HEADER_BYTES, Inbox, TryHeader, open_inbox, try_header
from grader.intake.members import Member
from grader.intake.names import display_name, student_id
from grader.intake.notebook import MAX_FILE_BYTES
from grader.intake.receipt import MAX_RECEIPT_BYTES, FileReceipt, Receipt, parse_receipt
from grader.intake.several_notebooks import Counted, what_counts
from grader.intake.students import Students
from grader.intake.submission import Submission, read_submission, unread_submission

SYSTEM = "inbox"
"""Under which a login stands in matches.csv."""

MAX_TRIES = 500
"""Of one user, the newest; so that who floods an inbox loses their own tries and nobody else's."""

_NAMED = 5
_DRIFT = dt.timedelta(minutes=10)
_NAME = re.compile(r"([0-9a-f]{64})-[0-9a-f]{32}")
_PIECE_BYTES = 2**20
_NOT_OURS = "it was not put there by `grader submit`"


@dataclass(frozen=True)
class Try:
    """One file of an inbox: what its writer says, and what the kernel says of it."""

    name: str
    header: TryHeader
    notebook: bytes
    files: Mapping[str, bytes]
    login: str
    trusted: bool
    changed_ns: int

    @property
    def at(self) -> dt.datetime:
        """When it was handed in, to the second."""
        return dt.datetime.fromtimestamp(self.changed_ns // 10**9, tz=dt.UTC)


@dataclass(frozen=True)
class Tries:
    """The tries at one assignment, with the receipt of each, unsigned, and what was refused."""

    students: Students
    receipts: tuple[Receipt, ...]


def read_tries(
    inbox: Path,
    *,
    assignment: str,
    matcher: Matcher,
    known: Collection[str] = (),
    beside: AcceptedFiles | None = None,
) -> Tries:
    """Read the tries at an assignment; those at others are left where they are.

    Args:
        inbox: as `grader inbox make` made it.
        assignment: its name.
        matcher: tells which student a login is; without a roster it is the login itself.
        known: the course's assignments; a try at any other is named.
        beside: what the assignment asks for beside the notebook; a try that is larger than a
            notebook and that is refused.
    """
    box = open_inbox(inbox)
    asked = beside or AcceptedFiles()
    reading = _TryReading(box, assignment, set(known) | {assignment}, matcher, asked)
    for owner, name in _newest(box, reading.refused):
        reading.take(box.tries / name, owner)
    return reading.done()


class _TryReading:
    def __init__(
        self,
        inbox: Inbox,
        assignment: str,
        known: set[str],
        matcher: Matcher,
        beside: AcceptedFiles,
    ) -> None:
        self._inbox = inbox
        self._beside = beside
        self._assignment = assignment
        self._known = known
        self._matcher = matcher
        self._shelf = Shelf()
        self._foreign: Counter[str] = Counter()
        self._refusals: Counter[int] = Counter()
        self._found: list[tuple[Try, Submission, Receipt]] = []
        self._warnings: list[str] = []
        self._moved: list[str] = []
        self.refused: list[tuple[str, str]] = []

    def take(self, path: Path, owner: int) -> None:
        try:
            one = _read(path, self._assignment, self._foreign, self._beside)
        except RefusedFileError as error:
            self._refuse(path.name, owner, str(error))
            return
        if one is None:
            return
        one = replace(one, changed_ns=self._first_seen(one))
        student = self._student_of(one)
        if one.at - one.header.written_at > _DRIFT and not one.trusted:
            self._moved.append(student)
        submission = self._submission(one, student)
        receipt = _receipt(one, submission, self._assignment)
        # From here on its bytes lie on the shelf alone.
        self._found.append((replace(one, notebook=b"", files={}), submission, receipt))

    def _submission(self, one: Try, student: str) -> Submission:
        shown = one.header.student if one.trusted else one.login
        try:
            counted = self._counted(one)
        except NoChoiceError as problem:
            return unread_submission(
                str(problem), student=student, submitted_at=one.at, display_name=shown
            )
        return read_submission(
            self._shelf.put(counted.content),
            student=student,
            file=counted.file,
            notebook=counted.notebook,
            submitted_at=one.at,
            display_name=shown,
            beside=counted.beside,
        )

    def _counted(self, one: Try) -> Counted:
        """Of several notebooks the rules that hold everywhere say which each is, and no header."""
        if not self._beside.notebooks:
            beside = self._lay_beside(one.files)
            return Counted(display_name(one.header.file), held(one.notebook), beside)
        file = PurePosixPath(one.header.file).name or "notebook.ipynb"
        contents = {file: one.notebook, **one.files}
        members = [Member(name, held(data)) for name, data in contents.items()]
        counted = what_counts(
            [m for m in members if is_notebook_name(m.path)] or members[:1],
            members,
            assignment=self._assignment,
            beside=self._beside,
        )
        return replace(counted, beside=self._shelved(counted.beside))

    def _shelved(self, taken: Taken) -> Taken:
        return replace(taken, files=tuple((n, self._shelf.put(c)) for n, c in taken.files))

    def _lay_beside(self, files: Mapping[str, bytes]) -> Taken:
        found: dict[str, Content | None] = {name: held(data) for name, data in files.items()}
        return self._shelved(self._beside.of(found, {}))

    def _first_seen(self, one: Try) -> int:
        """Return the earlier of the file's time and of that at which the staff first collected it.

        Receipts lie where only the staff can write, and the name of a try holds its content: what
        they have seen once keeps its time, though its owner or a backup touches the file.
        """
        try:
            data = read_regular_file(
                self._inbox.receipts / f"{one.name}.json", limit=MAX_RECEIPT_BYTES
            )
            receipt = parse_receipt(data)
        except (RefusedFileError, ReceiptError):
            return one.changed_ns
        if receipt.name != one.name:
            return one.changed_ns
        return min(one.changed_ns, int(receipt.handed_in_at.timestamp()) * 10**9)

    def _refuse(self, name: str, owner: int, reason: str) -> None:
        """Name what is not taken with its owner; who floods an inbox is not named for each file."""
        self._refusals[owner] += 1
        if self._refusals[owner] <= _NAMED:
            shown = f"{display_name(name)[:20]}… of {login_of(owner) or f'user {owner}'}"
            self.refused.append((shown, reason))

    def _student_of(self, one: Try) -> str:
        said = one.header.student
        login = said if one.trusted else one.login
        match = self._matcher.match(SYSTEM, Identity(login=login))
        student = match.student or self._stranger(login)
        if match.student is None and self._matcher.roster:
            self._warn(f"{display_name(login)}: {match.why}; see `grader roster match`.")
        if not one.trusted and said not in {one.login, student}:
            self._warn(
                f"{one.login} handed in as {display_name(said)}; it counts for {student}, whose "
                "file it is."
            )
        return student

    def _stranger(self, login: str) -> str:
        """Return an id that is nobody's of the roster: a login must not be another's name."""
        taken = {student.casefold() for student in self._matcher.roster.people}
        student = student_id(login)
        return student if student.casefold() not in taken else student_id(f"{login}/inbox")

    def _warn(self, sentence: str) -> None:
        if sentence not in self._warnings:
            self._warnings.append(sentence)

    def done(self) -> Tries:
        self._found.sort(key=lambda found: (found[1].student, found[0].changed_ns, found[0].name))
        attempts: Counter[str] = Counter()
        submissions = []
        for _, submission, _ in self._found:
            attempts[submission.student] += 1
            submissions.append(replace(submission, attempt=attempts[submission.student]))
        receipts = (receipt for *_, receipt in self._found)
        for owner, count in sorted(self._refusals.items()):
            if count > _NAMED:
                shown = login_of(owner) or f"user {owner}"
                self.refused.append((shown, f"{count - _NAMED} more files are no tries"))
        for name, count in sorted(self._foreign.items()):
            if name not in self._known:
                tries = "1 try" if count == 1 else f"{count} tries"
                self._warn(f"{tries} at {display_name(name)}, which is no assignment of the course")
        if self._moved:
            more = "…" if len(self._moved) > _NAMED else ""
            self._warn(
                f"{len(self._moved)} tries were changed, touched or copied after they were "
                f"written; the later time counts: {', '.join(sorted(self._moved)[:_NAMED])}{more}."
            )
        students = Students(tuple(submissions), tuple(self.refused), tuple(self._warnings))
        return Tries(students, tuple(receipts))


def _receipt(one: Try, submission: Submission, assignment: str) -> Receipt:
    return Receipt(
        assignment=assignment,
        student=submission.student,
        login=one.login,
        name=one.name,
        handed_in_at=one.at,
        file=display_name(one.header.file),
        size=len(one.notebook),
        sha256=hashlib.sha256(one.notebook).hexdigest(),
        files=tuple(
            FileReceipt(path=path, sha256=hashlib.sha256(data).hexdigest())
            for path, data in one.files.items()
        ),
    )


def _newest(inbox: Inbox, refused: list[tuple[str, str]]) -> Iterator[tuple[int, str]]:
    """Yield the newest files of each user: (owner, name)."""
    kept: dict[int, list[tuple[int, str]]] = {}
    over: Counter[int] = Counter()
    try:
        with os.scandir(inbox.tries) as listing:
            for entry in listing:
                if entry.name.startswith("."):  # one that is being written
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                heap = kept.setdefault(found.st_uid, [])
                heapq.heappush(heap, (found.st_ctime_ns, entry.name))
                if len(heap) > MAX_TRIES and found.st_uid not in _trusted():
                    heapq.heappop(heap)
                    over[found.st_uid] += 1
    except OSError as error:
        refused.append(("tries", f"the inbox can't be read ({error.strerror})"))
        return
    for uid, count in sorted(over.items()):
        login = login_of(uid) or f"user {uid}"
        refused.append((login, f"more than {MAX_TRIES} tries; the {count} oldest were not read"))
    yield from sorted((uid, name) for uid, heap in kept.items() for _, name in heap)


def _read(path: Path, assignment: str, others: Counter[str], beside: AcceptedFiles) -> Try | None:
    """Read one file of the inbox; None for a try at another assignment.

    O_NONBLOCK and O_NOFOLLOW: a pipe must not hang who collects, and a link would put any file
    that the staff can read into a student's submission. A second name would let one user have
    another's file count as handed in.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            before = os.fstat(file.fileno())
            _refuse_odd(before, path.name)
            login = login_of(before.st_uid)
            if login is None:
                raise RefusedFileError(f"its owner, {before.st_uid}, is no user of this machine")
            line = file.readline(MAX_HEADER_BYTES)
            header = try_header(line)
            if header is None:
                raise RefusedFileError(_NOT_OURS)
            if header.assignment != assignment:
                others[header.assignment] += 1
                return None
            limit = MAX_FILE_BYTES * max(len(beside.notebooks), 1)
            limit += int(beside.asked.max_mb * MB) if header.files else 0
            if before.st_size > MAX_HEADER_BYTES + limit:
                raise RefusedFileError(f"it is larger than {limit / MB:,.0f} MB")
            digest, pieces, left = hashlib.sha256(line), [], limit + 1
            while left > 0 and (piece := file.read(min(left, _PIECE_BYTES))):
                digest.update(piece)
                pieces.append(piece)
                left -= len(piece)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise RefusedFileError(f"it cannot be read ({error.strerror})") from error
    if left <= 0:
        raise RefusedFileError(f"it is larger than {limit / MB:,.0f} MB")
    if after.st_ctime_ns != before.st_ctime_ns or digest.hexdigest() != path.name[:64]:
        raise RefusedFileError(f"{login} changed it after it was handed in")
    parts = header.split(b"".join(pieces))
    if parts is None:
        raise RefusedFileError(_NOT_OURS)
    return Try(
        name=path.name,
        header=header,
        notebook=parts[0],
        files=parts[1],
        login=login,
        trusted=before.st_uid in _trusted(),
        changed_ns=before.st_ctime_ns,
    )


def _refuse_odd(found: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise RefusedFileError("it is no regular file")
    if found.st_nlink != 1:
        raise RefusedFileError("it has a second name (a hard link)")
    if not _NAME.fullmatch(name):
        raise RefusedFileError(_NOT_OURS)


def _trusted() -> set[int]:
    """Who is believed about whose a try is: they could write anything anyway."""
    return {0, os.geteuid()}
