"""The targets that are files of a course or of a learning management system."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from grader.course.course_reading import load_course_file
from grader.course.matches import Matcher
from grader.course.roster import Person, Roster, roster_from
from grader.errors import GraderError
from grader.gradebook.mark_list import read_mark_list
from grader.gradebook.spreadsheet import write_sheet
from grader.intake.class_archives import CollectConfig
from grader.intake.collect import collect
from grader.lms.lms_table import table_from
from grader.lms.registry import system_of
from tests.gradebook.totals.courses import SHIPPED, path_of, shipped
from tests.intake.archives import NOTEBOOK, make_zip

SCHEME = shipped("koc-comp541", {"percent_per_day": ["20"], "pass_mark": ["50", "50"]})
ROSTER = Roster({"ada": Person(id="ada", name="Ada Lovelace", email="ada@uni.edu", canvas="900")})

MARKS = b'student,item,points,comment\nada,midterm,71.5,"good, so far"\n'
ROSTER_CSV = b"id,name,email\nada,Ada Lovelace,ada@uni.edu\n"
EXPORTS = (
    b"Student,ID,SIS Login ID,Section,Homework 1 (77)\n"
    b'    Points Possible,,,,10\n"Lovelace, Ada",900,ada,A,\n',
    b"Identifier,Full name,Email address,Grade\nParticipant 31,Ada Lovelace,ada@uni.edu,\n",
    "Last Name\tFirst Name\tUsername\tHW1 [Total Pts: 10 Score] |5\nLovelace\tAda\tada\t\n".encode(
        "utf-16"
    ),
    b"First Name,Last Name,SID,Email,Homework 1,Total Score\nAda,Lovelace,1,ada@uni.edu,,\n",
    b"student_id,first_name,last_name,email\nada,Ada,Lovelace,ada@uni.edu\n",
)
NAMES = (
    b"lovelaceada_LATE_900_5001_hw1-1.ipynb\nanon_Ab3xY_55_hw1.ipynb\n",
    b"Ada Lovelace_31_assignsubmission_file/hw1.ipynb\n"
    b"Zoe_12_assignsubmission_onlinetext/onlinetext.html\n",
    b"hw1_ada_attempt_2024-10-02-09-00-00_hw1.ipynb\nhw1_ada_attempt_2024-10-02-09-00-00.txt\n",
    b"submission_5/hw1.ipynb\nsubmission_metadata.yml\n",
    b"submitted/ada/hw1/hw1.ipynb\nsubmitted/ada/hw1/timestamp.txt\n",
)


def roster(data: bytes) -> None:
    """A roster.csv."""
    _refused_or_taken(data, "roster.csv", roster_from)


def marks(data: bytes) -> None:
    """A list of marks: CSV, or a workbook."""
    suffix = "xlsx" if data.startswith(b"PK") else "csv"
    _refused_or_taken(data, f"marks.{suffix}", lambda path: read_mark_list(path, SCHEME, None))


def course(data: bytes) -> None:
    """A course.toml."""
    _refused_or_taken(data, "course.toml", load_course_file)


def export(data: bytes) -> None:
    """What a learning management system exports: the table, and who is in it."""
    try:
        table = table_from(data)
        assert table.to_bytes() == data
        for _ in system_of(table).people(table):
            pass
    except GraderError as error:
        assert error.what


def names(data: bytes) -> None:
    """The names of the files in a class's archive, one in each line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "class.zip")
        lines = data.decode("utf-8", "replace").split("\n")[:50]
        path.write_bytes(make_zip(*((line[:2000] or "x", NOTEBOOK) for line in lines)))
        matcher = Matcher(ROSTER, Path(folder, "matches.csv"))
        try:
            config = CollectConfig(system=None, matcher=matcher, zone=dt.UTC)
            got = collect([path], assignment="hw1", config=config)
        except GraderError as error:
            assert error.what
            return
        assert all(s.student for s in got.submissions)


def _refused_or_taken(data: bytes, name: str, read: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        try:
            read(path)
        except GraderError as error:
            assert error.what


def _workbook() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "marks.xlsx")
        write_sheet(path, ("student", "item", "points"), [("ada", "midterm", "71.5")])
        return path.read_bytes()


def seeds() -> dict[str, Sequence[bytes]]:
    """Sound inputs of each target, to start from."""
    return {
        "roster": [ROSTER_CSV],
        "marks": [MARKS, _workbook()],
        "course": [path_of(name).read_bytes() for name in SHIPPED],
        "export": EXPORTS,
        "names": NAMES,
    }


TARGETS: dict[str, Callable[[bytes], None]] = {
    "roster": roster,
    "marks": marks,
    "course": course,
    "export": export,
    "names": names,
}
