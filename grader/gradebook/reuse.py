"""Which recorded verdicts can stand for a submission that is graded again."""

from __future__ import annotations

from collections.abc import Iterable

from grader.gradebook.store import StoredVerdict
from grader.grading.verdict import Verdict


def key_of(verdict: Verdict) -> tuple[str, int]:
    """Whose which attempt it is of."""
    return verdict.student, verdict.submission.attempt


class Reusable:
    """The verdicts that hold, looked up by what they were made of.

    Args:
        holding: as `Gradebook.holding` returns them.
        bundle_sha256: of the assignment as it is now.
        image: what it would run in now.
    """

    def __init__(self, holding: Iterable[StoredVerdict], *, bundle_sha256: str, image: str) -> None:
        self._held = {key_of(e.verdict): e for e in holding}
        self._made_of = (bundle_sha256, image)

    def find(self, student: str, attempt: int, submission_sha256: str) -> StoredVerdict | None:
        """Return the entry that the same submission, bundle and image have led to, if it holds."""
        entry = self.same_submission(student, attempt, submission_sha256)
        if entry is None or entry.verdict.provenance is None:
            return None
        provenance = entry.verdict.provenance
        return entry if (provenance.bundle_sha256, provenance.image) == self._made_of else None

    def same_submission(
        self, student: str, attempt: int, submission_sha256: str
    ) -> StoredVerdict | None:
        """Return the entry that holds, if it is on the same bytes."""
        entry = self._held.get((student, attempt))
        if entry is None or entry.verdict.submission.sha256 != submission_sha256:
            return None
        return entry
