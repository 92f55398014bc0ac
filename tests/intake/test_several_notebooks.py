"""Which handed-in notebook is which of those that an assignment asks for."""

from __future__ import annotations

import json
import zipfile
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from grader.intake.accepted_files import AcceptedFiles, beside_of
from grader.intake.choice import NoChoiceError
from grader.intake.class_archives import CollectConfig
from grader.intake.collect import collect
from grader.intake.collected import Collected
from grader.intake.content import held
from grader.intake.members import Member
from grader.intake.several_notebooks import ChosenNotebooks, choose_notebooks
from grader.intake.submission_store import store
from tests.helpers.two_notebooks import (
    NAME,
    hand_in,
    make_two_notebooks,
    solved,
    untouched,
    with_cell,
)

Notebooks = dict[str, dict[str, Any]]


@pytest.fixture
def beside(tmp_path: Path) -> AcceptedFiles:
    return beside_of(make_two_notebooks(tmp_path / "course"))


@pytest.fixture
def notebooks(tmp_path: Path) -> Notebooks:
    return solved(make_two_notebooks(tmp_path / "course"))


def bare(notebook: dict[str, Any]) -> dict[str, Any]:
    """Without what the release wrote into its metadata, as Colab gives it back."""
    return {**notebook, "metadata": {}}


def chosen(beside: AcceptedFiles, **files: dict[str, Any]) -> ChosenNotebooks:
    """What is chosen, in whatever order the files come."""
    members = [
        Member(f"{name.replace('_', ' ')}.ipynb", held(json.dumps(notebook).encode()))
        for name, notebook in files.items()
    ]
    found = [
        choose_notebooks(order, beside.notebooks, assignment=NAME)
        for order in permutations(members)
    ]
    paths = [({n: m.path for n, m in one.members.items()}, set(one.notes)) for one in found]
    assert all(one == paths[0] for one in paths), "the order of files decides nothing"
    return found[0]


def paths(of: ChosenNotebooks) -> dict[str, str]:
    return {name: member.path for name, member in of.members.items()}


