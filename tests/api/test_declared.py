"""Declared collaborators on the way to the page of similar submissions, and in the verdict."""

from __future__ import annotations

import json
from pathlib import Path

from grader.api.similarity import DECLARED, GROUP, similarity
from grader.course.directory import Course
from tests.helpers.assignments import make_assignment

CODE = """
def softmax(x):
    top = x.max(dim=1, keepdim=True).values
    lifted = (x - top).exp()
    total = lifted.sum(dim=1, keepdim=True)
    ratio = lifted / total
    checks = [float(row.sum()) for row in ratio]
    for place, value in enumerate(checks):
        if abs(value - 1.0) > 1e-3 and place % 2 == 0:
            raise ValueError(f"row {place} sums to {value}")
    return ratio
"""


FACTS = """
title = "C"
institution = "U"
term = "T"
assignments = ["warm-up"]
[[components]]
id = "homework"
title = "Homework"
weight = 100
[[components.items]]
id = "h1"
title = "Softmax"
assignment = "warm-up"
group = true
"""


def write(path: Path, *sources: tuple[str, str]) -> None:
    cells = [
        {"cell_type": kind, "id": f"c{n}", "metadata": {}, "source": source}
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for n, (kind, source) in enumerate(sources)
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook))


def test_a_declared_pair_is_marked_as_such(tmp_path: Path) -> None:
    course = Course(make_assignment(tmp_path / "course").course_root)
    (course.root / "roster.csv").write_text("id,name\nada,Ada Lovelace\nben,Ben B\ncem,Cem\n")
    handed_in = tmp_path / "in"
    handed_in.mkdir()
    note = ("markdown", "**Collaborators q1.** Ada Lovelace and a friend")
    write(handed_in / "ada.ipynb", ("code", CODE))
    write(handed_in / "ben.ipynb", ("code", CODE), note)
    write(handed_in / "cem.ipynb", ("code", "print(1)"))
    found = similarity(course, "warm-up", [handed_in])
    [pair] = found.comparison.pairs
    assert (set(pair.students), pair.known) == ({"ada", "ben"}, DECLARED)


def test_a_pair_of_one_group_is_expected_whatever_the_items_id(tmp_path: Path) -> None:
    course = Course(make_assignment(tmp_path / "course").course_root)
    (course.root / "course.toml").write_text(FACTS)
    (course.root / "groups.csv").write_text("item,group,student\nh1,one,ada\nh1,one,ben\n")
    handed_in = tmp_path / "in"
    handed_in.mkdir()
    for student in ("ada", "ben"):
        write(handed_in / f"{student}.ipynb", ("code", CODE))
    [pair] = similarity(course, "warm-up", [handed_in]).comparison.pairs
    assert pair.known == GROUP
