"""Students' pages for a web server, and the list from which each gets their link."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.api.student_pages import everybody, student_pages
from grader.course.course_reading import load_course_file
from grader.course.directory import Course
from grader.course.roster import Person, Roster, load_roster
from grader.course.secret import kept_secret
from grader.errors import InfrastructureError, UsageError
from grader.gradebook.store import Gradebook
from grader.report.files import LEADERBOARD
from grader.report.publishing import OwnPage, lay_out
from grader.storage import write_atomically
from grader.table_cells import safe_cell

KEY_NAME = ".published.key"
TOTALS = "totals"


@dataclass(frozen=True)
class Published:
    """The folder for the server, the list for the mail merge, and who is in it.

    Attributes:
        unreachable: students of whom the roster has no e-mail.
    """

    folder: Path
    links: Path
    students: int
    pages: int
    unreachable: tuple[str, ...] = ()


def publish(
    course: Course,
    assignments: Sequence[str] = (),
    *,
    url: str = "",
    out: Path | None = None,
    links: Path | None = None,
) -> Published:
    """Lay out the students' pages that `graded/` holds.

    Args:
        course: whose pages.
        assignments: which; by default all that have pages, and the totals.
        url: of the folder on the server.
        out: default: `published/`.
        links: default: `published-links.csv`, which must not lie in the folder.

    Raises:
        UsageError: there is no page, or the folder holds something else.
    """
    folder = (out or course.root / "published").resolve()
    table = (links or course.root / "published-links.csv").resolve()
    if table.is_relative_to(folder):
        raise UsageError("the list of all links would be on the web server", where=table)
    own: dict[str, list[OwnPage]] = {}
    for student, page in _pages(course, assignments):
        own.setdefault(student, []).append(page)
    if not own:
        raise UsageError(
            "there is no page to publish",
            where=course.graded_dir,
            hint="Run `grader grade` or `grader report`, and `grader totals`, first.",
        )
    roster = load_roster(course)
    title = load_course_file(course.course_file).title if course.course_file.is_file() else ""
    places = lay_out(
        folder,
        dict(sorted(own.items())),
        key=kept_secret(course.root / KEY_NAME, of="the published pages"),
        names={s: p.name for s, p in roster.people.items()},
        course=title,
        now=dt.datetime.now(dt.UTC).replace(microsecond=0),
        template_dirs=course.template_dirs,
    )
    _write_links(table, _merge(places, roster, url))
    unreachable = [s for s in places if not roster.people.get(s, Person(id=s)).email]
    count = sum(map(len, own.values()))
    return Published(folder, table, len(places), count, tuple(unreachable))


def _pages(course: Course, assignments: Sequence[str]) -> Iterator[tuple[str, OwnPage]]:
    """Yield everybody's pages, also of those who handed in nothing."""
    unknown = [n for n in assignments if n != TOTALS and n not in course.names()]
    if unknown:
        raise UsageError(
            f"no assignment {unknown[0]!r}",
            hint=f"There are: {', '.join([*course.names(), TOTALS])}",
        )
    with Gradebook(course.database_url) as gradebook:
        students = everybody(course, gradebook)
    for name in [*course.names(), TOTALS]:
        if assignments and name not in assignments:
            continue
        title = "Totals" if name == TOTALS else course.assignment(name).spec.title
        for student, path in student_pages(course, name, students).items():
            yield student, OwnPage(f"{name}.html", title, path)
            board = course.graded_dir / name / LEADERBOARD
            if name != TOTALS and board.is_file() and not board.is_symlink():
                yield student, OwnPage(f"{name}-{LEADERBOARD}", f"{title}: leaderboard", board)


def _merge(places: dict[str, str], roster: Roster, url: str) -> Iterator[list[str]]:
    base = f"{url.rstrip('/')}/" if url else ""
    for student, place in places.items():
        person = roster.people.get(student) or Person(id=student)
        yield [person.name or student, person.email, f"{base}{place}/", student]


def _write_links(path: Path, rows: Iterator[list[str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["name", "email", "link", "id"])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    try:
        write_atomically(path, out.getvalue().encode("utf-8-sig", "replace"), mode=0o600)
    except OSError as error:
        raise InfrastructureError(
            f"the list of links can't be written: {error.strerror}", where=path
        ) from error