def test_metadata_tell_whatever_the_files_are_called(
    beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    found = chosen(beside, one=notebooks["attention"], two=notebooks["backprop"])
    assert paths(found) == {"backprop": "two.ipynb", "attention": "one.ipynb"}
    assert found.notes == ()


def test_without_metadata_names_tell(beside: AcceptedFiles, notebooks: Notebooks) -> None:
    found = chosen(
        beside,
        ada_Attention_final=bare(notebooks["attention"]),
        BackProp=bare(notebooks["backprop"]),
    )
    assert paths(found) == {"backprop": "BackProp.ipynb", "attention": "ada Attention final.ipynb"}


def test_without_metadata_and_names_the_given_cells_tell(
    beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    found = chosen(
        beside,
        Untitled=bare(notebooks["attention"]),
        Untitled3=bare(notebooks["backprop"]),
    )
    assert paths(found) == {"backprop": "Untitled3.ipynb", "attention": "Untitled.ipynb"}
    assert "Untitled.ipynb was taken for attention.ipynb" in " ".join(found.notes)


def test_a_missing_one_is_named_with_its_questions(
    beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    found = chosen(beside, backprop=notebooks["backprop"])
    assert list(found.members) == ["backprop"]
    assert found.notes == ("attention.ipynb was not handed in: q3 and q4 are in it.",)


def test_one_too_many_is_named(beside: AcceptedFiles, notebooks: Notebooks) -> None:
    scratch: dict[str, Any] = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    found = chosen(beside, scratch=scratch, **notebooks)
    assert len(found.members) == 2
    assert found.notes == (
        "Not used, because it is not one of the requested notebooks: scratch.ipynb.",
    )


def test_of_two_that_are_the_same_one_names_decide(
    beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    other = with_cell(notebooks["attention"], "x = 1")
    found = chosen(
        beside, attention=notebooks["attention"], draft=other, backprop=notebooks["backprop"]
    )
    assert found.members["attention"].path == "attention.ipynb"
    (note,) = found.notes
    assert note.startswith("2 different notebooks were handed in that are attention.ipynb.")
    assert "Passed over: draft.ipynb." in note


def test_a_copy_under_the_name_of_a_missing_one_is_that_one(
    beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    """Who copies the first notebook to begin the second copies its metadata, too."""
    begun = {**notebooks["attention"], "metadata": notebooks["backprop"]["metadata"]}
    found = chosen(beside, backprop=notebooks["backprop"], attention=begun)
    assert paths(found) == {"backprop": "backprop.ipynb", "attention": "attention.ipynb"}


def test_where_none_is_there_it_says_what_was_asked_for(beside: AcceptedFiles) -> None:
    with pytest.raises(
        NoChoiceError, match=r"backprop\.ipynb, attention\.ipynb\); found: x\.ipynb"
    ):
        choose_notebooks([Member("x.ipynb", held(b"{"))], beside.notebooks, assignment=NAME)


def taken(source: Path, beside: AcceptedFiles) -> Collected:
    return collect([source], assignment=NAME, config=CollectConfig(beside=beside))


def test_folders_and_zips_of_a_class_become_one_submission_each(
    tmp_path: Path, beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    hand_in(tmp_path / "hand" / "ada", **notebooks)
    with zipfile.ZipFile(tmp_path / "hand" / "bob.zip", "w") as packed:
        for name, notebook in notebooks.items():
            packed.writestr(f"hw2/{name}.ipynb", json.dumps(notebook))
    ada, bob = taken(tmp_path / "hand", beside).submissions
    assert (ada.student, ada.notebook, ada.file) == (
        "ada",
        "backprop",
        "backprop.ipynb, attention.ipynb",
    )
    assert [name for name, _ in ada.files] == ["attention.ipynb"]
    assert bob.sha256 == ada.sha256


def test_one_student_s_folder_is_no_class(
    tmp_path: Path, beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    hand_in(tmp_path / "hand" / "ada", **notebooks)
    assert [s.student for s in taken(tmp_path / "hand", beside).submissions] == ["ada"]


def test_one_that_can_t_be_read_is_named_and_the_other_counts(
    tmp_path: Path, beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    hand_in(tmp_path / "hand" / "ada", **notebooks)
    (tmp_path / "hand" / "ada" / "attention.ipynb").write_text('{"cells": [')
    (ada,) = taken(tmp_path / "hand", beside).submissions
    assert ada.problem == ""
    assert ada.notes[0].startswith("attention.ipynb can't be read: The file ends in the middle")


def test_what_is_stored_is_read_back_as_the_same(
    tmp_path: Path, beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    del notebooks["backprop"]
    hand_in(tmp_path / "hand" / "ada", **notebooks)
    collected = taken(tmp_path / "hand", beside)
    store(collected, tmp_path / "kept")
    (again,) = taken(tmp_path / "kept", beside).submissions
    (first,) = collected.submissions
    assert (again.sha256, again.notebook, again.notes) == (first.sha256, "attention", first.notes)
    assert store(collected, tmp_path / "kept").folders == (
        *(tmp_path / "kept" / NAME / "ada").iterdir(),
    )


def test_the_same_bytes_as_another_notebook_are_another_submission(
    tmp_path: Path, beside: AcceptedFiles
) -> None:
    released = untouched(make_two_notebooks(tmp_path / "course"))
    plain = bare(released["backprop"])
    hand_in(tmp_path / "one" / "ada", backprop=plain)
    hand_in(tmp_path / "two" / "ada", attention=plain)
    (one,) = taken(tmp_path / "one", beside).submissions
    (two,) = taken(tmp_path / "two", beside).submissions
    assert one.content.sha256 == two.content.sha256
    assert one.sha256 != two.sha256


def test_a_notebook_in_no_student_s_folder_is_refused(
    tmp_path: Path, beside: AcceptedFiles, notebooks: Notebooks
) -> None:
    hand_in(tmp_path / "hand" / "ada", **notebooks)
    hand_in(tmp_path / "hand", attention=notebooks["attention"])
    found = taken(tmp_path / "hand", beside)
    assert [s.student for s in found.submissions] == ["ada"]
    assert "each student has a folder or a zip" in found.refused[0].reason
