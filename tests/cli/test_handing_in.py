"""`submit`, `receipt`, `collect`: from a student's desk to the course."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from grader.course.directory import Assignment
from tests.cli.conftest import Grader, write_class


def test_submit_keeps_each_try_and_gives_a_receipt_that_verifies(
    notebook: Path, tmp_path: Path, grader: Grader
) -> None:
    inbox = tmp_path / "inbox"
    for attempt in (1, 2):
        done = grader("submit", notebook, "--to", inbox, "--student", "ada")
        assert done.code == 0
        assert done.out.startswith(f"Handed in: warm-up, ada, try {attempt}\n")
        receipt = notebook.with_name(f"warm-up-{attempt:03d}.receipt.json")
        assert done.out.endswith(f"  receipt {receipt}\n")
        held = grader("receipt", "verify", receipt, "--inbox", inbox)
        assert held.code == 0
        assert f"ada handed in warm-up, try {attempt}" in held.out


def test_submit_says_what_a_student_may_want_to_mend(
    notebook: Path, tmp_path: Path, grader: Grader
) -> None:
    done = grader("submit", notebook, "--to", tmp_path / "inbox", "--student", "ada")
    assert "Note: Cells 2, 4, 5, 7 were never run" in done.err


def test_submit_as_json_prints_the_receipt_alone(
    notebook: Path, tmp_path: Path, grader: Grader
) -> None:
    done = grader("submit", notebook, "--to", tmp_path / "inbox", "--student", "ada", "--json")
    assert done.json()["student"] == "ada"
    assert notebook.with_name("warm-up-001.receipt.json").read_text() == done.out


def test_what_is_no_notebook_is_not_taken_and_nothing_is_stored(
    tmp_path: Path, grader: Grader
) -> None:
    paper = tmp_path / "warm-up.ipynb"
    paper.write_bytes(b"%PDF-1.7 my homework")
    done = grader("submit", paper, "--to", tmp_path / "inbox", "--student", "ada")
    assert (done.code, done.out) == (1, "")
    assert "PDF" in done.err
    assert not list(tmp_path.rglob("submission.json"))


def test_submit_of_a_file_that_is_not_there_is_a_wrong_call(tmp_path: Path, grader: Grader) -> None:
    done = grader("submit", tmp_path / "hw.ipynb", "--to", tmp_path / "inbox")
    assert done.code == 2
    assert done.err == f"Error: {tmp_path / 'hw.ipynb'}: there is no such file\n"


def test_a_receipt_that_can_not_be_saved_is_printed_and_the_notebook_is_handed_in(
    notebook: Path, tmp_path: Path, grader: Grader
) -> None:
    inbox, nowhere = tmp_path / "inbox", tmp_path / "no" / "receipt.json"
    done = grader("submit", notebook, "--to", inbox, "--student", "ada", "--receipt", nowhere)
    assert done.code == 1
    assert "the notebook is handed in, but its receipt can't be saved" in done.err
    kept = tmp_path / "kept.json"
    kept.write_text(done.err[done.err.index("{") : done.err.rindex("}") + 1])
    assert grader("receipt", "verify", kept, "--inbox", inbox).code == 0


def test_a_receipt_that_was_changed_does_not_hold(
    notebook: Path, tmp_path: Path, grader: Grader
) -> None:
    inbox, receipt = tmp_path / "inbox", tmp_path / "receipt.json"
    grader("submit", notebook, "--to", inbox, "--student", "ada", "--receipt", receipt)
    receipt.write_text(receipt.read_text().replace('"ada"', '"ben"'))
    done = grader("receipt", "verify", receipt, "--inbox", inbox)
    assert (done.code, done.out) == (1, "")
    assert "The signature is wrong" in done.err


def test_collect_takes_a_zip_and_names_who_is_in_it(
    warm_up: Assignment, tmp_path: Path, grader: Grader
) -> None:
    write_class(warm_up, tmp_path / "class")
    archive = tmp_path / "class.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in (tmp_path / "class").iterdir():
            packed.write(file, file.name)
        packed.writestr("../../evil.ipynb", "{}")
    done = grader("collect", "warm-up", archive)
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == ["ada", "ben", "cem"]
    assert "Refused:" in done.err
    assert "evil.ipynb" in done.err
    assert "3 submissions, 1 refused." in done.err
    kept = sorted(p.name for p in (warm_up.course_root / "submissions/warm-up").glob("[a-z]*"))
    assert kept == ["ada", "ben", "cem"]


def test_collect_as_json_is_one_document_with_problems_and_refusals(
    warm_up: Assignment, tmp_path: Path, grader: Grader
) -> None:
    write_class(warm_up, tmp_path / "class")
    (tmp_path / "class" / "dag.ipynb").symlink_to("/etc/hostname")
    done = grader("collect", "warm-up", tmp_path / "class", "--out", tmp_path / "kept", "--json")
    found = json.loads(done.out)
    taken = {s["student"]: s for s in found["submissions"]}
    assert taken["ada"]["problem"] == ""
    assert taken["cem"]["problem"]
    assert Path(taken["ada"]["folder"]).is_relative_to(tmp_path / "kept")
    assert any("dag.ipynb" in r["source"] for r in found["refused"])
    assert set(found) == {"assignment", "submissions", "refused", "warnings"}


@pytest.mark.parametrize("command", ["collect", "grade"])
def test_a_source_that_is_not_there_is_a_wrong_call(
    warm_up: Assignment, grader: Grader, command: str
) -> None:
    done = grader(command, "warm-up", "downloads.zip")
    assert (done.code, done.out) == (2, "")
    assert "downloads.zip: there is no such file or folder" in done.err
    assert "A source is a folder, a zip or tar archive" in done.err


def test_an_empty_source_says_what_was_looked_for(
    warm_up: Assignment, tmp_path: Path, grader: Grader
) -> None:
    (tmp_path / "empty").mkdir()
    done = grader("collect", "warm-up", tmp_path / "empty")
    assert done.code == 2
    assert "no submission was found" in done.err
    assert "STUDENT.ipynb" in done.err
