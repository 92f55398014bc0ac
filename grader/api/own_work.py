"""What one student may see of an assignment now, made of the record when it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.api.shown_try import best_of_what_is_shown
from grader.course.course_file import CourseFile
from grader.course.directory import Assignment, Course
from grader.course.roster import Roster
from grader.course.spec import AssignmentSpec
from grader.gradebook.adjustments import adjusted
from grader.gradebook.course_marks import marked_answers
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.hand_marks import MarkReader
from grader.gradebook.standings import Standing, Standings
from grader.gradebook.store import Gradebook
from grader.gradebook.whole_mark import Given
from grader.grading.reference_runs import kept_reference_runs
from grader.grading.verdict import Verdict
from grader.report.marks import Audience, MarkSheet, mark_sheet, with_due
from grader.report.student_page import student_page


@dataclass(frozen=True, kw_only=True)
class OwnWork:
    """One student and one assignment.

    Attributes:
        standing: due date for this student, lateness, extension.
        counted: the verdict that counts; None where nothing has one.
        sheet: the marks that may be seen of it.
        given: points and comments of people, by question, that may be seen.
        is_open: which try is the best is not told yet; `counted` is the best of what is shown.
    """

    assignment: str
    spec: AssignmentSpec
    standing: Standing
    counted: Verdict | None
    sheet: MarkSheet | None
    given: Given
    is_open: bool = False


class WorkReader:
    """Reads one assignment for one reader after the other.

    Args:
        course, assignment, gradebook: of these.
        marks: what this reader may see of what people said.
        roster, scheme: of the course, where they have been read already.
        whole: they may see what lateness costs, too; else what the suite says alone.
        as_student: they may not see what hidden tests say, not even by which try is the best.
        now: decides which tests are shown.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        gradebook: Gradebook,
        *,
        marks: MarkReader,
        whole: bool,
        as_student: bool,
        roster: Roster | None = None,
        scheme: CourseFile | None = None,
        now: dt.datetime,
    ) -> None:
        self._course = course
        self._assignment = assignment
        self._gradebook = gradebook
        self._marks = marks
        self._whole = whole
        self._as_student = as_student
        self._now = now
        self._standings = Standings(
            course, assignment, gradebook, marks=marks, roster=roster, scheme=scheme
        )

    def own(self, student: str) -> OwnWork:
        """Return what a student may see of their own work."""
        verdicts = [
            e.verdict for e in self._gradebook.tried(self._assignment.name, students=[student])
        ]
        counted = self._counted(verdicts)
        standing = self._standing(student, counted)
        shown = self._shown_instead(verdicts, standing) if self._as_student else None
        if shown is not None:
            counted = self._with_people(shown)
            standing = self._standing(student, counted)
        sheet = self._sheet(counted, standing, "student") if counted else None
        return OwnWork(
            assignment=self._assignment.name,
            spec=self._assignment.spec,
            standing=standing,
            counted=counted,
            sheet=sheet,
            given=self.given(counted) if counted else {},
            is_open=shown is not None,
        )

    def sheet(self, verdict: Verdict, standing: Standing, audience: Audience) -> MarkSheet:
        """Return the marks of one verdict of the record that this reader may see."""
        return self._sheet(self._with_people(verdict), standing, audience)

    def _sheet(self, verdict: Verdict, standing: Standing, audience: Audience) -> MarkSheet:
        return mark_sheet(
            verdict,
            spec=with_due(self._assignment.spec, standing.shown_from),
            audience=audience,
            now=self._now,
            given=self.given(verdict),
            by_hand=standing.by_hand,
        )

    def page(self, verdict: Verdict, audience: Audience) -> str:
        """Return the whole page of one verdict, with the executed notebook."""
        return student_page(
            self._with_people(verdict),
            self._gradebook.executed_notebook(verdict),
            spec=self._assignment.spec,
            audience=audience,
            now=self._now,
            given=self.given(verdict),
            standing=self._standing(verdict.student, verdict),
            reference_runs=kept_reference_runs(self._course, self._assignment.name),
            template_dirs=self._course.template_dirs,
        )

    def _counted(self, verdicts: Sequence[Verdict]) -> Verdict | None:
        counted = counted_verdicts(
            self._course, self._assignment, self._gradebook, verdicts, marks=self._marks
        )
        return counted[0] if counted else None

    def _shown_instead(self, verdicts: Sequence[Verdict], standing: Standing) -> Verdict | None:
        """The best of what is shown, where which is the best would tell of what is not."""
        return best_of_what_is_shown(
            self._assignment.spec, verdicts, lambda v: self._sheet(v, standing, "student")
        )

    def _standing(self, student: str, verdict: Verdict | None) -> Standing:
        found = self._standings.of(
            [verdict] if verdict else [],
            newest=self._standings.newest(student),
            now=self._now,
            whole=False,
            also=[student],
        )[student]
        if found.absent and found.group:  # another member may have handed in for all
            tried = self._gradebook.students(self._assignment.name)
            found = replace(found, absent=tried.isdisjoint(found.group))
        if self._whole:
            return found
        # What a person gave for the whole is not out yet, nor what lateness makes of it.
        return replace(found, earned=None, refused=False, by_hand=None)

    def _with_people(self, verdict: Verdict) -> Verdict:
        return adjusted(verdict, self._standings.newest(verdict.student))

    def given(self, verdict: Verdict) -> Given:
        """Return what people gave and said, by question, as far as this reader may see it."""
        return marked_answers(verdict, self._standings.newest(verdict.student))
