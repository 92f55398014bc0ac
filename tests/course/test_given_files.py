"""`[box] files`: what the course gives beside the notebook, and what it may not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from grader.course.directory import Assignment, Course
from grader.errors import SpecError
from grader.release.contents import released_contents
from grader.suite.helpers import make_importable
from grader.suite.reference import load_reference
from tests.helpers.assignments import REFERENCE, SPEC, make_assignment

HELPERS = "def shifted(x):\n    return x - 1\n"
USES = REFERENCE.replace("import torch\n", "import torch\nfrom helper_functions import *\n", 1)


def with_files(root: Path, patterns: str, **files: str) -> Assignment:
    spec = SPEC.replace("[[questions]]", f"[box]\nfiles = {patterns}\n[[questions]]", 1)
    make_assignment(root, reference=USES)
    folder = root / "assignments/warm-up"
    (folder / "assignment.toml").write_text(spec)
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Course(root).assignment("warm-up")


def with_helpers(root: Path, text: str = HELPERS) -> Assignment:
    return with_files(root, '["helper_functions.py"]', helper_functions_py=text)


def test_they_are_released_beside_the_notebook(tmp_path: Path) -> None:
    contents = released_contents(with_helpers(tmp_path))
    assert contents["helper_functions.py"] == HELPERS.encode()
    assert b"helper_functions.py" in contents["grader.json"]


def test_they_can_change_a_mark(tmp_path: Path) -> None:
    before = with_helpers(tmp_path).bundle_sha256()
    assert with_helpers(tmp_path, HELPERS + "x = 1\n").bundle_sha256() != before


def test_the_reference_imports_them_and_no_other_assignments(tmp_path: Path) -> None:
    first = with_helpers(tmp_path / "a")
    second = with_helpers(tmp_path / "b", "def shifted(x):\n    return 'second'\n")
    for assignment, expected in ((first, 1), (second, "second")):
        make_importable(assignment.folder, assignment.given_files())
        assert load_reference(assignment.reference_path).shifted(2) == expected
    make_importable(tmp_path, ())
    assert "helper_functions" not in sys.modules
    with pytest.raises(ImportError):
        __import__("helper_functions")


def test_nothing_else_of_the_folder_can_be_imported(tmp_path: Path) -> None:
    assignment = with_helpers(tmp_path)
    (assignment.folder / "unnamed_module.py").write_text("")
    make_importable(assignment.folder, assignment.given_files())
    with pytest.raises(ImportError):
        __import__("unnamed_module")
    make_importable(tmp_path, ())


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        ('["../x.py"]', "expected a pattern within"),
        ('["/etc/passwd"]', "expected a pattern within"),
        ('["hidden/*.py"]', "hidden/ can't hold files"),
        ('["nothing.py"]', "no file in"),
        ('["torch.py"]', "name of a library's module"),
        ('["random.py"]', "name of a library's module"),
        ('["assignment.toml"]', "a release has its own"),
    ],
)
def test_what_may_not_lie_there_is_refused(tmp_path: Path, patterns: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        with_files(tmp_path, patterns, torch_py="", random_py="")


def test_a_broad_pattern_never_gives_the_hidden_suite(tmp_path: Path) -> None:
    found = with_files(tmp_path, '["**/*.py"]', nets__mlp_py="").given_files()
    assert list(found) == ["nets/mlp.py"]


def test_a_link_out_of_the_folder_is_not_given(tmp_path: Path) -> None:
    assignment = with_helpers(tmp_path)
    (tmp_path / "secret.py").write_text("")
    (assignment.folder / "link.py").symlink_to(tmp_path / "secret.py")
    spec = assignment.spec_path.read_text().replace("helper_functions.py", "*.py")
    assignment.spec_path.write_text(spec)
    assert list(Course(tmp_path).assignment("warm-up").given_files()) == ["helper_functions.py"]
