"""The judge's patience, which no test of this room is about unless it says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.sandbox import conversation, stream

PATIENT_S = 60.0


@pytest.fixture(autouse=True, scope="package")
def patient() -> Iterator[None]:
    """On a busy machine a box may take long to answer, or to end; that is no fault of it.

    What the judge does when its patience is over has tests of its own, which shorten it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversation, "GRACE_S", PATIENT_S)
        patch.setattr(stream, "CLOSE_S", PATIENT_S)
        patch.setattr(stream, "KILL_S", 2 * PATIENT_S)
        yield
