"""`init`, `list`, `release`: from the catalog to what students get."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from grader.course.directory import Assignment
from tests.cli.conftest import Grader
from tests.helpers.assignments import SPEC, write_assignment


def test_init_makes_a_course_and_says_what_is_next(tmp_path: Path, grader: Grader) -> None:
    done = grader("init", tmp_path / "mine")
    assert done.code == 0
    assert done.out == "mlp-backprop\n"
    assert f"Next: cd {tmp_path / 'mine'} && grader list" in done.err
    assert (tmp_path / "mine" / "reference" / "mlp_backprop.py").is_file()


def test_init_leaves_a_folder_in_use_as_it_is(tmp_path: Path, grader: Grader) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    done = grader("init", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "not an empty folder" in done.err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_init_of_an_unknown_course_names_the_nearest(tmp_path: Path, grader: Grader) -> None:
    done = grader("init", tmp_path / "mine", "--course", "koc-comp514")
    assert done.code == 2
    assert "Did you mean koc-comp541?" in done.err
    assert not (tmp_path / "mine").exists()


def test_list_shows_title_points_and_due_date(warm_up: Assignment, grader: Grader) -> None:
    done = grader("list")
    assert done.code == 0
    assert " ".join(done.out.split()) == (
        "warm-up 10 points Warm-up: softmax and means due 2024-10-09 23:59"
    )
    assert done.err == ""


def test_list_as_json_is_one_document(warm_up: Assignment, grader: Grader) -> None:
    assert grader("list", "--json").json() == [
        {
            "assignment": "warm-up",
            "title": "Warm-up: softmax and means",
            "points": 10,
            "machine_points": 8,
            "manual_points": 2,
            "due": "2024-10-09T23:59:00+03:00",
        }
    ]


def test_the_catalog_is_listed_with_the_courses_that_use_each(grader: Grader) -> None:
    rows = {row["assignment"]: row for row in grader("list", "--catalog", "--json").json()}
    assert "koc-comp541" in rows["mlp-backprop"]["courses"]
    assert rows["mlp-backprop"]["points"] == 60
    done = grader("list", "--catalog")
    assert all(name in done.out for name in rows)
    assert "grader init" in done.err


def test_a_wrong_spec_is_said_with_file_key_and_what_was_expected(
    warm_up: Assignment, grader: Grader
) -> None:
    write_assignment(warm_up.course_root, spec=SPEC.replace("cell_s", "cel_s"))
    done = grader("release", "warm-up")
    assert done.code == 1
    assert "warm-up/assignment.toml: resources.cel_s: no such key" in done.err
    assert "Did you mean cell_s" in done.err


def test_release_prints_the_zip_and_nothing_else_on_stdout(
    warm_up: Assignment, grader: Grader
) -> None:
    done = grader("release", "warm-up")
    assert done.code == 0
    archive = Path(done.out.strip())
    assert archive == warm_up.course_root / "released" / "warm-up.zip"
    assert zipfile.ZipFile(archive).testzip() is None
    assert "6 files in" in done.err


def test_release_twice_gives_the_same_bytes(warm_up: Assignment, grader: Grader) -> None:
    first = Path(grader("release", "warm-up").out.strip()).read_bytes()
    assert Path(grader("release", "warm-up").out.strip()).read_bytes() == first


def test_a_release_that_would_show_the_solution_is_refused(
    warm_up: Assignment, grader: Grader
) -> None:
    public = warm_up.public_dir / "test_warm_up.py"
    public.write_text(
        public.read_text() + "\n# weights = shifted.exp(); return weights / "
        "weights.sum(dim=1, keepdim=True)\nshifted = x - x.max(dim=1, keepdim=True).values\n"
    )
    done = grader("release", "warm-up")
    assert (done.code, done.out) == (1, "")
    assert "tests/test_warm_up.py" in done.err
    assert not (warm_up.course_root / "released").exists()


@pytest.mark.parametrize("as_json", [False, True])
def test_validate_names_each_fault_of_a_spec(
    warm_up: Assignment, grader: Grader, as_json: bool
) -> None:
    write_assignment(warm_up.course_root, spec=SPEC.replace("points = 10", "points = 11"))
    done = grader("validate", "warm-up", *(["--json"] if as_json else []))
    assert done.code == 1
    faults = json.loads(done.out)["faults"] if as_json else [{"check": "spec", "what": done.out}]
    assert [fault["check"] for fault in faults] == ["spec"]
    assert "the questions add up to 10" in faults[0]["what"]
