"""Everything that belongs to a batch, written into one folder; what has not changed is left."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader.course.spec import AssignmentSpec
from grader.gradebook.standings import Standing
from grader.gradebook.whole_mark import Given
from grader.grading.reference_runs import ReferenceRuns
from grader.grading.verdict import Verdict, verdict_to_json
from grader.report.class_page import class_page
from grader.report.files import LEADERBOARD, file_name, write_pages
from grader.report.gradescope import results_json
from grader.report.kept import NOTE, KeptPages, version_of_pages
from grader.report.leaderboard import leaderboard_page
from grader.report.marks import Audience, aware
from grader.report.student_page import absent_page, student_page


@dataclass(frozen=True, kw_only=True)
class ShownTry:
    """What a student's own page and comments are about, where that isn't the try that counts.

    Attributes: as the arguments of `PageWriter.student`.
    """

    verdict: Verdict
    executed_notebook: Callable[[], bytes | None]
    given: Given
    standing: Standing


class PageWriter:
    """Writes what belongs to a batch into one folder.

    `students/` holds what may be sent to each student, `instructors/` each student's whole page
    and verdict (expected values included), `gradescope/` the results for Gradescope;
    `class.html` is for instructors. With `keep`, what has not changed since it was written is
    left as it is.
    """

    def __init__(
        self,
        folder: Path,
        *,
        spec: AssignmentSpec,
        template_dirs: Sequence[Path] = (),
        now: dt.datetime | None = None,
        keep: bool = False,
        reference_runs: ReferenceRuns | None = None,
    ) -> None:
        self._folder = folder
        self._spec = spec
        self._template_dirs = tuple(template_dirs)
        self._now = now or dt.datetime.now(dt.UTC)
        self._keep = keep
        self._reference_runs = reference_runs
        self._kept = KeptPages(folder)
        self._of_all = self._what_all_are_made_of()

    def student(
        self,
        verdict: Verdict,
        executed_notebook: Callable[[], bytes | None],
        *,
        given: Given | None = None,
        standing: Standing | None = None,
        alias: str = "",
        entry: str = "",
        shown: ShownTry | None = None,
    ) -> Path:
        """Write everything about one submission; return the page that its student may get.

        Args:
            verdict: what to show.
            executed_notebook: asked for only when the page is made.
            given: by question, the points and the comment of a person who read the answer.
            standing: name, lateness, extension and the like of the student.
            alias: the student's pseudonym, where there is a leaderboard.
            entry: names the record of verdict and notebook; without it nothing is kept.
            shown: the try that the student's page is about, where that isn't this one.

        Raises:
            InfrastructureError: the folder can't be written.
        """
        name = file_name(verdict.student)
        made_of = self._made_of(entry, verdict, given, standing, alias) if entry else ""
        if made_of and shown is not None:
            made_of += self._made_of(entry, shown.verdict, shown.given, shown.standing, alias)
        if self._keep and made_of and self._kept.holds(name, made_of):
            return self._folder / f"students/{name}.html"
        notebook = executed_notebook()
        by_hand = standing.by_hand if standing else None
        results = json.dumps(
            results_json(verdict, spec=self._spec, now=self._now, given=given, by_hand=by_hand),
            indent=2,
        )

        def page(audience: Audience) -> str:
            own = shown if audience == "student" else None
            return student_page(
                own.verdict if own else verdict,
                own.executed_notebook() if own else notebook,
                spec=self._spec,
                audience=audience,
                now=self._now,
                given=own.given if own else given,
                standing=own.standing if own else standing,
                alias=alias,
                reference_runs=self._reference_runs,
                template_dirs=self._template_dirs,
            )

        pages: dict[str, str | bytes] = {
            f"students/{name}.html": page("student"),
            f"instructors/{name}.html": page("instructor"),
            f"instructors/{name}.json": verdict_to_json(verdict),
            f"gradescope/{name}.json": results,
        }
        written = write_pages(self._folder, pages)
        if made_of:
            self._kept.written(name, made_of, list(pages))
        return written[0]

    def absent(self, student: str, standing: Standing) -> Path:
        """Write the page of a student of whom nothing was handed in, and return its path.

        Raises:
            InfrastructureError: the folder can't be written.
        """
        name = file_name(student)
        file = f"students/{name}.html"
        made_of = hashlib.sha256(
            b"\0".join((self._of_all, student.encode("utf-8", "replace"), repr(standing).encode()))
        ).hexdigest()
        if self._keep and self._kept.holds(name, made_of):
            return self._folder / file
        html = absent_page(
            student,
            spec=self._spec,
            standing=standing,
            now=self._now,
            template_dirs=self._template_dirs,
        )
        written = write_pages(self._folder, {file: html})
        self._kept.written(name, made_of, [file])
        return written[0]

    def class_page(
        self,
        verdicts: Sequence[Verdict],
        *,
        standings: Mapping[str, Standing] | None = None,
        given: Mapping[str, Given] | None = None,
        problem: str = "",
    ) -> Path:
        """Write the class's page, with links to the instructors' pages, and return its path.

        It comes last: with it the note is written of what the pages were made of.

        Args:
            verdicts: those that count.
            standings: by student, also of those who handed in nothing.
            given: by student, what people gave.
            problem: why lateness and the like are not known.

        Raises:
            InfrastructureError: the folder can't be written.
        """
        links = {s: f"students/{file_name(s)}.html" for s in standings or {}}
        html = class_page(
            verdicts,
            spec=self._spec,
            links=links | {v.student: f"instructors/{file_name(v.student)}.html" for v in verdicts},
            standings=standings,
            given=given,
            problem=problem,
            now=self._now,
            template_dirs=self._template_dirs,
        )
        return write_pages(self._folder, {"class.html": html, NOTE: self._kept.content()})[0]

    def leaderboard(self, verdicts: Sequence[Verdict], names: Mapping[str, str]) -> Path | None:
        """Write the page that ranks the class by pseudonym, if the spec asks for one.

        Raises:
            InfrastructureError: the folder can't be written.
        """
        if self._spec.leaderboard is None:
            return None
        html = leaderboard_page(
            verdicts,
            spec=self._spec,
            names=names,
            now=self._now,
            template_dirs=self._template_dirs,
        )
        return write_pages(self._folder, {LEADERBOARD: html})[0]

    def _what_all_are_made_of(self) -> bytes:
        due = aware(self._spec.dates.due)
        parts = (
            version_of_pages(self._template_dirs).encode(),
            msgspec.json.encode([self._spec, self._reference_runs]),
            # A date without a zone is this machine's; what is shown changes when it has passed.
            f"{due} {due is None or self._now >= due}".encode(),
        )
        return b"\0".join(parts)

    def _made_of(
        self,
        entry: str,
        verdict: Verdict,
        given: Given | None,
        standing: Standing | None,
        alias: str,
    ) -> str:
        by_hand = [(q, str(points), comment) for q, (points, comment) in (given or {}).items()]
        parts = (
            self._of_all,
            entry.encode(),
            alias.encode(),
            repr(standing).encode("utf-8", "replace"),
            str(_is_told(standing, self._now)).encode(),
            msgspec.json.encode([verdict, sorted(by_hand)]),
        )
        return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _is_told(standing: Standing | None, now: dt.datetime) -> bool:
    """Whether the date of a student's whole group has passed; a standing tells of their own."""
    return standing is None or standing.told_from is None or now >= standing.told_from
