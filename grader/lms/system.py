"""What a learning management system is asked: of its archives, its tables, and marks for it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, Literal

from grader.course.roster import Identity, Person, Roster, is_test_student
from grader.errors import UsageError
from grader.lms.lms_table import LmsLine, LmsTable
from grader.points import HUNDREDTH
from grader.table_cells import safe_cell

FIRST = ("first name", "firstname", "first_name")
LAST = ("last name", "lastname", "last_name", "surname")
_MAX_SIDECAR_BYTES = 32 << 20


@dataclass(frozen=True)
class FileOwner:
    """Where a file belongs.

    Attributes:
        who: whose it is, and with whom they handed in.
        file: its path as the student named it; empty for what the system wrote itself.
        at: when it was handed in, where the system tells.
        late: the system says so.
    """

    who: Identity
    file: str
    at: dt.datetime | None = None
    late: bool = False
    others: tuple[Identity, ...] = ()


class AmbiguousError(Exception):
    """The path could be that of several students; the message says so."""


@dataclass(frozen=True)
class Sidecar:
    """A file of an archive, as what may tell of the others; `size` is None if it was not kept."""

    path: str
    size: int | None
    read: Callable[[], bytes]

    @property
    def readable(self) -> bool:
        """Whether it is there and small enough to be read."""
        return self.size is not None and self.size <= _MAX_SIDECAR_BYTES

    def text(self, limit: int) -> str:
        """Return the beginning of the file as text, whatever its bytes are."""
        return self.read()[:limit].decode("utf-8", "replace")


Columns = Mapping[str, tuple[str, ...]]
Entry = tuple[tuple[Identity, ...], dt.datetime | None]
PersonLine = tuple[LmsLine, Identity, str, str]
"""A line of a table, who is in it, the id that it gives, and the section."""


@dataclass
class ExportMetadata:
    """What is known beside the paths of an archive.

    Attributes:
        roster: tells users' numbers and logins from what looks like them.
        zone: of the times in paths.
        entries: by a key of the system's own (a submission, a participant, a folder): who handed
            in, and when.
        folder: the assignment's, where an archive holds several.
    """

    roster: Roster
    zone: dt.tzinfo
    entries: dict[str, Entry] = field(default_factory=dict)
    folder: str = ""


@dataclass(frozen=True)
class Context:
    """What the course knows while an archive is read.

    Attributes:
        is_named: whether a folder's name is that of the assignment.
        times: who is in the worksheet that came with the archive, and when they handed in.
    """

    assignment: str
    roster: Roster
    zone: dt.tzinfo
    is_named: Callable[[str], bool]
    times: Sequence[tuple[Identity, dt.datetime | None]] = ()


@dataclass(frozen=True)
class MarkColumn:
    """A column of a table that takes marks.

    Attributes:
        max_points: what the system counts out of.
        title: the item's own, without what the system puts round it.
    """

    place: int
    name: str
    max_points: Decimal | None = None
    title: str = ""


class System:
    """A system that hands over submissions, or lists of a class, or takes marks.

    Every text that comes in is hostile: students choose names of files, and often their own.

    Attributes:
        name: on the command line, in matches.csv and in ids of strangers.
        title: in sentences.
        by_paths: of several systems that could have made an archive, the lowest did.
        columns: by piece of an `Identity` (and "id", "section"), the columns that hold it, in
            lower case; the first that is there counts.
        time_columns: those that tell when each line's student handed in, in lower case.
        comment_columns: those that take what is said on a student's work, in lower case.
        comments_elsewhere: what to do where there is none.
        feedback_from: which file of the system's tells how feedback must be named for its upload;
            empty where it takes none.
        feedback_upload: where to upload it, and what then happens.
        times_zone: of times there without one; None: the course's.
        times_elsewhere: where the system tells when somebody handed in, if no table of it does.
        own_files: names, in lower case, of what the system puts beside the students' folders.
        download: where to find the table that takes marks; empty where none does.
        one_item: such a table is of one item alone.
        excused: the word for it in a cell, if there is one.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    by_paths: ClassVar[int] = 100
    columns: ClassVar[Columns] = {}
    time_columns: ClassVar[tuple[str, ...]] = ()
    comment_columns: ClassVar[tuple[str, ...]] = ()
    comments_elsewhere: ClassVar[str] = "Leave --comments out: the system takes none in a file."
    feedback_from: ClassVar[Literal["", "table", "archive"]] = ""
    feedback_upload: ClassVar[str] = ""
    times_zone: ClassVar[dt.tzinfo | None] = None
    times_elsewhere: ClassVar[str] = ""
    own_files: ClassVar[tuple[str, ...]] = ()
    download: ClassVar[str] = ""
    one_item: ClassVar[bool] = False
    excused: ClassVar[str] = ""

    def made(self, paths: Collection[str]) -> bool:
        """Say whether an archive with these files is this system's.

        Every path must be: one student alone can't make a class look like another's.
        """
        return False

    def is_sidecar(self, path: str) -> bool:
        """Say whether a file may tell whose others are, and is to be read."""
        return False

    def told_by(self, files: Sequence[Sidecar], context: Context) -> ExportMetadata:
        """Gather what the files beside say.

        Raises:
            UsageError: what must be there is not, or can't be read.
        """
        return ExportMetadata(context.roster, context.zone)

    def place_of(self, path: str, told: ExportMetadata) -> FileOwner | None:
        """Return where a file belongs; None for what is no student's.

        Raises:
            AmbiguousError: it could be one student's or another's.
        """
        return None

    def may_be(self, who: Identity, person: Person) -> bool:
        """Say whether an archive's user, who has the person's id, can have the person's name."""
        return True

    def prepare(self, table: LmsTable) -> None:
        """Find the header of a table of this system's, where it isn't the first line."""

    def exported(self, columns: frozenset[str]) -> bool:
        """Say whether a table with these columns, in lower case, is this system's."""
        return False

    def people(self, table: LmsTable) -> Iterator[PersonLine]:
        """Yield the lines that are of a person: (line, who, the id it gives, section)."""
        places = {piece: table.column(*names) for piece, names in self.columns.items()}
        first, last = table.column(*FIRST), table.column(*LAST)
        for line in table.lines:
            cells = {piece: line.cell(place) for piece, place in places.items()}
            if not cells.get("name"):
                cells["name"] = " ".join(f"{line.cell(first)} {line.cell(last)}".split())
            if not self.is_person(cells):
                continue
            section, identifier = cells.pop("section", ""), cells.pop("id", "")
            cells |= self.more_of(table, line)
            who = Identity(**{piece: _unwrapped(text) for piece, text in cells.items()})
            if (who.key or identifier) and not is_test_student(who):
                yield line, who, identifier, section

    def is_person(self, cells: Mapping[str, str]) -> bool:
        """Say whether a line with these pieces is of a person."""
        return True

    def more_of(self, table: LmsTable, line: LmsLine) -> Mapping[str, str]:
        """Return pieces of a line's `Identity` that no column of `columns` holds as it is."""
        return {}

    def time_column(self, table: LmsTable) -> int | None:
        """Return the place of the column that tells when somebody handed in; None: there is none.

        Raises:
            UsageError: what belongs to it is missing.
        """
        return table.column(*self.time_columns)

    def of_assignment(
        self, table: LmsTable, lines: Iterable[PersonLine], is_named: Callable[[str], bool]
    ) -> Iterator[PersonLine]:
        """Yield the lines of one assignment, where a table can hold several.

        Args:
            table: whose lines they are.
            lines: as `people` gives them.
            is_named: whether a name is that of the assignment.

        Raises:
            UsageError: it has none of it.
        """
        yield from lines

    def targets(self, table: LmsTable) -> list[MarkColumn]:
        """Return the columns that take marks; with `one_item`, the only one.

        Raises:
            UsageError: the system's import would refuse the file.
        """
        return []

    def cell(self, points: Decimal, target: MarkColumn, *, comma: bool) -> str:
        """Return points as the text of a cell; `comma`: the file writes 9,50."""
        text = f"{points.quantize(HUNDREDTH, ROUND_HALF_UP):f}"
        return text.replace(".", ",") if comma else text

    def skipped(
        self, table: LmsTable, line: LmsLine, target: MarkColumn, text: str
    ) -> Iterator[str]:
        """Yield why the system's import would pass over a line, as it stands before `text`."""
        yield from ()

    def over_maximum(self) -> str:
        """Return what the system's import does with more points than the maximum, as an ending."""
        return ""

    def finish(self, table: LmsTable, line: LmsLine, max_points: Decimal) -> None:
        """Fill in what belongs to a mark beside its cell."""

    def feedback_place(self, table: LmsTable, line: LmsLine) -> str:
        """Return the folder for a student's files in an archive of feedback; empty: none."""
        return ""

    def feedback_beside(self, path: str, who: Identity) -> str:
        """Return what the name of feedback on a file of the system's archive must begin with.

        Args:
            path: of the file.
            who: whose it is, as `place_of` says.

        Empty where none can be given on that file.
        """
        return ""

    def set_comment(self, table: LmsTable, line: LmsLine, lines: Sequence[str]) -> str:
        """Put what is said on a student's work into their line, and return the cell's text.

        Raises:
            UsageError: the file has no column for it.
        """
        place = table.column(*self.comment_columns)
        if place is None:
            raise UsageError(
                f"the file of {self.title}'s has no column for comments",
                hint=self.comments_elsewhere,
            )
        text = self.comment(lines)
        table.set(line, place, text)
        return text

    def comment(self, lines: Sequence[str]) -> str:
        """Return what is said as the text of a cell, which is plain text there."""
        return safe_cell("\n".join(lines))

    def aged(self, age: dt.timedelta) -> list[str]:
        """Return sentences on a table that was exported so long ago."""
        return []


def only_target(table: LmsTable, names: Iterable[str], maximum: Iterable[str]) -> MarkColumn:
    """Return the one column that takes marks.

    Raises:
        UsageError: it isn't there.
    """
    wanted = tuple(names)
    place = table.column(*wanted)
    if place is None:
        raise UsageError(f"the file has no column {wanted[0].title()}")
    most = table.column(*maximum)
    highest = next((number(line.cell(most)) for line in table.lines if line.cell(most)), None)
    return MarkColumn(place, table.columns[place], highest)


def number(text: str) -> Decimal | None:
    """Read a number with a point or a comma; None for anything else."""
    if not re.fullmatch(r"[0-9]{1,9}(?:[.,][0-9]{1,9})?", text.strip()):
        return None
    return Decimal(text.strip().replace(",", "."))


def joined(file: str, rest: str) -> str:
    """Return the path of a file that may stand in a folder."""
    return f"{file}/{rest}" if file and rest else file or rest


def _unwrapped(text: str) -> str:
    """Take off what systems put round a value so that spreadsheets leave it alone."""
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return " ".join(text.split())
