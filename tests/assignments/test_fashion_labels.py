"""The labels of the fashion images stay with the judge, and the program draws what is released."""

from __future__ import annotations

import io
import runpy

import numpy as np
import pytest

from grader.course.directory import Assignment, Course
from grader.release.contents import released_contents
from grader.resources import shipped_dir


@pytest.fixture(scope="module")
def fashion() -> Assignment:
    return Course(shipped_dir("assignments").parent).assignment("fashion-attributes")


def test_no_released_file_holds_the_labels(fashion: Assignment) -> None:
    with np.load(fashion.hidden_dir / "labels.npz") as kept:
        labels = kept["labels"]
    assert labels.shape == (600, 6)
    forms = [
        piece.astype(kind).tobytes()
        for kind in (np.uint8, np.int32, np.int64, np.float32)
        for piece in (labels[:8], labels[:, 0][:40], labels[:, 4][:40])
    ]
    released = released_contents(fashion)
    parts = dict(released)
    with np.load(io.BytesIO(released["data/fashion.npz"])) as data:
        assert set(data) == {"images", "labels", "unlabeled"}
        parts |= {name: data[name].tobytes() for name in data}
    assert not [name for name, data in parts.items() if any(form in data for form in forms)]
    assert not [name for name in released if "make_images" in name or name.endswith("/labels.npz")]
    assert sum(map(len, released.values())) < 3_500_000


def test_the_program_draws_the_released_images(fashion: Assignment) -> None:
    program = runpy.run_path(str(fashion.hidden_dir / "make_images.py"))
    rng = np.random.default_rng(program["SEED"])
    count = program["TRAINING"]
    drawn = [rng.permutation(np.arange(count) % len(k)) for k in program["GROUPS"].values()]
    labels = np.stack(drawn, axis=1)
    with np.load(fashion.data_dir / "fashion.npz") as data:
        assert (data["labels"] == labels).all()
        for index in range(12):
            assert (program["draw"](rng, labels[index]) == data["images"][index]).all()
