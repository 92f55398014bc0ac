"""Keep each verdict when it is made: in the gradebook first, its page follows."""

from __future__ import annotations

from collections.abc import Mapping

from grader.api.pages import Pages
from grader.gradebook.store import Gradebook, StoredVerdict
from grader.grading.job import BatchConfig, Judged
from grader.grading.verdict import Verdict


class VerdictRecorder:
    """The one way of a verdict into the record, for a batch and for whatever stands.

    Args:
        gradebook: the record.
        pages: of the assignment.
        config: how the submissions are run.
        tries: of how many submissions of each student the work is: where it is more than one, only
            the end shows whose page it will be.

    Attributes:
        verdicts: what stands and what was recorded, in that order.
    """

    def __init__(
        self, gradebook: Gradebook, pages: Pages, config: BatchConfig, *, tries: Mapping[str, int]
    ) -> None:
        self._gradebook = gradebook
        self._pages = pages
        self._config = config
        self._tries = tries
        self._batch = ""
        self.verdicts: list[Verdict] = []

    def begin(self) -> None:
        """Open the batch of the record to which new verdicts belong.

        Until `end` it is unfinished, and the next batch of the assignment goes on with its seed;
        one in which each job has a seed of its own is to be ended at once.
        """
        settings = {"sandbox": self._config.sandbox, "isolation": self._config.isolation}
        self._batch = self._gradebook.start_batch(
            self._config.assignment, seed=self._config.seed, settings=settings
        )

    def keep(self, entry: StoredVerdict) -> None:
        """Take in an entry of the record that stands as it is."""
        self.verdicts.append(entry.verdict)
        self._pages.add(entry.verdict, entry.name)

    def take(self, judged: Judged) -> None:
        """Commit a new verdict, with its executed notebook.

        Raises:
            InfrastructureError: it can't be kept.
        """
        verdict = judged.verdict
        number = self._gradebook.record(verdict, judged.executed or None, batch=self._batch)
        self.verdicts.append(verdict)
        only = self._tries[verdict.student] == 1  # else another attempt may be the one
        self._pages.add(verdict, f"{self._batch} {number}", ahead=only)

    def end(self) -> None:
        """Close the batch of the record, if all have a mark: else the next one continues it."""
        if all(verdict.outcome.is_mark for verdict in self.verdicts):
            self._gradebook.finish_batch(self._batch)
