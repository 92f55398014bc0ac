"""What one student may see of an assignment now, made of the record when it is asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from grader.course.directory import Assignment, Course
from grader.course.spec import AssignmentSpec
from grader.gradebook.adjustments import adjusted
from grader.gradebook.course_marks import marked_answers
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.standings import Standing, Standings
from grader.gradebook.store import Gradebook
from grader.gradebook.whole_mark import Given
from grader.grading.verdict import Verdict
from grader.report.marks import Audience, MarkSheet, mark_sheet
from grader.report.student_page import student_page


@dataclass(frozen=True, kw_only=True)
class OwnWork:
    """One student and one assignment.

    Attributes:
        standing: due date for this student, lateness, extension.
        counted: the verdict that counts; None where nothing has one.
        sheet: the marks that may be seen of it.
    """

    assignment: str
    spec: AssignmentSpec
    standing: Standing
    counted: Verdict | None
    sheet: MarkSheet | None


class WorkReader:
    """Reads one assignment for one reader after the other.

    Args:
        course, assignment, gradebook: of these.
        published: students see what people gave, and what lateness costs; else what the suite
            says alone.
        now: decides which tests are shown.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        gradebook: Gradebook,
        *,
        published: bool,
        now: dt.datetime,
    ) -> None:
        self._course = course
        self._assignment = assignment
        self._gradebook = gradebook
        self._published = published
        self._now = now
        self._standings = Standings(course, assignment, gradebook)

    def own(self, student: str) -> OwnWork:
        """Return what a student may see of their own work."""
        counted = self._counted(student)
        standing = self._standing(student, counted)
        sheet = self.sheet(counted, standing, "student") if counted else None
        return OwnWork(
            assignment=self._assignment.name,
            spec=self._assignment.spec,
            standing=standing,
            counted=counted,
            sheet=sheet,
        )

    def sheet(self, verdict: Verdict, standing: Standing, audience: Audience) -> MarkSheet:
        """Return the marks of one verdict that this reader may see."""
        return mark_sheet(
            self._seen(verdict, audience),
            spec=self._assignment.spec,
            audience=audience,
            now=self._now,
            given=self.given(verdict, audience),
            by_hand=standing.by_hand,
        )

    def page(self, verdict: Verdict, audience: Audience) -> str:
        """Return the whole page of one verdict, with the executed notebook."""
        return student_page(
            self._seen(verdict, audience),
            self._gradebook.executed_notebook(verdict),
            spec=self._assignment.spec,
            audience=audience,
            now=self._now,
            given=self.given(verdict, audience),
            standing=self._standing(verdict.student, verdict),
            template_dirs=self._course.template_dirs,
        )

    def _counted(self, student: str) -> Verdict | None:
        entries = self._gradebook.history(self._assignment.name, student)
        newest = {entry.verdict.submission.attempt: entry for entry in entries}
        held = {e.verdict.submission.attempt: e for e in entries if e.holds}
        verdicts = {n: entry.verdict for n, entry in {**newest, **held}.items()}
        counted = counted_verdicts(
            self._course, self._assignment, self._gradebook, verdicts.values()
        )
        # As the suite judged it: what people added is put to it where this reader may see that.
        return verdicts[counted[0].submission.attempt] if counted else None

    def _seen(self, verdict: Verdict, audience: Audience) -> Verdict:
        """A verdict of the suite, with the points that people gave beside it once they are out."""
        if audience == "student" and not self._published:
            return verdict
        return adjusted(verdict, self._standings.newest(verdict.student))

    def _standing(self, student: str, verdict: Verdict | None) -> Standing:
        found = self._standings.of(
            [verdict] if verdict else [],
            newest=self._standings.newest(student),
            now=self._now,
            whole=False,
            also=[student],
        )[student]
        if self._published:
            return found
        # What a person gave for the whole is not out yet, nor what lateness makes of it.
        return replace(found, earned=None, refused=False, by_hand=None)

    def given(self, verdict: Verdict, audience: Audience) -> Given:
        """Return what people gave and said, by question, as far as this reader may see it."""
        if audience == "student" and not self._published:
            return {}
        return marked_answers(verdict, self._standings.newest(verdict.student))
