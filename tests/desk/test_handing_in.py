"""What is handed in is looked at first, kept once, and never lost; what can't be is refused."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from grader.api import grading, receiving
from grader.api.handing_in import collect_submissions
from grader.api.receiving import settle_broken_off
from grader.gradebook.tries import DeskTry, TryState
from grader.intake import stored
from tests.desk.conftest import HOMEWORK, Tables
from tests.helpers.assignments import SPEC, write_assignment
from tests.helpers.notebooks import code, notebook

WARNED = notebook([code("import tensorflow", count=1)])


def no_line(one: DeskTry) -> None:
    """The log is not looked at."""


def test_a_hand_in_is_on_disk_and_in_the_queue_when_it_is_acknowledged(tables: Tables) -> None:
    answer = tables.browser("ada").hand_in()
    assert answer.status_code == 303
    (one,) = tables.course.gradebook.tries.of("ada")
    assert answer.headers["location"] == f"/c/course/t/{one.id}"
    assert (one.state, one.attempt) == (TryState.WAITING, 1)
    folder = tables.course.course.submissions_dir / one.folder
    assert (folder / "notebook.ipynb").read_bytes() == HOMEWORK
    assert stored.load_attempt(folder, 1).submitted_at == one.received_at
    assert not list(tables.desk.uploads.iterdir())


def test_warnings_come_before_it_counts(tables: Tables) -> None:
    ada = tables.browser("ada")
    answer = ada.get(ada.hand_in(("hw.ipynb", WARNED), sure="").headers["location"])
    assert answer.status_code == 200
    assert "tensorflow" in answer.text
    assert tables.course.gradebook.tries.of("ada") == []
    upload = answer.text.partition('name="upload" value="')[2].partition('"')[0]
    ben = tables.browser("ben")
    stolen = ben.post("/c/course/a/warm-up/confirm", {"upload": upload})
    assert stolen.status_code == 422
    counted = ada.post("/c/course/a/warm-up/confirm", {"upload": upload})
    assert counted.status_code == 303
    assert len(tables.course.gradebook.tries.of("ada")) == 1
    assert tables.course.gradebook.tries.of("ben") == []


def test_a_form_that_is_sent_twice_counts_once(tables: Tables) -> None:
    ada = tables.browser("ada")
    first, second = ada.hand_in(key="same"), ada.hand_in(key="same")
    assert first.headers["location"] == second.headers["location"]
    assert ada.hand_in(key="other").headers["location"] != first.headers["location"]
    assert len(tables.course.gradebook.tries.of("ada")) == 2


def test_two_people_may_have_the_same_key(tables: Tables) -> None:
    tables.browser("ada").hand_in(key="same")
    tables.browser("ben").hand_in(key="same")
    assert len(tables.course.gradebook.tries.of("ben")) == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("hw.ipynb", b"", "empty"),
        ("hw.ipynb", b"{not json", "Mend the file"),
        ("hw.pdf", b"%PDF-1.4", "notebook"),
        ("hw.zip", b"PK\x03\x04 broken", ""),
    ],
    ids=str,
)
def test_what_is_no_notebook_is_not_handed_in(
    tables: Tables, name: str, content: bytes, said: str
) -> None:
    answer = tables.browser("ada").hand_in((name, content))
    assert answer.status_code == 422
    assert said in answer.text
    assert tables.course.gradebook.tries.of("ada") == []
    assert not list(tables.desk.uploads.iterdir())


def test_a_zip_is_opened_and_no_name_in_it_leads_elsewhere(tables: Tables) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("hw/warm-up.ipynb", HOMEWORK)
        archive.writestr("../../../escaped.py", "x = 1")
    answer = tables.browser("ada").hand_in(("hw.zip", packed.getvalue()))
    assert answer.status_code == 303
    root = tables.course.course.root
    assert not list(root.parent.rglob("escaped.py"))


@pytest.mark.parametrize(
    "name", ["../../ben.ipynb", "..\\ben.ipynb", "/etc/hw.ipynb", "a/../b.ipynb"]
)
def test_a_files_name_leads_nowhere(tables: Tables, name: str) -> None:
    answer = tables.browser("ada").hand_in((name, HOMEWORK))
    assert answer.status_code == 303
    (one,) = tables.course.gradebook.tries.of("ada")
    assert one.folder.startswith("warm-up/ada/")
    assert tables.course.gradebook.tries.of("ben") == []


def test_a_student_hands_in_for_nobody_else_and_a_head_marker_does(tables: Tables) -> None:
    tables.browser("ada").hand_in(student="ben")
    assert [t.student for t in tables.course.gradebook.tries.of("ada")] == ["ada"]
    assert tables.course.gradebook.tries.of("ben") == []
    assert tables.browser("mia").hand_in(student="ben").status_code == 404
    assert tables.browser("hana").hand_in(student="ben").status_code == 303
    (one,) = tables.course.gradebook.tries.of("ben")
    assert one.received_from == "hana"


def test_no_more_tries_than_the_assignment_allows(tables: Tables) -> None:
    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    text = spec.read_text().replace("[resources]", "[attempts]\nlimit = 2\n[resources]")
    spec.write_text(text)
    ada = tables.browser("ada")
    codes = []
    for i in range(3):
        codes.append(ada.hand_in(key=f"k{i}").status_code)
        judge_all(tables)
    assert codes == [303, 303, 422]
    assert len(tables.course.gradebook.tries.of("ada")) == 2
    assert "All tries are used" in ada.get("/c/course/a/warm-up").text


def judge_all(tables: Tables) -> None:
    gradebook = tables.course.gradebook
    batch = gradebook.start_batch("warm-up", seed=1)
    for one in gradebook.claims.take("e1", limit=9, now=tables.now, lease=dt.timedelta(minutes=1)):
        gradebook.record(tables.verdict(one), HOMEWORK, batch=batch, desk_try=one.id)


def test_what_fails_for_a_reason_of_ours_is_no_try(tables: Tables) -> None:
    course = tables.course
    tries = course.gradebook.tries
    spec = course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("[resources]", "[attempts]\nlimit = 1\n[resources]"))
    ada = tables.browser("ada")
    assert ada.hand_in(key="k1").status_code == 303
    assert "0 of 1 left" in ada.get("/c/course/a/warm-up").text
    (first,) = tries.of("ada")
    course.gradebook.claims.fail(first.id, "A check is broken.", now=tables.now)
    assert "It costs you no try" in ada.get(f"/c/course/t/{first.id}").text
    assert "1 of 1 left" in ada.get("/c/course/a/warm-up").text
    better = HOMEWORK.replace(b"softmax(1)", b"softmax(-1)")
    assert ada.hand_in(("hw.ipynb", better), key="k2").status_code == 303
    judge_all(tables)
    assert "0 of 1 left" in ada.get("/c/course/a/warm-up").text
    refused = ada.hand_in(key="k3")
    assert refused.status_code == 422 and "the one try is used" in refused.text

    # The command line grades what the desk has taken, and refuses nothing that it allowed.
    assignment = course.course.assignment("warm-up")
    folder = course.course.submissions_dir / "warm-up"
    submissions, over, _ = grading._submissions(course.course, assignment, [folder], ())
    assert [(s.student, s.attempt) for s in submissions] == [("ada", 2)]
    assert over == ()

    # Judged after all, it is one of those allowed; what was handed in meanwhile stays.
    course.gradebook.queue.again([first.id])
    judge_all(tables)
    assert "0 of 1 left" in ada.get("/c/course/a/warm-up").text


def test_an_archive_and_the_desk_count_the_same_tries(tables: Tables, tmp_path: Path) -> None:
    course, tries = tables.course.course, tables.course.gradebook.tries
    spec = course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("[resources]", "[attempts]\nlimit = 2\n[resources]"))
    ada = tables.browser("ada")
    assert ada.hand_in(key="k1").status_code == 303
    tables.course.gradebook.claims.fail(tries.of("ada")[0].id, "A check is broken.", now=tables.now)

    def archive(student: str, word: bytes) -> tuple[int, list[str]]:
        path = tmp_path / f"{word.decode()}.zip"
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr(f"{student}.ipynb", HOMEWORK.replace(b"softmax(1)", word))
        collected, folders = collect_submissions(course, "warm-up", [path])
        return len(folders), [one.reason for one in collected.refused]

    for _ in range(2):  # what is there already is no further try
        assert archive("ada", b"x.exp()") == (1, [])
    assert "1 of 2 left" in ada.get("/c/course/a/warm-up").text
    assert ada.hand_in(("hw.ipynb", HOMEWORK.replace(b"(1)", b"(-1)")), key="k2").is_redirect
    judge_all(tables)
    assert "0 of 2 left" in ada.get("/c/course/a/warm-up").text
    assert archive("ada", b"x.log()") == (0, ["all 2 tries were used before"])
    # What the command line grades is the same: three attempts, one of which cost none.
    folder = course.submissions_dir / "warm-up"
    assignment = course.assignment("warm-up")
    submissions, over, _ = grading._submissions(course, assignment, [folder], ())
    assert [s.submitted_at for s in submissions] == [tries.of("ada")[0].received_at]
    assert over == ()


def test_a_number_that_an_archive_skips_is_no_try(tables: Tables, tmp_path: Path) -> None:
    course = tables.course.course
    spec = course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("[resources]", "[attempts]\nlimit = 2\n[resources]"))
    ada = tables.browser("ada")
    assert ada.hand_in(key="k1").is_redirect
    folder = course.submissions_dir / "warm-up/ada"
    (first,) = (path for path in folder.iterdir() if path.name.startswith("0"))
    first.rename(folder / first.name.replace("001", "002", 1))
    assert stored.tries_used(folder) == 1
    assert "1 of 2 left" in ada.get("/c/course/a/warm-up").text
    assert ada.hand_in(("hw.ipynb", WARNED), key="k2").is_redirect


def test_a_try_that_was_not_run_yet_costs_none_when_a_newer_one_comes(tables: Tables) -> None:
    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("[resources]", "[attempts]\nlimit = 2\n[resources]"))
    ada = tables.browser("ada")
    assert [ada.hand_in(key=f"k{i}").status_code for i in range(3)] == [303, 303, 303]
    newest, *older = tables.course.gradebook.tries.of("ada")
    assert "1 of 2 left" in ada.get("/c/course/a/warm-up").text
    assert "This one costs you no try" in ada.get(f"/c/course/t/{older[0].id}").text
    judge_all(tables)
    assert tables.course.gradebook.tries.of("ada")[0].id == newest.id
    assert "1 of 2 left" in ada.get("/c/course/a/warm-up").text


def test_an_older_try_that_waits_is_replaced_where_the_last_one_counts(tables: Tables) -> None:
    ada = tables.browser("ada")
    ada.hand_in(key="one")
    ada.hand_in(key="two")
    states = [one.state for one in tables.course.gradebook.tries.of("ada")]
    assert states == [TryState.WAITING, TryState.SUPERSEDED]


def test_a_late_try_replaces_none_that_waits_since_it_may_not_be_accepted(tables: Tables) -> None:
    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("due = 2099", "due = 2024"))
    ada = tables.browser("ada")
    ada.hand_in(key="one")
    ada.hand_in(key="two")
    states = [one.state for one in tables.course.gradebook.tries.of("ada")]
    assert states == [TryState.WAITING, TryState.WAITING]


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(tables: Tables) -> None:
    ada = tables.browser("ada")
    answer = ada.post("/c/course/a/warm-up/hand-in", headers={"content-length": str(10 << 30)})
    assert answer.status_code == 413
    assert "larger than 100 MB" in answer.text
    assert "<h1>Too large</h1>" in answer.text and "content-security-policy" in answer.headers
    program = {"content-length": str(10 << 30), "accept": "application/json"}
    answer = ada.post("/c/course/a/warm-up/hand-in", headers=program)
    assert answer.status_code == 413
    assert "larger than 100 MB" in answer.json()["error"]


def test_files_that_are_too_large_together_are_refused(tables: Tables) -> None:
    object.__setattr__(tables.desk, "max_upload_mb", 1)
    answer = tables.browser("ada").hand_in(("hw.ipynb", b"x" * (1 << 20) + HOMEWORK))
    assert answer.status_code == 422
    assert "too large" in answer.text
    assert not list(tables.desk.uploads.iterdir())


def test_a_disk_that_is_full_acknowledges_nothing(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    ada = tables.browser("ada")
    monkeypatch.setattr(stored, "_write", full)
    answer = ada.hand_in()
    assert answer.status_code == 503
    assert "could not be stored" in answer.text
    monkeypatch.undo()
    assert tables.course.gradebook.tries.of("ada") == []
    assert ada.hand_in().status_code == 303


def test_a_process_that_dies_between_disk_and_queue_loses_nothing(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = type(tables.course.gradebook.tries)

    def dies(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr(tries, "stored", dies)
    with pytest.raises(BaseException):  # noqa: B017 - whatever the test client makes of it
        tables.browser("ada").hand_in(key="once")
    monkeypatch.undo()
    kept = settle_broken_off(
        tables.course.course,
        tables.course.gradebook,
        older_than=dt.timedelta(),
        beside=no_line,
    )
    assert kept == 1
    (one,) = tables.course.gradebook.tries.of("ada")
    assert one.state is TryState.WAITING
    assert tables.browser("ada").hand_in(key="once").status_code == 303
    assert len(tables.course.gradebook.tries.of("ada")) == 1


def test_what_somebody_else_put_into_the_queue_meanwhile_has_one_line(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, write = tables.course, receiving.write_attempt
    line = partial(course.audit.hand_in, course="course", now=tables.now)

    def slowly(*said: Any, **more: Any) -> Any:
        written = write(*said, **more)
        settle_broken_off(course.course, course.gradebook, older_than=dt.timedelta(), beside=line)
        return written

    monkeypatch.setattr(receiving, "write_attempt", slowly)
    assert tables.browser("ada").hand_in().status_code == 303
    (one,) = course.audit.newest("course", action="hand in")
    (tried,) = course.gradebook.tries.of("ada")
    assert (one.who, one.thing, one.detail) == ("ada", "warm-up ada 1", tried.sha256)


def test_what_took_so_long_to_be_stored_that_its_row_went_is_received_all_the_same(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, write = tables.course, receiving.write_attempt

    def slowly(*said: Any, **more: Any) -> Any:
        settle_broken_off(
            course.course, course.gradebook, older_than=dt.timedelta(), beside=no_line
        )
        assert course.gradebook.tries.receiving() == []
        return write(*said, **more)

    monkeypatch.setattr(receiving, "write_attempt", slowly)
    answer = tables.browser("ada").hand_in()
    (one,) = course.gradebook.tries.of("ada")
    assert answer.headers["location"] == f"/c/course/t/{one.id}"
    assert (one.state, one.attempt) == (TryState.WAITING, 1)
    # The same form, sent again, leads to it.
    monkeypatch.undo()
    assert tables.browser("ada").hand_in().headers["location"] == answer.headers["location"]


def test_one_key_for_two_assignments_is_two_hand_ins(tables: Tables) -> None:
    spec = SPEC.replace("due = 2024", "due = 2099")
    write_assignment(tables.course.course.root, "second", spec=spec)
    ada = tables.browser("ada")
    assert ada.hand_in(key="same").status_code == 303
    answer = ada.post(
        "/c/course/a/second/hand-in",
        {"key": "same", "sure": "1"},
        files=[("files", ("hw.ipynb", HOMEWORK))],
    )
    assert answer.status_code == 303, answer.text
    tries = tables.course.gradebook.tries.of("ada")
    assert [one.assignment for one in tries] == ["second", "warm-up"]
    assert answer.headers["location"] == f"/c/course/t/{tries[0].id}"


def test_what_was_not_stored_whole_was_not_acknowledged_and_goes(tables: Tables) -> None:
    tries = tables.course.gradebook.tries
    tries.receive(
        "k",
        assignment="warm-up",
        student="ada",
        file="hw.ipynb",
        received_from="ada",
        seed=1,
        now=tables.now,
    )
    young = dt.timedelta(minutes=2)
    assert (
        settle_broken_off(
            tables.course.course, tables.course.gradebook, older_than=young, beside=no_line
        )
        == 0
    )
    assert len(tries.receiving()) == 1
    settle_broken_off(
        tables.course.course,
        tables.course.gradebook,
        older_than=dt.timedelta(),
        beside=no_line,
    )
    assert tries.receiving() == []


def test_an_assignment_that_is_not_out_yet_is_nobodys_to_see(tables: Tables) -> None:
    spec = tables.course.course.root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace("released = 2024", "released = 2098"))
    ada = tables.browser("ada")
    assert ada.get("/c/course/a/warm-up").status_code == 404
    assert ada.hand_in().status_code == 404
    assert "Warm-up" not in ada.get("/c/course/").text
    assert tables.browser("ines").get("/c/course/a/warm-up").status_code == 200


def test_what_is_refused_leads_back_to_its_assignment(tables: Tables) -> None:
    ada = tables.browser("ada")
    back = '<a class="button main" href="/c/course/a/warm-up">'
    refused = ada.hand_in(("hw.ipynb", b"none"))
    assert refused.status_code == 422 and back in refused.text
    gone = ada.post("/c/course/a/warm-up/confirm", {"upload": "gone"})
    assert gone.status_code == 422 and back in gone.text
    assert 'class="button main"' not in ada.get("/c/course/a/nothing").text
    assert 'class="button main"' not in ada.get("/c/course/queue").text
