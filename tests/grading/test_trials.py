"""Trials of an assignment: what came of each, and nothing where one could not be judged."""

from __future__ import annotations

import pytest

from grader.errors import InfrastructureError
from grader.grading import trials
from grader.grading.job import Job, Judged
from grader.grading.make_verdict import not_judged, unreadable
from tests.helpers.settings import SETTING

JOBS = [Job(student=name, file=f"{name}.ipynb", sha256=name) for name in ("right", "wrong")]


def test_what_came_of_each_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def grade(config: object, jobs: list[Job], take: object) -> None:
        for job in jobs:
            take(unreadable(job, SETTING, "why"))  # type: ignore[operator]

    monkeypatch.setattr(trials, "grade_batch", grade)
    told: list[str] = []
    found = trials.judge_trials(SETTING, JOBS, lambda one: told.append(one.verdict.student))
    assert list(found) == told == ["right", "wrong"]


def test_one_that_could_not_be_judged_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def grade(config: object, jobs: list[Job], take: object) -> None:
        take(not_judged(jobs[0], SETTING, InfrastructureError("no engine")))  # type: ignore[operator]

    monkeypatch.setattr(trials, "grade_batch", grade)
    told: list[Judged] = []
    with pytest.raises(InfrastructureError, match="no engine"):
        trials.judge_trials(SETTING, JOBS, told.append)
    assert told == []


def test_nothing_to_try_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(trials, "grade_batch")
    assert trials.judge_trials(SETTING, [], lambda one: None) == {}
