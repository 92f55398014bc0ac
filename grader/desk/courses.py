"""The courses of a desk: each a course directory with its gradebook, and the people in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.api.answer_marking import AnswerMarking
from grader.api.class_list import ClassRecord, class_record
from grader.api.totals import CourseTotals, course_totals
from grader.course.course_file import CourseFile
from grader.course.course_reading import load_course_file
from grader.course.directory import Assignment, Course
from grader.course.groups import GROUPS_NAME, Groups, load_groups
from grader.course.loading import SPEC_NAME
from grader.course.roster import ROSTER_NAME, Roster, load_roster
from grader.course.scheme import load_scheme
from grader.desk.credentials import Credential, Credentials
from grader.desk.kept import Kept, file_stamp
from grader.desk.people import People, User
from grader.desk.record import Audit, slug_of
from grader.desk.settings import DeskSettings
from grader.desk.university.identities import Identities
from grader.desk.university.provider import Provider
from grader.errors import GraderError, UsageError
from grader.gradebook.changes import Changes
from grader.gradebook.outbox import Outbox
from grader.gradebook.publications import Publications, PublishedMarks, Scope, item_scope
from grader.gradebook.store import Gradebook

_PILES = 100
"""Of so many markers and questions the order of answers is kept: of 1,500 it is 0.1 MB."""


@dataclass(frozen=True, kw_only=True)
class DeskCourse:
    """One course. `slug` stands in addresses; `outbox` is sent where `sends_mail`.

    With `open_sections` a marker of one section sees the others too.
    """

    slug: str
    course: Course
    gradebook: Gradebook
    people: People
    publications: Publications
    outbox: Outbox
    audit: Audit
    sends_mail: bool = False
    open_sections: bool = False
    kept: Kept = field(default_factory=Kept, repr=False)
    piles: Kept = field(default_factory=lambda: Kept(most=_PILES), repr=False)

    def marking(self, assignment: Assignment) -> AnswerMarking:
        """Return the answers of an assignment, as they are now."""
        return AnswerMarking(self.course, assignment, self.gradebook)

    @property
    def title(self) -> str:
        """What the course file says, else the folder's name."""
        facts = self.facts
        return (facts.title if facts else "") or self.course.root.name

    @property
    def zone(self) -> dt.tzinfo:
        """The course's time zone; UTC where it has no course file."""
        facts = self.facts
        return facts.zone if facts else dt.UTC

    @property
    def roster(self) -> Roster:
        """Who takes the course; read again when the file has changed."""
        stamp = file_stamp(self.course.root / ROSTER_NAME)
        return self.kept.get("roster", stamp, lambda: load_roster(self.course))

    def user(self, credential: Credential) -> User | None:
        """Return who somebody is in this course, by what they are known with; None: nobody."""
        account = credential.account_in(self.slug)
        user = self.people.user(account) if account is not None else None
        return replace(user, section="") if user and self.open_sections else user

    def scheme(self) -> CourseFile | None:
        """Return what counts how much; None where that is not said, or not rightly."""
        if not self.course.course_file.is_file():
            return None
        files = file_stamp(self.course.course_file, *self._specs)
        try:
            return self.kept.get("scheme", files, lambda: load_scheme(self.course))
        except GraderError:  # whoever computes totals is told
            return None

    def scopes(self, scheme: CourseFile | None) -> list[Scope]:
        """Return what is published together: an assignment with its items, or an item alone."""
        items = scheme.items if scheme else ()
        of_assignments = [
            Scope(
                name=name,
                assignment=name,
                items=tuple(item.id for item in items if item.assignment == name),
            )
            for name in self.course.names()
        ]
        return [*of_assignments, *(item_scope(i.id) for i in items if i.assignment is None)]

    def published_marks(self) -> PublishedMarks:
        """Return what students may see of what people said."""
        return self.publications.marks(self.scopes(self.scheme()))

    def section_of(self, student: str) -> str:
        """Return a student's section, empty where the roster names none."""
        person = self.roster.people.get(student)
        return person.section if person else ""

    def team(self, assignment: str, student: str) -> tuple[str, ...]:
        """Return with whom a student hands in an assignment, as the groups are now."""
        scheme = self.scheme()
        item = scheme.item_of(assignment) if scheme else None
        members = self._groups().members.get(item.id, {}) if item else {}
        return tuple(member for member in members.get(student, ()) if member != student)

    def _groups(self) -> Groups:
        scheme, path = self.scheme(), self.course.root / GROUPS_NAME
        if scheme is None:
            return Groups()
        files = file_stamp(path, self.course.course_file, *self._specs)
        try:
            return self.kept.get("groups", files, lambda: load_groups(self.course, scheme))
        except GraderError:  # the page of the groups says what is wrong with them
            return Groups()

    def record(self, assignment: Assignment, now: dt.datetime, changes: Changes) -> ClassRecord:
        """Return everybody and an assignment, as the record has it.

        Args:
            assignment: of this course.
            now: decides what is overdue.
            changes: how far the record goes now.
        """
        return self.kept.get(
            ("class", assignment.name),
            self._stamp(assignment, changes),
            lambda: class_record(
                self.course,
                assignment,
                self.gradebook,
                now=now,
                roster=self.roster,
                scheme=self.scheme(),
            ),
            holds=lambda found: found.holds_until is None or now <= found.holds_until,
        )

    def totals(self, changes: Changes, now: dt.datetime) -> CourseTotals:
        """Return everybody's total; what is overdue is looked at once an hour.

        Raises:
            GraderError: there is no course file, it leaves something open, or a mark does not fit.
        """
        files = file_stamp(*self._class_files, *self._specs)
        return self.kept.get(
            "totals",
            (changes.whole, files, now.replace(minute=0, second=0, microsecond=0)),
            lambda: course_totals(
                self.course, now=now, history=False, before=self.kept.last("totals")
            ),
        )

    @property
    def _class_files(self) -> tuple[Path, ...]:
        """What says who the class is, and how lateness counts."""
        root = self.course.root
        return root / ROSTER_NAME, root / GROUPS_NAME, self.course.course_file

    @property
    def _specs(self) -> list[Path]:
        """What says what the course's assignments are worth, and when they are due."""
        return [self.course.root / "assignments" / n / SPEC_NAME for n in self.course.names()]

    def _stamp(self, assignment: Assignment, changes: Changes) -> Hashable:
        files = file_stamp(*self._class_files, assignment.spec_path)
        try:
            scheme = self.facts
        except GraderError:  # the record says what is wrong with it
            return files, changes.whole
        if scheme is None:
            return files, changes.of(assignment.name)
        if scheme.late is not None and scheme.late.grace_days:  # shared between all items
            return files, changes.whole
        items = [item.id for item in scheme.items if item.assignment == assignment.name]
        return files, changes.of(assignment.name, items)

    @property
    def facts(self) -> CourseFile | None:
        """The course file as it is written; None where there is none.

        Raises:
            SpecError: it is wrong.
        """
        path = self.course.course_file
        if not path.is_file():
            return None
        return self.kept.get("facts", file_stamp(path), lambda: load_course_file(path))

    def assignments(self) -> list[Assignment]:
        """Return all assignments, by name."""
        return [self.course.assignment(name) for name in self.course.names()]

    def is_released(self, assignment: Assignment, now: dt.datetime) -> bool:
        """Say whether students may see an assignment by now."""
        released = assignment.spec.dates.released
        if released is None:
            return True
        return (released if released.tzinfo else released.replace(tzinfo=self.zone)) <= now


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything that a request needs.

    `origin` is the desk's own address, such as https://desk.example.edu. `uploads` is where files
    wait that were looked at and are not handed in yet. `settings` are those of `desk.toml`.
    """

    courses: dict[str, DeskCourse]
    credentials: Credentials
    audit: Audit
    identities: Identities
    providers: dict[str, Provider]
    origin: str
    uploads: Path
    max_upload_mb: int = 100
    settings: DeskSettings = field(default_factory=DeskSettings)
    accounts: Gradebook = field(repr=False)

    def log_of(self, course: str) -> Audit:
        """Return the log of a course; of what is no course's, the desk's own."""
        return self.courses[course].audit if course in self.courses else self.audit

    def sign_in_link(self, account: int) -> str:
        """Return an address by which an account signs in, in all of its courses."""
        links = self.credentials.make_links([account], course=None, now=dt.datetime.now(dt.UTC))
        return f"{self.origin}/s/{links[account]}"

    @property
    def is_https(self) -> bool:
        """Whether browsers keep its cookie to encrypted connections."""
        return self.origin.startswith("https://")

    @property
    def cookie(self) -> str:
        """The session's cookie; `__Host-` binds it to this very host, and needs encryption."""
        return "__Host-grader" if self.is_https else "grader"


