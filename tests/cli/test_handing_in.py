"""`submit`, `receipt`, `collect`: from a student's desk to the course."""

from __future__ import annotations

import json
import time
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from grader.course.directory import Assignment
from tests.cli.conftest import Grader, on_a_terminal, write_class


@pytest.fixture
def inbox(warm_up: Assignment, tmp_path: Path, grader: Grader) -> Path:
    path = tmp_path / "inbox"
    done = grader("inbox", "make", path, "--private")
    assert done.out == f"{path}: takes warm-up\n"
    return path


def receipts_beside(notebook: Path) -> list[Path]:
    return sorted(notebook.parent.glob("warm-up-*.receipt.json"))


def test_a_try_is_handed_in_collected_and_receipted(
    notebook: Path, inbox: Path, grader: Grader
) -> None:
    for _ in range(2):
        done = grader("submit", notebook, "--to", inbox, "--student", "ada")
        assert done.code == 0
        assert done.out.startswith("Handed in: warm-up, ada\n")
    first, _ = receipts_beside(notebook)
    held = grader("receipt", "verify", first, "--inbox", inbox)
    assert held.code == 0
    assert "The inbox holds it: warm-up, a file of user" in held.out
    unsigned = grader("receipt", "verify", first)
    assert unsigned.code == 1
    assert "not signed, and proves nothing by itself" in unsigned.err
    waiting = grader("receipt", "fetch", first, "--inbox", inbox)
    assert waiting.code == 1
    assert "no signed receipt of this try yet" in waiting.err
    assert grader("collect", "warm-up", inbox).code == 0
    assert grader("receipt", "fetch", first, "--inbox", inbox).code == 0
    signed = grader("receipt", "verify", first)
    assert signed.code == 0
    assert signed.out.startswith("The receipt is ours: ada (login ")


def test_a_receipt_that_was_changed_does_not_hold(
    notebook: Path, inbox: Path, grader: Grader
) -> None:
    grader("submit", notebook, "--to", inbox, "--student", "ada")
    grader("collect", "warm-up", inbox)
    (receipt,) = receipts_beside(notebook)
    grader("receipt", "fetch", receipt, "--inbox", inbox)
    receipt.write_text(receipt.read_text().replace('"ada"', '"ben"'))
    done = grader("receipt", "verify", receipt)
    assert (done.code, done.out) == (1, "")
    assert "The signature is wrong" in done.err


def test_receipts_stand_as_they_were_first_signed_and_the_key_is_the_owners_alone(
    warm_up: Assignment, notebook: Path, inbox: Path, grader: Grader
) -> None:
    grader("submit", notebook, "--to", inbox, "--student", "ada")
    grader("collect", "warm-up", inbox)
    (signed,) = (inbox / "receipts").iterdir()
    before = signed.read_bytes()
    (attempt,) = (inbox / "tries").iterdir()
    time.sleep(1.1)
    attempt.chmod(0o440)  # moves its time, as a backup would
    assert (
        int(attempt.stat().st_ctime)
        > datetime.fromisoformat(json.loads(before)["handed_in_at"]).timestamp()
    )
    again = grader("collect", "warm-up", inbox, "--json").json()
    assert again["submissions"][0]["submitted_at"] == json.loads(before)["handed_in_at"]
    assert signed.read_bytes() == before
    key = warm_up.course_root / ".receipts.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    done = grader("receipt", "verify", signed)
    assert done.code == 1
    assert "others can read the key of the receipts (mode 644)" in done.err


def test_a_course_without_a_key_never_signed_a_receipt(
    warm_up: Assignment, notebook: Path, inbox: Path, grader: Grader
) -> None:
    grader("submit", notebook, "--to", inbox, "--student", "ada")
    grader("collect", "warm-up", inbox)
    (signed,) = (inbox / "receipts").iterdir()
    (warm_up.course_root / ".receipts.key").unlink()
    done = grader("receipt", "verify", signed)
    assert done.code == 1
    assert "never signed a receipt" in done.err
    assert not (warm_up.course_root / ".receipts.key").exists()


def test_submit_says_what_a_student_may_want_to_mend(
    notebook: Path, inbox: Path, grader: Grader
) -> None:
    done = grader("submit", notebook, "--to", inbox, "--student", "ada")
    assert "Note: Cells 2, 4, 5, 7 were never run" in done.err


def test_submit_as_json_prints_the_receipt_alone(
    notebook: Path, inbox: Path, grader: Grader
) -> None:
    done = grader("submit", notebook, "--to", inbox, "--student", "ada", "--json")
    assert done.json()["student"] == "ada"
    (receipt,) = receipts_beside(notebook)
    assert json.loads(receipt.read_text()) == done.json()


def test_a_file_that_a_browser_renamed_is_handed_in_as_what_it_was_released_as(
    notebook: Path, inbox: Path, grader: Grader
) -> None:
    renamed = notebook.rename(notebook.with_name("vae final (2).ipynb"))
    done = grader("submit", renamed, "--to", inbox, "--student", "ada")
    assert done.code == 0
    assert done.out.startswith("Handed in: warm-up, ada\n")
    assert [s["file"] for s in grader("collect", "warm-up", inbox, "--json").json()["submissions"]]


def without_release(notebook: Path, name: str, **metadata: object) -> Path:
    document = json.loads(notebook.read_text())
    del document["metadata"]["grader"]
    document["metadata"] |= metadata
    other = notebook.with_name(name)
    other.write_text(json.dumps(document))
    return other


