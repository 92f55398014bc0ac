"""Finding a course, its assignments, and what can change a mark."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from grader.course.directory import Course
from grader.errors import SpecError, UsageError
from tests.helpers.assignments import SPEC, make_assignment, write_assignment


def test_a_course_is_found_from_a_folder_within_it(tmp_path: Path) -> None:
    folder = write_assignment(tmp_path)
    assert Course.find(folder / "hidden").root == tmp_path.resolve()


def test_a_course_is_found_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_assignment(tmp_path)
    monkeypatch.chdir(tmp_path / "reference")
    assert Course.find().root == tmp_path.resolve()


def test_no_course_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="grader init") as caught:
        Course.find(tmp_path)
    assert caught.value.where == str(tmp_path.resolve())


def test_names_are_the_folders_with_a_spec(tmp_path: Path) -> None:
    write_assignment(tmp_path, "warm-up")
    write_assignment(tmp_path, "cnn")
    (tmp_path / "assignments" / "courses").mkdir()
    (tmp_path / "assignments" / "notes.txt").write_text("x")
    assert Course(tmp_path).names() == ["cnn", "warm-up"]


def test_an_assignment_knows_its_parts(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path)
    assert assignment.reference_module == "warm_up"
    assert assignment.reference_path == tmp_path / "reference" / "warm_up.py"
    assert assignment.data_files() == [tmp_path / "assignments/warm-up/data/numbers.csv"]
    assert [path.name for path in assignment.public_files()] == ["test_warm_up.py"]


def test_a_near_name_is_suggested(tmp_path: Path) -> None:
    write_assignment(tmp_path)
    with pytest.raises(UsageError, match="Did you mean warm-up") as caught:
        Course(tmp_path).assignment("warmup")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["../warm-up", "warm-up/", ".", "", "warm-up\n", "a" * 300, "\0"])
def test_a_name_that_is_no_path_component_is_refused(tmp_path: Path, name: str) -> None:
    write_assignment(tmp_path)
    with pytest.raises(UsageError, match="no assignment"):
        Course(tmp_path).assignment(name)


def test_a_missing_suite_is_refused(tmp_path: Path) -> None:
    shutil.rmtree(write_assignment(tmp_path) / "hidden")
    with pytest.raises(SpecError, match="no hidden suite"):
        Course(tmp_path).assignment("warm-up")


def test_a_missing_reference_is_refused(tmp_path: Path) -> None:
    write_assignment(tmp_path)
    (tmp_path / "reference" / "warm_up.py").unlink()
    with pytest.raises(SpecError, match="reference solution is missing"):
        Course(tmp_path).assignment("warm-up")


def test_a_reference_that_cannot_be_imported_by_name_is_refused(tmp_path: Path) -> None:
    write_assignment(tmp_path, "3d-vision")
    with pytest.raises(SpecError, match="a module cannot be called"):
        Course(tmp_path).assignment("3d-vision")


def test_the_spec_may_name_another_reference(tmp_path: Path) -> None:
    write_assignment(tmp_path, spec=SPEC.replace("points = 10", 'points = 10\nreference = "w.py"'))
    (tmp_path / "reference" / "warm_up.py").rename(tmp_path / "reference" / "w.py")
    assert Course(tmp_path).assignment("warm-up").reference_module == "w"


def test_dates_without_an_offset_are_local_to_the_course(tmp_path: Path) -> None:
    local = SPEC.replace("+03:00", "")
    write_assignment(tmp_path, spec=local)
    due = Course(tmp_path).assignment("warm-up").spec.dates.due
    assert due == dt.datetime(2024, 10, 9, 23, 59)
    course = """title = "C"\ninstitution = "U"\nterm = "Fall"\ntimezone = "America/Chicago"
        [[components]]\nid = "exam"\ntitle = "Exam"\nweight = 100\n"""
    (tmp_path / "course.toml").write_text(course)
    due = Course(tmp_path).assignment("warm-up").spec.dates.due
    assert due == dt.datetime(2024, 10, 10, 4, 59, tzinfo=dt.UTC)
    write_assignment(tmp_path)
    due = Course(tmp_path).assignment("warm-up").spec.dates.due
    assert due == dt.datetime(2024, 10, 9, 20, 59, tzinfo=dt.UTC)


def test_only_the_data_that_the_spec_names_is_given(tmp_path: Path) -> None:
    assignment = make_assignment(
        tmp_path,
        spec=SPEC.replace("points = 10", 'points = 10\ndata = ["sets/**/*.csv"]'),
        data={"sets/a/x.csv": "1", "sets/.hidden.csv": "1", "draft.csv": "1"},
    )
    assert [path.name for path in assignment.data_files()] == ["x.csv"]


@pytest.mark.parametrize(
    "part",
    [
        "assignments/warm-up/assignment.toml",
        "assignments/warm-up/hidden/test_warm_up.py",
        "assignments/warm-up/data/numbers.csv",
        "reference/warm_up.py",
    ],
)
def test_a_changed_part_changes_the_hash(tmp_path: Path, part: str) -> None:
    assignment = make_assignment(tmp_path)
    before = assignment.bundle_sha256()
    path = tmp_path / part
    path.write_text(path.read_text() + "\n# changed\n")
    assert assignment.bundle_sha256() != before


def test_a_renamed_file_changes_the_hash(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path)
    before = assignment.bundle_sha256()
    data = assignment.data_dir
    (data / "numbers.csv").rename(data / "others.csv")
    assert assignment.bundle_sha256() != before


def test_caches_dotfiles_and_public_tests_leave_the_hash(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path)
    before = assignment.bundle_sha256()
    cache = assignment.hidden_dir / "__pycache__"
    cache.mkdir()
    (cache / "test_warm_up.pyc").write_bytes(b"x")
    (assignment.data_dir / ".DS_Store").write_bytes(b"x")
    (assignment.public_dir / "test_more.py").write_text("")
    assert assignment.bundle_sha256() == before


def test_the_hash_is_the_same_in_another_place(tmp_path: Path) -> None:
    first = make_assignment(tmp_path / "a")
    second = make_assignment(tmp_path / "b")
    assert first.bundle_sha256() == second.bundle_sha256()


def test_the_gradebook_is_in_the_course_unless_the_environment_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRADER_DATABASE_URL", raising=False)
    assert Course(tmp_path).database_url == f"sqlite:///{tmp_path / 'gradebook.db'}"
    monkeypatch.setenv("GRADER_DATABASE_URL", "postgresql://db/grades")
    assert Course(tmp_path).database_url == "postgresql://db/grades"
