"""The folder and the zip that students get."""

from __future__ import annotations

import os
import tomllib
import zipfile
from pathlib import Path

import pytest

from grader.errors import SpecError, UsageError
from grader.release.bundle import release
from grader.release.contents import REQUIREMENTS, released_contents
from grader.release.marker import MARKER, released_as
from grader.resources import shipped_dir
from tests.helpers.assignments import PUBLIC, SPEC, make_assignment

FILES = (
    MARKER,
    "README.md",
    "data/numbers.csv",
    "grader.json",
    "requirements.txt",
    "tests/test_warm_up.py",
    "warm-up.ipynb",
)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_folder_and_zip_hold_the_same_files(tmp_path: Path) -> None:
    bundle = release(make_assignment(tmp_path), tmp_path / "out")
    assert (MARKER, *bundle.files) == FILES
    assert released_as(bundle.folder) == "warm-up"
    assert tuple(sorted(tree(bundle.folder))) == FILES
    with zipfile.ZipFile(bundle.zip) as packed:
        unpacked = {name: packed.read(name) for name in packed.namelist()}
    assert unpacked == {f"warm-up/{name}": data for name, data in tree(bundle.folder).items()}


def test_nothing_of_the_judges_is_released(tmp_path: Path) -> None:
    bundle = release(make_assignment(tmp_path), tmp_path / "out")
    everything = b"".join(tree(bundle.folder).values())
    assert b"test_softmax_matches" not in everything
    assert b"weights" not in everything
    assert b"overflows" not in everything


def test_two_releases_have_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = release(make_assignment(tmp_path / "a"), tmp_path / "one")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    old_mask = os.umask(0o077)
    try:
        second = release(make_assignment(tmp_path / "b"), tmp_path / "two")
    finally:
        os.umask(old_mask)
    assert first.zip.read_bytes() == second.zip.read_bytes()
    assert tree(first.folder) == tree(second.folder)


def test_entries_of_the_zip_have_fixed_times_and_modes(tmp_path: Path) -> None:
    bundle = release(make_assignment(tmp_path), tmp_path / "out")
    with zipfile.ZipFile(bundle.zip) as packed:
        entries = packed.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_DEFLATED}
    assert [entry.filename for entry in entries] == [f"warm-up/{name}" for name in FILES]


def test_a_release_replaces_the_one_before_it(tmp_path: Path) -> None:
    release(make_assignment(tmp_path), tmp_path / "out")
    changed = make_assignment(tmp_path, data={"others.csv": "1\n"})
    (changed.data_dir / "numbers.csv").unlink()
    bundle = release(changed, tmp_path / "out")
    assert "data/others.csv" in tree(bundle.folder)
    assert "data/numbers.csv" not in tree(bundle.folder)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["warm-up", "warm-up.zip"]


def test_a_folder_that_no_release_made_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "warm-up"
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match="no release made it"):
        release(make_assignment(tmp_path), tmp_path / "out")
    assert set(tree(folder)) == {"thesis.tex"}


def test_a_zip_that_no_release_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    theirs = tmp_path / "out" / "warm-up.zip"
    with zipfile.ZipFile(theirs, "w") as packed:
        packed.writestr("thesis.tex", "x")
    before = theirs.read_bytes()
    with pytest.raises(UsageError, match="no release made it"):
        release(make_assignment(tmp_path), tmp_path / "out")
    assert theirs.read_bytes() == before
    assert not (tmp_path / "out" / "warm-up").exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    bundle = release(make_assignment(tmp_path), tmp_path / "elsewhere")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "warm-up").symlink_to(bundle.folder)
    with pytest.raises(UsageError, match="no release made it"):
        release(make_assignment(tmp_path), tmp_path / "out")


