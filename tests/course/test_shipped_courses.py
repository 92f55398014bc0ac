"""The five course files say what the lectures say, and no more."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from grader.course.course_file import CourseFile
from grader.course.course_reading import load_course_file
from grader.resources import shipped_dir


def course(name: str) -> CourseFile:
    return load_course_file(shipped_dir("assignments") / "courses" / f"{name}.toml")


def weights(name: str) -> dict[str, Decimal | None]:
    return {component.id: component.weight for component in course(name).components}


def items(name: str, component: str) -> dict[str, Decimal | None]:
    found = next(c for c in course(name).components if c.id == component)
    return {item.id: item.weight for item in found.items}


def rubric(name: str, item: str) -> dict[str, Decimal]:
    found = course(name).item(item)
    assert found is not None
    return {criterion.id: criterion.points for criterion in found.rubric}


def test_the_grading_of_koc_comp541() -> None:
    assert weights("koc-comp541") == {
        "quiz": 2,
        "assignments": 20,
        "midterm": 17,
        "project": 36,
        "paper-presentations": 10,
        "paper-reviews": 5,
        "participation": 10,
    }
    assert list(items("koc-comp541", "assignments").values()) == [5, 5, 5, 5]
    assert items("koc-comp541", "project") == {
        "proposal": 2,
        "progress-presentation": 4,
        "progress-report": 6,
        "final-presentation": 8,
        "final-report": 12,
        "quality": 4,
    }


def test_the_rules_of_koc_comp541() -> None:
    koc = course("koc-comp541")
    assert koc.late is not None
    assert (koc.late.grace_days, koc.late.components) == (7, ("assignments",))
    assert [i.id for i in koc.items if i.must_pass] == ["quiz-theory", "quiz-programming"]
    theory, proposal = koc.item("quiz-theory"), koc.item("proposal")
    assert theory and theory.due == dt.datetime(2024, 10, 9, 23, 59)
    assert proposal and proposal.due and proposal.due.date() == dt.date(2024, 11, 17)
    assert {i.group_size for i in koc.items if i.group} == {(2, 3)}


def test_the_grading_of_ntu_ce7454() -> None:
    assert weights("ntu-ce7454") == {
        "quiz": 20,
        "project1": 30,
        "project2": 40,
        "presentation": 10,
    }
    assert list(rubric("ntu-ce7454", "project1").values()) == [30, 20, 30, 20]
    assert list(rubric("ntu-ce7454", "project2").values()) == [25, 25, 25, 25]
    assert list(rubric("ntu-ce7454", "presentation").values()) == [20, 20, 20, 40]


def test_the_dates_and_groups_of_ntu_ce7454() -> None:
    ntu = course("ntu-ce7454")
    due = {i.id: i.due.date() for i in ntu.items if i.due}
    assert due == {
        "project1": dt.date(2021, 10, 18),
        "project2": dt.date(2021, 11, 22),
        "presentation": dt.date(2021, 11, 22),
    }
    assert [(i.id, i.group_size) for i in ntu.items if i.group] == [("project2", (3, 5))]


def test_the_grading_of_umn_dl() -> None:
    assert weights("umn-dl") == {"homework": 60, "project": 40}
    homework = course("umn-dl").components[0]
    assert (homework.best, len(homework.items)) == (4, 6)
    assert items("umn-dl", "project") == {
        "proposal": 5,
        "midterm-presentation": 10,
        "final-report": 25,
    }


def test_the_grading_of_iith_dl() -> None:
    assert weights("iith-dl") == {"assignments": 40, "project": 30, "exam": 20, "tests": 10}
    assignments = course("iith-dl").components[0]
    assert (assignments.best, len(assignments.items)) == (4, 5)


def test_sutd_50039_states_no_weights_and_no_day_and_takes_no_late_project() -> None:
    sutd = course("sutd-50039")
    project = sutd.item("project")
    assert project and project.late == "refused"
    weights = [f"components.{name}.weight" for name in ("midterm", "final", "project")]
    assert sutd.left_open == (*weights, "components.project.items.project.due")


@pytest.mark.parametrize("name", ["iith-dl", "ntu-ce7454", "umn-dl"])
def test_what_can_be_computed_leaves_nothing_open(name: str) -> None:
    assert course(name).left_open == ()


@pytest.mark.parametrize(
    ("name", "offset"),
    [("koc-comp541", 3), ("ntu-ce7454", 8), ("sutd-50039", 8), ("umn-dl", -6), ("iith-dl", 5.5)],
)
def test_each_course_keeps_its_own_time(name: str, offset: float) -> None:
    winter = dt.datetime(2022, 1, 15, 12, tzinfo=course(name).zone)
    assert winter.utcoffset() == dt.timedelta(hours=offset)
