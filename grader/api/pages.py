"""Pages of a graded class, made of what the gradebook holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.course.directory import Assignment, Course
from grader.errors import GraderError, UsageError
from grader.gradebook.course_marks import marked_answers
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.reuse import key_of
from grader.gradebook.store import Gradebook
from grader.grading.verdict import Verdict
from grader.intake.pseudonyms import pseudonyms
from grader.report.files import PageWriter


def write_report(course: Course, assignment: str, *, out: Path | None = None) -> Path:
    """Write the pages of an assignment that are not as they would be now; returns the class page.

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
        return pages.write(verdicts)[1]


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
        self._newest = gradebook.hand_marks.newest(item=assignment.name)
        self._writer = PageWriter(
            out or course.graded_dir / assignment.name,
            spec=assignment.spec,
            template_dirs=course.template_dirs,
            keep=keep,
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
        """Write a page whose time may come later; say whether there was one."""
        if not self._ahead:
            return False
        verdict = self._ahead.popleft()
        try:
            self._student(verdict, self._aliases([verdict]))
        except GraderError:  # what stops pages must not stop the grading: `write` will say it
            self._ahead.clear()
        return True

    def write(self, verdicts: Sequence[Verdict]) -> tuple[dict[str, Path], Path]:
        """Write the pages of what counts; returns those for students, by name, and the class's.

        Raises:
            InfrastructureError: they can't be written.
            GraderError: a template of the course is wrong.
        """
        self._newest = self._gradebook.hand_marks.newest(item=self._assignment.name)
        aliases = self._aliases(verdicts)
        pages = {v.student: self._student(v, aliases) for v in verdicts}
        self._writer.leaderboard(verdicts, aliases)
        return pages, self._writer.class_page(verdicts)

    def _student(self, verdict: Verdict, aliases: Mapping[str, str]) -> Path:
        return self._writer.student(
            verdict,
            lambda: self._gradebook.executed_notebook(verdict),
            given=marked_answers(verdict, self._newest),
            alias=aliases.get(verdict.student, ""),
            entry=self._entries[key_of(verdict)],
        )

    def _aliases(self, verdicts: Sequence[Verdict]) -> dict[str, str]:
        """The name of each student on the leaderboard; none where there is no leaderboard."""
        if self._assignment.spec.leaderboard is None:
            return {}
        return pseudonyms((v.student for v in verdicts), root=self._course.root)
