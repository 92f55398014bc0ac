"""Pages of a graded class, made of what the gradebook holds."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grader.api.shown_try import best_of_what_is_shown
from grader.course.directory import Assignment, Course
from grader.course.spec import AssignmentSpec
from grader.errors import GraderError, UsageError
from grader.gradebook.adjustments import adjusted
from grader.gradebook.changed import changed
from grader.gradebook.course_marks import marked_answers
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.reuse import key_of
from grader.gradebook.standings import Standing, Standings, class_marks
from grader.gradebook.store import Gradebook
from grader.gradebook.whole_mark import WholeMark
from grader.grading.reference_runs import kept_reference_runs
from grader.grading.verdict import Verdict
from grader.intake.pseudonyms import pseudonyms
from grader.report.comments import absent_lines, comment_lines
from grader.report.markdown import load_renderer
from grader.report.marks import MarkSheet, mark_sheet, with_due
from grader.report.overview import OverviewLine, findings
from grader.report.page_writer import PageWriter, ShownTry


@dataclass(frozen=True, kw_only=True)
class Report:
    """What pages say: of whom, what each has, and what is worth a look.

    Attributes:
        verdicts: the one that counts for each student.
        pages: those for students, by student.
        standings: by student, also of those who handed in nothing.
        marks: the one number of each student; None where there is none.
        findings: gravest first.
    """

    assignment: str
    spec: AssignmentSpec
    verdicts: list[Verdict]
    pages: dict[str, Path]
    class_page: Path
    standings: Mapping[str, Standing]
    marks: Mapping[str, WholeMark | None]
    findings: Sequence[OverviewLine]


def write_report(course: Course, assignment: str, *, out: Path | None = None) -> Path:
    """Write the pages of an assignment that are not as they would be now; returns the class page.

    Raises:
        UsageError: nothing has been graded yet.
    """
    return report(course, assignment, out=out).class_page


def report(course: Course, assignment: str, *, out: Path | None = None) -> Report:
    """Write the pages of an assignment that are not as they would be now, and say what is on them.

    A page that was changed or deleted since it was written is written again.

    Raises:
        UsageError: nothing has been graded yet.
    """
    chosen = course.assignment(assignment)
    with Gradebook(course.database_url) as gradebook:
        verdicts = counted_verdicts(course, chosen, gradebook)
        if not verdicts:
            raise UsageError(
                f"nothing of {assignment} has been graded yet",
                hint=f"Run `grader grade {assignment} SOURCE` first.",
            )
        pages = Pages(course, chosen, gradebook, out=out, keep=True)
        pages.know(gradebook.entry_names(assignment))
        for entry in gradebook.unmarked(assignment):
            pages.add(entry.verdict, entry.name)
        return pages.write(verdicts)


def page_comments(course: Course, assignment: str) -> dict[str, list[str]]:
    """Return what students may read of their work now, by student, in lines of plain text."""
    chosen = course.assignment(assignment)
    with Gradebook(course.database_url) as gradebook:
        verdicts = counted_verdicts(course, chosen, gradebook)
        return Pages(course, chosen, gradebook).comments(verdicts)


class Pages:
    """The pages of one assignment.

    With `keep`, what has not changed since it was written is left as it is. So a batch can write
    pages while it runs: those that still hold at its end are not written again.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        gradebook: Gradebook,
        *,
        out: Path | None = None,
        keep: bool = False,
    ) -> None:
        self._course = course
        self._assignment = assignment
        self._gradebook = gradebook
        self._entries: dict[tuple[str, int], str] = {}
        self._ahead: deque[Verdict] = deque()
        self._now = dt.datetime.now(dt.UTC)
        self._standings = Standings(course, assignment, gradebook)
        self._newest = self._standings.newest()
        self._writer = PageWriter(
            out or course.graded_dir / assignment.name,
            spec=assignment.spec,
            template_dirs=course.template_dirs,
            keep=keep,
            reference_runs=kept_reference_runs(course, assignment.name),
        )

    def add(self, verdict: Verdict, entry: str, *, ahead: bool = False) -> None:
        """Tell which entry of the gradebook a verdict is; `ahead`: its page may be written soon."""
        self._entries[key_of(verdict)] = entry
        if ahead:
            self._ahead.append(verdict)

    def know(self, entries: Mapping[tuple[str, int], str]) -> None:
        """Tell which entries of the gradebook hold, by student and attempt."""
        self._entries |= entries

    def write_one_ahead(self) -> bool:
        """Do one thing of the pages whose time may come later; say whether there was one.

        The first is to load what most pages need, while the batch waits for its judge.
        """
        if not self._ahead:
            return load_renderer()
        verdict = self._ahead.popleft()
        try:
            standings = self._standings_of([verdict], whole=False)
            self._student(verdict, self._aliases([verdict]), standings, {})
        except GraderError:  # what stops pages must not stop the grading: `write` will say it
            self._ahead.clear()
        return True

    def write(self, verdicts: Sequence[Verdict]) -> Report:
        """Write the pages of what counts.

        Raises:
            InfrastructureError: they can't be written.
            GraderError: a template of the course is wrong.
        """
        self._newest = self._standings.newest()
        aliases = self._aliases(verdicts)
        standings = self._standings_of(verdicts)
        given = {v.student: marked_answers(v, self._newest) for v in verdicts}
        instead = self._shown_instead(verdicts, standings)
        pages = {v.student: self._student(v, aliases, standings, instead) for v in verdicts}
        for student, standing in standings.items():
            if student not in pages:
                self._writer.absent(student, standing)
        self._writer.leaderboard(
            [instead[v.student].verdict if v.student in instead else v for v in verdicts], aliases
        )
        class_page = self._writer.class_page(
            verdicts, standings=standings, given=given, problem=self._standings.problem
        )
        spec = self._assignment.spec
        marks = class_marks(verdicts, standings, given)
        return Report(
            assignment=self._assignment.name,
            spec=spec,
            verdicts=list(verdicts),
            pages=pages,
            class_page=class_page,
            standings=standings,
            marks=marks,
            findings=findings(
                verdicts,
                spec=spec,
                standings=standings,
                marks=marks,
                problem=self._standings.problem,
            ),
        )

    def comments(self, verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
        """Return what students may read of their work now, in lines of plain text."""
        standings = self._standings_of(verdicts)
        instead = self._shown_instead(verdicts, standings)
        said = {student: absent_lines(standing) for student, standing in standings.items()}
        for verdict in verdicts:
            student = verdict.student
            shown = instead.get(student) or self._shown_try(verdict, standings[student])
            said[student] = comment_lines(
                shown.verdict,
                spec=self._assignment.spec,
                now=self._now,
                given=shown.given,
                standing=shown.standing,
            )
        return said

    def _shown_instead(
        self, verdicts: Sequence[Verdict], standings: Mapping[str, Standing]
    ) -> dict[str, ShownTry]:
        """The try that a student sees, of those to whom the one that counts would tell too much."""
        spec = self._assignment.spec
        if spec.attempts.counts != "best":
            return {}
        tries: dict[str, list[Verdict]] = {}
        for entry in self._gradebook.tried(self._assignment.name):
            tries.setdefault(entry.verdict.student, []).append(entry.verdict)
        found = []
        for verdict in verdicts:
            standing = standings[verdict.student]
            best = best_of_what_is_shown(
                spec, tries.get(verdict.student, []), partial(self._seen, standing=standing)
            )
            if best is not None:
                found.append(adjusted(best, self._newest))
        others = self._standings_of(found, whole=False)
        return {one.student: self._shown_try(one, others[one.student]) for one in found}

    def _shown_try(self, verdict: Verdict, standing: Standing) -> ShownTry:
        return ShownTry(
            verdict=verdict,
            executed_notebook=lambda: self._gradebook.executed_notebook(verdict),
            given=marked_answers(verdict, self._newest),
            standing=standing,
        )

    def _seen(self, verdict: Verdict, *, standing: Standing) -> MarkSheet:
        spec = with_due(self._assignment.spec, standing.shown_from)
        return mark_sheet(verdict, spec=spec, audience="student", now=self._now)

    def _standings_of(
        self, verdicts: Sequence[Verdict], *, whole: bool = True
    ) -> dict[str, Standing]:
        found = self._standings.of(verdicts, newest=self._newest, now=self._now, whole=whole)
        # Who reads "not handed in" after handing in at the desk would be told something wrong.
        open_ = self._gradebook.unjudged(self._assignment.name)
        return {
            s: changed(one, absent=False, unjudged=True)
            if one.absent and not open_.keys().isdisjoint((s, *one.group))
            else one
            for s, one in found.items()
        }

    def _student(
        self,
        verdict: Verdict,
        aliases: Mapping[str, str],
        standings: Mapping[str, Standing],
        instead: Mapping[str, ShownTry],
    ) -> Path:
        return self._writer.student(
            verdict,
            lambda: self._gradebook.executed_notebook(verdict),
            given=marked_answers(verdict, self._newest),
            standing=standings.get(verdict.student),
            alias=aliases.get(verdict.student, ""),
            entry=self._entries[key_of(verdict)],
            shown=instead.get(verdict.student),
        )

    def _aliases(self, verdicts: Sequence[Verdict]) -> dict[str, str]:
        """The name of each student on the leaderboard; none where there is no leaderboard."""
        if self._assignment.spec.leaderboard is None:
            return {}
        return pseudonyms((v.student for v in verdicts), root=self._course.root)