def open_desk(
    roots: list[Path],
    *,
    origin: str,
    accounts_url: str = "",
    max_upload_mb: int = 100,
    settings: DeskSettings | None = None,
) -> Desk:
    """Open the courses of a desk.

    Args:
        roots: course directories; the first one's gradebook holds the accounts.
        origin: the desk's own address.
        accounts_url: the database that holds the accounts instead.
        max_upload_mb: what one upload may have at most.
        settings: of a `desk.toml`.

    Raises:
        UsageError: two courses have one name.
        GradebookError: a gradebook can't be opened.
    """
    settings = settings or DeskSettings()
    gradebooks = {}
    for root in roots:
        course = Course.find(root)
        slug = slug_of(course)
        if slug in gradebooks:
            raise UsageError(
                f"two courses are called {slug}",
                where=course.root,
                hint="Rename one of the folders: the name is in the desk's addresses.",
            )
        gradebooks[slug] = (course, Gradebook(course.database_url))
    for slug in set(settings.file.open_sections) - set(gradebooks):
        raise UsageError(
            f"open_sections of desk.toml: there is no course {slug!r} here",
            hint=f"There are: {', '.join(gradebooks)}.",
        )
    first, book = next(iter(gradebooks.values()))
    books = {own.engine.url: own for _, own in gradebooks.values()}
    accounts = book
    if accounts_url:  # of a database that is a course's too, two transactions could not be one
        named = Gradebook(accounts_url)
        accounts = books.get(named.engine.url, named)
    uploads = first.root / ".desk-uploads"
    uploads.mkdir(mode=0o700, exist_ok=True)
    return Desk(
        courses={
            slug: DeskCourse(
                slug=slug,
                course=course,
                gradebook=own,
                people=People(accounts.engine, slug),
                publications=Publications(own.engine),
                outbox=Outbox(own.engine),
                audit=Audit(own.engine),
                sends_mail=settings.file.mail is not None,
                open_sections=slug in settings.file.open_sections,
            )
            for slug, (course, own) in gradebooks.items()
        },
        credentials=Credentials(accounts.engine),
        audit=Audit(accounts.engine),
        identities=Identities(accounts.engine),
        providers=_providers(settings, origin.rstrip("/")),
        origin=origin.rstrip("/"),
        uploads=uploads,
        max_upload_mb=max_upload_mb,
        settings=settings,
        accounts=accounts,
    )


def _providers(settings: DeskSettings, origin: str) -> dict[str, Provider]:
    return {
        one.id: Provider(one, settings.client_secret(one), f"{origin}/sign-in/with/{one.id}/answer")
        for one in settings.file.sign_in
    }