def test_a_leak_stops_the_release_and_each_is_named(tmp_path: Path) -> None:
    shown = (
        f"{PUBLIC}\n# return weights / weights.sum(dim=1, keepdim=True)\n"
        "# shifted = x - x.max(dim=1, keepdim=True).values\n"
    )
    with pytest.raises(SpecError) as caught:
        release(make_assignment(tmp_path, public=shown), tmp_path / "out")
    lines = len(PUBLIC.splitlines())
    assert f"tests/test_warm_up.py:{lines + 2}: " in caught.value.what
    assert f"tests/test_warm_up.py:{lines + 3}: " in caught.value.what
    assert not (tmp_path / "out").exists()


def test_a_failed_release_keeps_the_one_before_it(tmp_path: Path) -> None:
    bundle = release(make_assignment(tmp_path), tmp_path / "out")
    before = tree(bundle.folder), bundle.zip.read_bytes()
    broken = make_assignment(tmp_path, reference="# %%\n# BEGIN SOLUTION\nx = 1\n")
    with pytest.raises(SpecError, match="END SOLUTION"):
        release(broken, tmp_path / "out")
    assert (tree(bundle.folder), bundle.zip.read_bytes()) == before


def test_an_assignment_without_public_suite_or_data_is_released(tmp_path: Path) -> None:
    bundle = release(make_assignment(tmp_path, public=None, data={}), tmp_path / "out")
    assert bundle.files == ("README.md", "grader.json", "requirements.txt", "warm-up.ipynb")
    readme = (bundle.folder / "README.md").read_text()
    assert "tests/" not in readme
    assert "data/" not in readme
    assert "grader check" not in readme


def test_the_readme_says_what_students_need(tmp_path: Path) -> None:
    spec = SPEC.replace("[resources]", '[attempts]\nlimit = 3\ncounts = "best"\n[resources]')
    assignment = make_assignment(tmp_path, spec=spec.replace("Softmax", "Softmax | rows"))
    readme = released_contents(assignment)["README.md"].decode()
    assert readme.startswith("# Warm-up: softmax and means\n\nTwo functions and one sentence.\n")
    assert "**Due: 2024-10-09 23:59 (UTC+03:00).**" in readme
    assert "**Points: 10.**" in readme
    assert "`data/`: `numbers.csv`." in readme
    assert "grader check warm-up.ipynb" in readme
    assert "| q1 | Softmax \\| rows | 5 |  |\n" in readme
    assert "| q3 | Why subtract the maximum? | 2 | read by a person |\n" in readme
    assert "300 seconds in all, 60 for one cell, and 1024 MB" in readme
    assert "at most 3 times" in readme
    assert "The best of what you hand in counts." in readme


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("gpu = true", "1024 MB of memory. It runs on a GPU.\n\nWith"),
        (
            'gpu = "optional"\ngpu_memory_mb = 8000',
            "It runs on a GPU where there is one, with 8000 MB of its memory.\n\nWith",
        ),
        ("", "1024 MB of memory.\n\nWith"),
    ],
)
def test_the_readme_says_what_gpu_students_get(tmp_path: Path, wanted: str, said: str) -> None:
    spec = SPEC.replace("[resources]", f"[resources]\n{wanted}")
    readme = released_contents(make_assignment(tmp_path, spec=spec))["README.md"].decode()
    assert said in readme


def test_the_courses_own_template_is_used_first(tmp_path: Path) -> None:
    template = tmp_path / "templates" / "release" / "README.md.j2"
    template.parent.mkdir(parents=True)
    template.write_text("Ours: {{ name }}\n")
    assert released_contents(make_assignment(tmp_path))["README.md"] == b"Ours: warm-up\n"


def test_requirements_are_the_packages_own_and_the_boxs_libraries(tmp_path: Path) -> None:
    spec = SPEC.replace("[dates]", '[box]\nlibraries = ["scikit-learn>=1.4"]\n[dates]')
    lines = released_contents(make_assignment(tmp_path, spec=spec))["requirements.txt"].decode()
    assert "scikit-learn>=1.4\n" in lines
    assert "torch>=" in lines
    project = shipped_dir("templates").parent / "pyproject.toml"
    declared = tomllib.loads(project.read_text())["project"]["dependencies"]
    assert set(REQUIREMENTS) <= set(declared)
