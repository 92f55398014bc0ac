"""Gradescope: exported submissions, the roster, and the grades of an assignment.

No source is public: the export and its submission_metadata.yml are as readers of its users take
them apart, the columns those of the CSV that "Download Grades" gives (help.gradescope.com). Its
results, in `report.gradescope`, are documented (gradescope-autograders.readthedocs.io, "Autograder
Specifications").
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import ClassVar

from grader.course.roster import Identity
from grader.errors import UsageError
from grader.lms.clock import iso_time
from grader.lms.lms_table import LmsLine, LmsTable
from grader.lms.system import (
    Columns,
    Context,
    Entry,
    ExportMetadata,
    FileOwner,
    MarkColumn,
    Sidecar,
    System,
    only_target,
)
from grader.points import show

_METADATA = "submission_metadata.yml"
_FOLDER = re.compile(r"submission_(\d+)")


class Gradescope(System):
    """Turnitin's."""

    name = "gradescope"
    title = "Gradescope"
    by_paths = 10
    columns: ClassVar[Columns] = {
        "name": ("name",),
        "number": ("sid", "student id"),
        "email": ("email",),
        "section": ("sections", "section"),
    }
    time_columns = ("submission time",)
    download = "the assignment → Review Grades → Download Grades"
    one_item = True

    def made(self, paths: Collection[str]) -> bool:
        tops = {path.partition("/")[0] for path in paths}
        return _METADATA in tops and all(_FOLDER.fullmatch(top) for top in tops - {_METADATA})

    def is_sidecar(self, path: str) -> bool:
        return path.rpartition("/")[2] == _METADATA

    def told_by(self, files: Sequence[Sidecar], context: Context) -> ExportMetadata:
        return ExportMetadata(context.roster, context.zone, dict(_entries(_metadata(files))))

    def place_of(self, path: str, told: ExportMetadata) -> FileOwner | None:
        top, _, rest = path.partition("/")
        match = _FOLDER.fullmatch(top)
        people, at = told.entries.get(match[1] if match else "", ((), None))
        if not people:
            return None
        return FileOwner(people[0], rest or "nothing", at=at, others=people[1:])

    def exported(self, columns: frozenset[str]) -> bool:
        return bool(columns & {"sid", "total score"}) and "email" in columns

    def targets(self, table: LmsTable) -> list[MarkColumn]:
        return [only_target(table, ("total score",), ("max points",))]

    def finish(self, table: LmsTable, line: LmsLine, max_points: Decimal) -> None:
        for name, text in (("max points", show(max_points)), ("status", "Graded")):
            place = table.column(name)
            if place is not None and not line.cell(place):
                table.set(line, place, text)


def _metadata(files: Iterable[Sidecar]) -> bytes:
    found = next((file for file in files if file.path == _METADATA), None)
    if found is None or not found.readable:
        raise UsageError(
            f"the export holds no {_METADATA} that can be read",
            hint="Take the whole export, as Gradescope makes it.",
        )
    return found.read()


def _entries(data: bytes) -> Iterator[tuple[str, Entry]]:
    import yaml

    # The fastest that reads all values as plain text, and knows no tag that could make anything.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        document = yaml.load(data, Loader=loader)  # noqa: S506 - knows no tags
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{_METADATA} can't be read: {str(error)[:200]}") from error
    for name, entry in document.items() if isinstance(document, dict) else ():
        match = re.fullmatch(r"submission_(\d+)", str(name))
        if match is None or not isinstance(entry, dict):
            continue
        people = entry.get(":submitters")
        who = tuple(
            Identity(
                name=_word(person, ":name"),
                number=_word(person, ":sid"),
                email=_word(person, ":email"),
            )
            for person in (people if isinstance(people, list) else ())
            if isinstance(person, dict)
        )
        at = iso_time(_word(entry, ":created_at"), dt.UTC)
        yield match[1], (tuple(w for w in who if w.key), at)


def _word(entry: dict[object, object], key: str) -> str:
    value = entry.get(key)
    return " ".join(value.split())[:200] if isinstance(value, str) else ""
