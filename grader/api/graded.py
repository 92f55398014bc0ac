"""What came of grading: the verdicts that count, with their pages: the last step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.api.grading_plan import GradingPlan
from grader.api.mark_notes import notes_on_marks
from grader.api.pages import Pages
from grader.course.directory import Assignment, Course
from grader.course.spec import AssignmentSpec
from grader.gradebook.course_tries import counted_verdicts
from grader.gradebook.differences import MarkChange, differences
from grader.gradebook.reuse import key_of
from grader.gradebook.standings import Standing
from grader.gradebook.store import Gradebook, StoredVerdict
from grader.gradebook.untouched import Untouched, mark_untouched
from grader.gradebook.whole_mark import WholeMark
from grader.grading.suite_faults import SuiteFault, suite_faults
from grader.grading.verdict import Outcome, Verdict
from grader.intake.collected import RefusedHandIn
from grader.report.overview import OverviewLine
from grader.sandbox.choose import Choice


@dataclass(kw_only=True)
class Graded:
    """What came of a batch: the verdict that counts for each student, and where the pages are.

    `marks` are machine and people together, `standings` say of everybody on the roster how they
    stand, `findings` are worth a look.
    """

    assignment: str
    spec: AssignmentSpec
    choice: Choice
    seed: int
    verdicts: list[Verdict]
    pages: dict[str, Path]
    class_page: Path
    run: int
    reused: int
    refused: tuple[RefusedHandIn, ...]
    duration_s: float = 0.0
    changes: list[MarkChange] = field(default_factory=list)
    untouched: Untouched = field(default_factory=Untouched)
    marks: Mapping[str, WholeMark | None] = field(default_factory=dict)
    standings: Mapping[str, Standing] = field(default_factory=dict)
    findings: Sequence[OverviewLine] = ()

    @property
    def infrastructure_errors(self) -> list[Verdict]:
        """Submissions that we failed to judge; they have no mark yet."""
        return [v for v in self.verdicts if v.outcome is Outcome.INFRASTRUCTURE_ERROR]

    @property
    def suite_faults(self) -> list[SuiteFault]:
        """Tests that the suite itself has spoilt: whom they concern has no mark yet."""
        return suite_faults(self.verdicts)


def finish_grading(
    course: Course,
    assignment: Assignment,
    gradebook: Gradebook,
    plan: GradingPlan,
    verdicts: Sequence[Verdict],
    *,
    choice: Choice,
    pages: Pages,
    refused: Sequence[RefusedHandIn] = (),
    warned: Callable[[str], None] = lambda warning: None,
) -> Graded:
    """Write the pages of what counts, and the class page; mark answers that nobody touched.

    Args:
        course: the course directory.
        assignment: of the course.
        gradebook: the record, which holds the verdicts.
        plan: what was done.
        verdicts: what stands and what is new, of the plan's submissions.
        choice: where it was run.
        pages: of the assignment; they know the entry of each verdict.
        refused: what could not be taken in.
        warned: told what is odd about marks that people gave.

    Returns:
        The result, of which the caller says how long it took.
    """
    others = _other_tries(gradebook, assignment, verdicts)
    for entry in others:
        pages.add(entry.verdict, entry.name)
    tries = [*verdicts, *(entry.verdict for entry in others)]
    counted = counted_verdicts(course, assignment, gradebook, tries)
    untouched = mark_untouched(gradebook, assignment.spec, counted)
    report = pages.write(counted)
    for note in notes_on_marks(course, assignment, gradebook):
        warned(note)
    return Graded(
        assignment=assignment.name,
        spec=assignment.spec,
        choice=choice,
        seed=plan.config.seed,
        verdicts=counted,
        pages=report.pages,
        class_page=report.class_page,
        marks=report.marks,
        standings=report.standings,
        findings=report.findings,
        run=len(plan.jobs),
        reused=len(verdicts) - len(plan.jobs),
        refused=tuple(refused),
        untouched=untouched,
        changes=differences(plan.before, [v for v in counted if v.outcome.is_mark]),
    )


def _other_tries(
    gradebook: Gradebook, assignment: Assignment, verdicts: Sequence[Verdict]
) -> list[StoredVerdict]:
    """Return what else the record has of these students: one of those tries may be what counts."""
    own = {key_of(verdict) for verdict in verdicts}
    students = {student for student, _ in own}
    known = gradebook.entry_names(assignment.name).keys() - own
    some = {student for student, _ in known if student in students}
    if not some:
        return []
    tried = gradebook.tried(assignment.name, students=some)
    return [entry for entry in tried if key_of(entry.verdict) not in own]
