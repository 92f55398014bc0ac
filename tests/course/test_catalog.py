"""Starting a course from what ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course import catalog
from grader.course.directory import Course
from grader.course.loading import load_spec
from grader.course.scheme import load_scheme
from grader.errors import UsageError
from tests.helpers.assignments import write_assignment

COURSE = """\
title = "Warming up"
institution = "A university"
term = "Fall"
assignments = ["warm-up", "cnn"]
"""


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog of three assignments and a course with two of them."""
    root = tmp_path / "shipped"
    for name in ("warm-up", "cnn", catalog.EXAMPLE):
        write_assignment(root, name)
    (root / "assignments" / "warm-up" / "hidden" / "__pycache__").mkdir()
    (root / "assignments" / "courses").mkdir()
    (root / "assignments" / "courses" / "uni-101.toml").write_text(COURSE)
    monkeypatch.setattr(catalog, "shipped_dir", lambda kind: root / kind)
    return root


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_a_course_is_made_with_its_assignments_and_nothing_more(
    shipped: Path, tmp_path: Path
) -> None:
    target = tmp_path / "courses" / "mine"
    course = catalog.init_course(target, "uni-101")
    assert course.names() == ["cnn", "warm-up"]
    assert sorted(path.name for path in target.iterdir()) == [
        ".gitignore",
        "README.md",
        "assignments",
        "course.toml",
        "reference",
    ]
    assert files(target / "reference") == {"cnn.py", "warm_up.py"}
    assert not list(target.rglob("__pycache__"))
    assert (target / "course.toml").read_text() == COURSE
    assert "Warming up, A university, Fall" in (target / "README.md").read_text()
    assert "/gradebook.db*" in (target / ".gitignore").read_text()
    # Nothing half-made is left beside it.
    assert [path.name for path in target.parent.iterdir()] == ["mine"]


def test_assignments_are_copied_whole(shipped: Path, tmp_path: Path) -> None:
    course = catalog.init_course(tmp_path / "mine", "uni-101")
    theirs = Course(shipped).assignment("warm-up")
    assert course.assignment("warm-up").bundle_sha256() == theirs.bundle_sha256()


def test_without_a_course_one_example_is_copied(shipped: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    assert catalog.init_course(target).names() == [catalog.EXAMPLE]
    assert not (target / "course.toml").exists()


def test_a_folder_in_use_is_left_alone(shipped: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match="not an empty folder"):
        catalog.init_course(target, "uni-101")
    assert files(target) == {"thesis.tex"}


def test_a_file_in_the_way_is_left_alone(shipped: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.write_text("x")
    with pytest.raises(UsageError, match="not an empty folder"):
        catalog.init_course(target)
    assert target.read_text() == "x"


@pytest.mark.parametrize("name", ["uni-102", "../uni-101", ""])
def test_an_unknown_course_is_refused(shipped: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no course") as caught:
        catalog.init_course(tmp_path / "mine", name)
    assert "uni-101" in str(caught.value.hint)
    assert not (tmp_path / "mine").exists()


def test_what_ships_can_be_read() -> None:
    assert "koc-comp541" in catalog.shipped_courses()
    root = catalog.shipped_dir("assignments")
    for path in root.glob("*/assignment.toml"):
        assert load_spec(path).points > 0


@pytest.mark.parametrize("name", catalog.shipped_courses())
def test_every_course_comes_with_its_assignments_and_says_what_is_open(
    tmp_path: Path, name: str
) -> None:
    course = catalog.init_course(tmp_path / name, name)
    scheme = load_scheme(course)
    assert course.names() == sorted(scheme.assignments)
    readme = (tmp_path / name / "README.md").read_text()
    assert all(f"- `{key}`" in readme for key in scheme.left_open)


def test_the_koc_course_comes_with_its_four_assignments(tmp_path: Path) -> None:
    course = catalog.init_course(tmp_path / "koc", "koc-comp541")
    assert {"cnn", "mlp-backprop", "rnn", "transformers-gnns"} <= set(course.names())
    assert course.assignment("cnn").spec.dates.due is not None


def test_another_courses_assignment_comes_without_its_dates(tmp_path: Path) -> None:
    course = catalog.init_course(tmp_path / "umn", "umn-dl")
    theirs = Course(catalog.shipped_dir("assignments").parent).assignment("cnn")
    ours = course.assignment("cnn")
    assert (ours.spec.course, ours.spec.dates.due) == ("umn-dl", None)
    assert ours.spec.questions == theirs.spec.questions
    assert ours.spec.resources == theirs.spec.resources
    assert "# due =" in ours.spec_path.read_text()


def test_the_five_courses_ship() -> None:
    assert catalog.shipped_courses() == [
        "iith-dl",
        "koc-comp541",
        "ntu-ce7454",
        "sutd-50039",
        "umn-dl",
    ]
