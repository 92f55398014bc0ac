"""The queue of a batch, whose notebooks are read when they are handed out."""

from __future__ import annotations

import msgspec

from grader.errors import InfrastructureError
from grader.grading.job import Job, Judged
from grader.grading.job_queue import JobQueue
from grader.grading.verdict import Outcome
from tests.helpers.settings import SETTING


def jobs(*students: str) -> list[Job]:
    return [Job(student=student, file=f"{student}.ipynb", sha256=student) for student in students]


class Files:
    """What was handed in, some of it gone."""

    def __init__(self, *gone: str) -> None:
        self.gone = set(gone)
        self.read: list[str] = []
        self.told: list[Judged] = []

    def load(self, job: Job) -> Job:
        self.read.append(job.student)
        if job.student in self.gone:
            raise InfrastructureError(f"{job.file} was removed")
        return msgspec.structs.replace(job, data=job.student.encode())

    def waiting(self, *students: str) -> JobQueue:
        return JobQueue(
            jobs(*students), load=self.load, config=SETTING, on_verdict=self.told.append
        )


def test_a_notebook_is_read_when_it_is_handed_out_and_only_then() -> None:
    files = Files()
    waiting = files.waiting("ada", "bob")
    assert files.read == []
    taken = waiting.dispatch()
    assert taken is not None and files.read == ["ada"]
    job, message = taken
    assert msgspec.msgpack.decode(message, type=Job).data == b"ada"
    assert job.data == b""
    assert len(waiting) == 1


def test_what_is_put_back_comes_again_as_the_next_or_as_the_last() -> None:
    files = Files()
    waiting = files.waiting("ada", "bob", "cyd")
    ada, bob = waiting.dispatch(), waiting.dispatch()
    assert ada is not None and bob is not None
    waiting.put_back(ada[0])
    waiting.put_back(bob[0], first=True)
    again = [taken[0].student for taken in iter(waiting.dispatch, None)]
    assert again == ["bob", "cyd", "ada"]
    assert waiting.dispatch() is None and not waiting


def test_what_is_not_there_any_more_is_told_of_and_passed_over() -> None:
    files = Files("ada", "bob", "dan")
    waiting = files.waiting("ada", "bob", "cyd", "dan")
    taken = waiting.dispatch()
    assert taken is not None and taken[0].student == "cyd"
    assert waiting.dispatch() is None
    found = {judged.verdict.student: judged.verdict for judged in files.told}
    assert set(found) == {"ada", "bob", "dan"}
    assert {v.outcome for v in found.values()} == {Outcome.INFRASTRUCTURE_ERROR}
    assert found["ada"].reason == "ada.ipynb was removed"