def test_an_assignment_is_never_invented_from_a_files_name(
    notebook: Path, inbox: Path, grader: Grader
) -> None:
    other = without_release(notebook, "warm up (2).ipynb")
    done = grader("submit", other, "--to", inbox)
    assert (done.code, done.out) == (2, "")
    assert "nothing says which assignment this is" in done.err
    assert "Did you mean warm-up? There are: warm-up. Name it: --assignment NAME" in done.err
    assert not list((inbox / "tries").iterdir())
    assert grader("submit", other, "--to", inbox, "--assignment", "warm-up").code == 0


def test_the_folder_of_a_release_says_which_assignment_it_is(
    warm_up: Assignment, notebook: Path, inbox: Path, grader: Grader
) -> None:
    grader("release", "warm-up", "--out", notebook.parent)
    other = without_release(notebook, "x.ipynb").rename(notebook.parent / "warm-up" / "x.ipynb")
    assert grader("submit", other, "--to", inbox).code == 0


@pytest.mark.parametrize("named", ["warm-up", None])
def test_what_does_not_agree_is_asked_and_handed_in_only_by_who_is_sure(
    notebook: Path, inbox: Path, grader: Grader, named: str | None
) -> None:
    other = without_release(notebook, "warm-up.ipynb", grader={"assignment": "vae"})
    given = ["--assignment", named] if named else []
    done = grader("submit", other, "--to", inbox, *given)
    assert (done.code, done.out) == (2, "")
    said = "the notebook was released as vae, you named warm-up" if named else "takes no assig"
    assert said in done.err
    assert not list((inbox / "tries").iterdir())
    sure = ["--assignment", "warm-up", "--anyway"]
    assert grader("submit", other, "--to", inbox, *sure).code == 0


def test_on_a_terminal_the_student_is_asked(
    notebook: Path, inbox: Path, warm_up: Assignment
) -> None:
    other = without_release(notebook, "mine.ipynb")
    said = on_a_terminal(
        ["submit", str(other), "--to", str(inbox)], warm_up.course_root, typed=b"warm-up\n"
    )
    assert "Which assignment is it? (warm-up)" in said
    assert "Handed in: warm-up" in said


def test_what_is_no_notebook_is_not_taken_and_nothing_is_stored(
    tmp_path: Path, inbox: Path, grader: Grader
) -> None:
    paper = tmp_path / "warm-up.ipynb"
    paper.write_bytes(b"%PDF-1.7 my homework")
    done = grader("submit", paper, "--to", inbox, "--student", "ada")
    assert (done.code, done.out) == (1, "")
    assert "PDF" in done.err
    assert not list((inbox / "tries").iterdir())


def test_submit_of_a_file_that_is_not_there_is_a_wrong_call(tmp_path: Path, grader: Grader) -> None:
    done = grader("submit", tmp_path / "hw.ipynb", "--to", tmp_path / "inbox")
    assert done.code == 2
    assert done.err == f"Error: {tmp_path / 'hw.ipynb'}: there is no such file\n"


def test_an_inbox_is_never_made_by_handing_in(
    notebook: Path, tmp_path: Path, grader: Grader
) -> None:
    done = grader("submit", notebook, "--to", tmp_path / "inbx")
    assert done.code == 2
    assert "there is no such inbox" in done.err
    assert not (tmp_path / "inbx").exists()


def test_a_receipt_that_can_not_be_saved_is_printed_and_the_notebook_is_handed_in(
    notebook: Path, inbox: Path, tmp_path: Path, grader: Grader
) -> None:
    nowhere = tmp_path / "no" / "receipt.json"
    done = grader("submit", notebook, "--to", inbox, "--student", "ada", "--receipt", nowhere)
    assert done.code == 1
    assert "the notebook is handed in, but its receipt can't be saved" in done.err
    kept = tmp_path / "kept.json"
    kept.write_text(done.err[done.err.index("{") : done.err.rindex("}") + 1])
    assert grader("receipt", "verify", kept, "--inbox", inbox).code == 0


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


def test_what_is_asked_for_beside_the_notebook_goes_with_it_and_into_the_course(
    warm_up: Assignment, notebook: Path, inbox: Path, grader: Grader
) -> None:
    spec = warm_up.folder / "assignment.toml"
    spec.write_text(f'{spec.read_text()}\n[handin]\nfiles = ["*.py"]\n')
    assert grader("inbox", "make", inbox, "--private").code == 0
    notebook.with_name("my_utils.py").write_text("x = 1\n")
    done = grader("submit", notebook, "--to", inbox, "--student", "ada")
    assert done.code == 0
    assert "  with    my_utils.py\n" in done.out
    assert grader("collect", "warm-up", inbox).code == 0
    [kept] = (warm_up.course_root / "submissions").rglob("my_utils.py")
    assert kept.read_text() == "x = 1\n"
    [receipt] = receipts_beside(notebook)
    assert grader("receipt", "verify", receipt, "--inbox", inbox).code == 0
    assert grader("receipt", "fetch", receipt, "--inbox", inbox).code == 0
    assert grader("receipt", "verify", receipt).code == 0
    assert "submissions" in grader("receipt", "verify", receipt).out


def test_a_release_says_what_goes_with_its_notebook_where_the_course_cannot_be_read(
    warm_up: Assignment, inbox: Path, grader: Grader
) -> None:
    spec = warm_up.folder / "assignment.toml"
    spec.write_text(f'{spec.read_text()}\n[handin]\nfiles = ["*.py"]\n')
    released = warm_up.course_root.parent / "released"
    assert grader("release", "warm-up", "--out", released).code == 0
    [released_notebook] = released.rglob("*.ipynb")
    released_notebook.with_name("my_utils.py").write_text("x = 1\n")
    done = grader("submit", released_notebook, "--to", inbox, "--student", "ada")
    assert "  with    my_utils.py\n" in done.out
