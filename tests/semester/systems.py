"""What four learning management systems make: the zip of a class, and the table of its marks."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.intake.archives import make_zip

NOTEBOOK = "warm-up.ipynb"


@dataclass(frozen=True, kw_only=True)
class Pupil:
    """Somebody in a class, as each system knows them."""

    number: int
    name: str

    @property
    def id(self) -> str:
        """The login, by which the course knows them."""
        return f"u{self.number:02}"

    @property
    def email(self) -> str:
        """At the university."""
        return f"{self.id}@uni.edu"

    @property
    def first(self) -> str:
        """All names but the last."""
        return self.name.rpartition(" ")[0]

    @property
    def last(self) -> str:
        """The last name."""
        return self.name.rpartition(" ")[2]


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """One pupil's notebook; the time is the course's own."""

    pupil: Pupil
    data: bytes
    at: dt.datetime


def canvas_zip(handed: Sequence[HandedIn]) -> bytes:
    """Names without spaces and accents' fate unknown; the number is the pupil's."""
    return make_zip(
        *(
            (f"{_squeezed(h.pupil)}_{900 + h.pupil.number}_{5000 + n}_{NOTEBOOK}", h.data)
            for n, h in enumerate(handed)
        )
    )


def moodle_zip(handed: Sequence[HandedIn]) -> bytes:
    """Full names, with the participant's number in the zip."""
    return make_zip(
        *(
            (
                f"{h.pupil.name}_{300 + h.pupil.number}_assignsubmission_file/{NOTEBOOK}",
                h.data,
            )
            for h in handed
        )
    )


def blackboard_zip(handed: Sequence[HandedIn]) -> bytes:
    """A receipt beside each attempt, whose time is in the name."""
    files: list[tuple[str, bytes]] = []
    for h in handed:
        head = f"Warm-up_{h.pupil.id}_attempt_{h.at:%Y-%m-%d-%H-%M-%S}"
        files += [(f"{head}_{NOTEBOOK}", h.data)]
        files += [(f"{head}.txt", f"Name: {h.pupil.name} ({h.pupil.id})\n".encode())]
    return make_zip(*files)


def gradescope_zip(handed: Sequence[HandedIn]) -> bytes:
    """Numbered folders, and a file that tells whose they are."""
    files, told = [], ["---"]
    for n, h in enumerate(handed):
        files.append((f"assignment_5_export/submission_{n}/{NOTEBOOK}", h.data))
        told += [
            f"submission_{n}:",
            "  :submitters:",
            f'  - :name: "{h.pupil.name}"',
            f"    :sid: '{h.pupil.number}'",
            f"    :email: {h.pupil.email}",
            f"  :created_at: {h.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}.5 Z",
        ]
    meta = ("assignment_5_export/submission_metadata.yml", "\n".join(told).encode())
    return make_zip(meta, *files)


def _squeezed(pupil: Pupil) -> str:
    return "".join(c for c in (pupil.last + pupil.first).lower() if c.isalnum())


def _table(rows: Sequence[Sequence[object]], delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


def canvas_table(pupils: Sequence[Pupil]) -> bytes:
    """The gradebook, with an assignment for the total."""
    head = ["Student", "ID", "SIS Login ID", "Section", "Course total (77)"]
    rows = [[f"{p.last}, {p.first}", 900 + p.number, p.id, "A", ""] for p in pupils]
    return _table([head, ["    Points Possible", "", "", "", "100.00"], *rows])


def moodle_table(pupils: Sequence[Pupil]) -> bytes:
    """A grading worksheet."""
    head = ["Identifier", "Full name", "Email address", "Grade", "Maximum Grade"]
    head += ["Last modified (grade)"]
    rows = [[f"Participant {300 + p.number}", p.name, p.email, "", "100.00", "-"] for p in pupils]
    return _table([head, *rows])


def blackboard_table(pupils: Sequence[Pupil]) -> bytes:
    """The full grade center: tabs, UTF-16."""
    head = ["Last Name", "First Name", "Username", "Course total [Total Pts: 100 Score] |5"]
    rows = [[p.last, p.first, p.id, ""] for p in pupils]
    return _table([head, *rows], "\t").decode().encode("utf-16")


def gradescope_table(pupils: Sequence[Pupil]) -> bytes:
    """The grades of one assignment, which here is the total."""
    head = ["First Name", "Last Name", "SID", "Email", "Total Score", "Max Points", "Status"]
    return _table(
        [head, *([p.first, p.last, p.number, p.email, "", "100.0", "Graded"] for p in pupils)]
    )


@dataclass(frozen=True, kw_only=True)
class System:
    """A system: how it hands a class over, and the table into which marks go."""

    zip: Callable[[Sequence[HandedIn]], bytes]
    table: Callable[[Sequence[Pupil]], bytes]
    encoding: str = "utf-8"
    delimiter: str = ","
    mark: str
    """The column of the total."""
    who: Callable[[Mapping[str, str]], str]
    """Whose line it is."""

    def marks(self, data: bytes) -> dict[str, str]:
        """What a filled table gives each pupil, by id."""
        text = data.decode(self.encoding)
        lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        return {self.who(line): line[self.mark] for line in lines if self.who(line)}


SYSTEMS = {
    "canvas": System(
        zip=canvas_zip,
        table=canvas_table,
        mark="Course total (77)",
        who=lambda line: line["SIS Login ID"],
    ),
    "moodle": System(
        zip=moodle_zip,
        table=moodle_table,
        mark="Grade",
        who=lambda line: line["Email address"].partition("@")[0],
    ),
    "blackboard": System(
        zip=blackboard_zip,
        table=blackboard_table,
        encoding="utf-16",
        delimiter="\t",
        mark="Course total [Total Pts: 100 Score] |5",
        who=lambda line: line["Username"],
    ),
    "gradescope": System(
        zip=gradescope_zip,
        table=gradescope_table,
        mark="Total Score",
        who=lambda line: line["Email"].partition("@")[0],
    ),
}
