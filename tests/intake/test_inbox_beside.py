"""What an assignment asks for beside the notebook goes through the inbox in the same try."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path

import pytest

from grader.course.matches import Matcher
from grader.course.roster import Roster
from grader.course.spec import HandInRules
from grader.errors import SubmissionError
from grader.intake.accepted_files import AcceptedFiles, Taken, beside_on_disk
from grader.intake.content import held
from grader.intake.inbox import submit
from grader.intake.receipt import FileReceipt, Receipt, parse_receipt, sign, verify
from grader.intake.submission import Submission
from grader.intake.tries import Tries, read_tries
from tests.intake.test_inbox import HW, NOW, notebook
from tests.intake.test_inbox import inbox as inbox

PYTHON = AcceptedFiles(HandInRules(files=("*.py",), max_mb=1), {"course_tools.py": "another"})


def hand_in(inbox: Path, *, asked: AcceptedFiles = PYTHON, **files: bytes) -> Receipt:
    home = inbox.parent / "home"
    home.mkdir()
    (home / "hw1.ipynb").write_bytes(notebook("import my_utils"))
    for name, data in files.items():
        (home / f"{name}.py").write_bytes(data)
    taken = beside_on_disk(home / "hw1.ipynb", asked)
    return submit(home / "hw1.ipynb", inbox, student="anna", assignment=HW, now=NOW, beside=taken)


def read(inbox: Path, asked: AcceptedFiles = PYTHON) -> Tries:
    nobody = Matcher(Roster({}), inbox.parent / "matches.csv")
    return read_tries(inbox, assignment=HW, matcher=nobody, beside=asked)


def only(tries: Tries) -> Submission:
    [submission] = tries.students.submissions
    return submission


def forged(inbox: Path, content: bytes) -> None:
    """What a student's own program puts into the inbox, under a name that fits."""
    name = f"{hashlib.sha256(content).hexdigest()}-{secrets.token_hex(16)}"
    (inbox / "tries" / name).write_bytes(content)


def header(**fields: object) -> bytes:
    said = {
        "format": "grader-try 2",
        "assignment": HW,
        "student": "anna",
        "file": "hw1.ipynb",
        "written_at": "2024-10-30T20:58:59Z",
        **fields,
    }
    return json.dumps(said).encode() + b"\n"


def test_files_that_are_asked_for_arrive_beside_the_notebook(inbox: Path) -> None:
    receipt = hand_in(inbox, my_utils=b"x = 1\n", empty=b"")
    tries = read(inbox)
    found = only(tries)
    assert found.read() == notebook("import my_utils")
    assert found.read_files() == {"my_utils.py": b"x = 1\n", "empty.py": b""}
    [told] = tries.receipts
    digest = hashlib.sha256(b"x = 1\n").hexdigest()
    assert FileReceipt(path="my_utils.py", sha256=digest) in receipt.files
    assert (told.files, told.sha256) == (receipt.files, receipt.sha256)


def test_a_notebook_alone_is_written_as_earlier_versions_read_it(inbox: Path) -> None:
    hand_in(inbox)
    [file] = (inbox / "tries").iterdir()
    line, _, body = file.read_bytes().partition(b"\n")
    assert json.loads(line).keys() == {"format", "assignment", "student", "file", "written_at"}
    assert json.loads(line)["format"] == "grader-try 1"
    assert body == notebook("import my_utils")


def test_a_receipt_holds_what_lay_beside_and_one_of_before_still_holds(inbox: Path) -> None:
    signed = sign(hand_in(inbox, my_utils=b"x = 1\n"), b"key")
    verify(parse_receipt(signed.to_json()), b"key")
    changed = signed.to_json().replace(b"my_utils.py", b"my_other.py")
    with pytest.raises(Exception, match="signature is wrong"):
        verify(parse_receipt(changed), b"key")
    alone = sign(parse_receipt(signed.to_json()), b"key")
    assert b'"files"' not in sign(Receipt(**{**vars(alone), "files": ()}), b"key").to_json()


def test_what_is_not_asked_for_is_not_taken_along_and_the_courses_own_stands(inbox: Path) -> None:
    receipt = hand_in(inbox, course_tools=b"def give_points(): ...\n")
    assert receipt.files == ()
    assert any("`course_tools.py` is the course's file" in w for w in receipt.warnings)


@pytest.mark.parametrize(
    "path", ["../my_utils.py", "/etc/my_utils.py", "a/../../b.py", ".hidden.py", "c\\..\\d.py"]
)
def test_a_path_that_leads_elsewhere_is_not_taken_and_said(inbox: Path, path: str) -> None:
    body = notebook("x = 1")
    line = header(size=len(body), files=[{"path": path, "size": 5}])
    forged(inbox, line + body + b"x = 2")
    found = only(read(inbox))
    assert (found.read(), found.files) == (body, ())
    assert any("handed in" in note for note in found.notes)


def test_a_course_file_in_a_forged_try_is_not_replaced(inbox: Path) -> None:
    body = notebook("x = 1")
    line = header(size=len(body), files=[{"path": "Course_Tools.py", "size": 5}])
    forged(inbox, line + body + b"x = 2")
    found = only(read(inbox))
    assert found.files == ()
    assert any("is the course's file" in note for note in found.notes)


@pytest.mark.parametrize(
    "fields",
    [
        {"size": 3, "files": [{"path": "a.py", "size": 4}]},
        {"size": 3, "files": [{"path": "a.py", "size": 2}]},
        {"size": 2, "files": [{"path": "a.py", "size": -1}]},
        {"size": 0, "files": [{"path": "a.py", "size": 3}, {"path": "a.py", "size": 3}]},
        {"size": 0, "files": [{"path": f"{n}.py", "size": 0} for n in range(101)]},
        {"format": "grader-try 1", "size": 3, "files": [{"path": "a.py", "size": 3}]},
        {"format": "grader-try 3"},
    ],
)
def test_a_try_that_does_not_add_up_is_refused(inbox: Path, fields: dict[str, object]) -> None:
    forged(inbox, header(**fields) + b"abcdef")
    tries = read(inbox)
    assert tries.students.submissions == ()
    [(_, reason)] = tries.students.refused
    assert reason == "it was not put there by `grader submit`"


def test_files_larger_than_the_assignment_takes_are_refused_before_they_are_read(
    inbox: Path,
) -> None:
    line = header(size=2, files=[{"path": "a.py", "size": 2**27}])
    name = f"{'0' * 64}-{'0' * 32}"
    with (inbox / "tries" / name).open("wb") as file:
        file.write(line + b"{}")
        file.truncate(len(line) + 2 + 2**27)
    [(_, reason)] = read(inbox).students.refused
    assert reason.startswith("it is larger than 65 MB")


def test_names_too_long_to_be_read_again_are_refused_at_the_students_desk(inbox: Path) -> None:
    long = Taken(files=tuple((f"{n:0250}.py", held(b"")) for n in range(100)))
    (inbox.parent / "hw1.ipynb").write_bytes(notebook("x = 1"))
    with pytest.raises(SubmissionError, match="too many files next to the notebook"):
        submit(
            inbox.parent / "hw1.ipynb",
            inbox,
            student="anna",
            assignment=HW,
            now=NOW,
            beside=long,
        )
    assert not list((inbox / "tries").iterdir())
