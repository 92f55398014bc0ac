"""An inbox that several users of one machine hand in to: acted out with their real ids."""

from __future__ import annotations

import datetime as dt
import hashlib
import mmap
import os
import pwd
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from grader.course.matches import Matcher
from grader.course.roster import Person, Roster
from grader.errors import ReceiptError
from grader.intake import tries as tries_module
from grader.intake.inbox import make_inbox, submit
from grader.intake.receipt import parse_receipt, sign, verify
from grader.intake.tries import Tries, read_tries
from tests.helpers.users import BEN, EVE, STAFF, as_user, need_users, open_folder, refused

from .archives import NOTEBOOK

HW = "hw1"
LONG_AGO = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def inbox() -> Iterator[Path]:
    """An inbox that an instructor who is not root made."""
    need_users()
    for folder in open_folder():
        os.chown(folder, pwd.getpwnam(STAFF).pw_uid, pwd.getpwnam(STAFF).pw_gid)
        (folder / "hw1.ipynb").write_bytes(NOTEBOOK)
        path = folder / "inbox"
        submit_warm(folder)
        as_user(STAFF, partial(make, path))
        yield path


def make(path: Path) -> None:
    make_inbox(path, assignments=[HW])


def submit_warm(folder: Path) -> None:
    """Import what handing in imports, which another user may not be able to read."""
    make_inbox(folder / "warm", assignments=[], private=True)
    submit(folder / "hw1.ipynb", folder / "warm", student="x", assignment=HW, now=LONG_AGO)


def hand_in(inbox: Path, user: str, *, student: str = "", data: bytes = NOTEBOOK) -> Path:
    """Hand in as a user; returns where the try lies, which nobody else is told."""
    notebook = inbox.parent / "hw1.ipynb"
    notebook.write_bytes(data)

    def action() -> str:
        return submit(notebook, inbox, student=student or user, assignment=HW, now=LONG_AGO).name

    return inbox / "tries" / as_user(user, action)


def collected(inbox: Path, people: tuple[Person, ...] = ()) -> Tries:
    """Read the inbox as the instructor, and return what was read."""
    matcher = Matcher(Roster({p.id: p for p in people}), inbox.parent / "matches.csv")
    found: list[Tries] = []

    def action() -> None:
        found.append(read_tries(inbox, assignment=HW, matcher=matcher, known=[HW]))

    euid, egid, groups = os.geteuid(), os.getegid(), os.getgroups()
    staff = pwd.getpwnam(STAFF)
    os.setgroups([])
    os.setegid(staff.pw_gid)
    os.seteuid(staff.pw_uid)
    try:
        action()
    finally:
        os.seteuid(euid)
        os.setegid(egid)
        os.setgroups(groups)
    return found[0]


def by_student(tries: Tries) -> dict[str, bytes]:
    return {s.student: s.read() for s in tries.students.submissions}


def test_each_student_hands_in_and_the_staff_read_it_all(inbox: Path) -> None:
    began = dt.datetime.now(dt.UTC).replace(microsecond=0)
    hand_in(inbox, EVE, data=NOTEBOOK + b"\n")
    hand_in(inbox, BEN)
    hand_in(inbox, EVE)
    tries = collected(inbox)
    assert tries.students.refused == ()
    assert [(s.student, s.attempt) for s in tries.students.submissions] == [
        (EVE, 1),
        (EVE, 2),
        (BEN, 1),
    ]
    assert by_student(tries)[BEN] == NOTEBOOK
    for submission in tries.students.submissions:
        assert submission.submitted_at is not None
        assert submission.submitted_at >= began, "what the writer says of the time counts nothing"


ACTS: dict[str, Callable[[Path, Path], object]] = {
    "list": lambda box, ben: [*(box / "tries").iterdir()],
    "list receipts": lambda box, ben: [*(box / "receipts").iterdir()],
    "read": lambda box, ben: ben.read_bytes(),
    "write": lambda box, ben: ben.open("r+b"),
    "truncate": lambda box, ben: os.truncate(ben, 0),
    "replace": lambda box, ben: ben.write_bytes(b"{}"),
    "delete": lambda box, ben: ben.unlink(),
    "rename": lambda box, ben: ben.rename(ben.with_name(".x")),
    "rename over it": lambda box, ben: _own(box).rename(ben),
    "chmod": lambda box, ben: ben.chmod(0o777),
    "touch": lambda box, ben: os.utime(ben),
    "move the folder": lambda box, ben: (box / "tries").rename(box / "gone"),
    "remove the mark": lambda box, ben: (box / ".grader-inbox").unlink(),
    "write the mark": lambda box, ben: (box / ".grader-inbox").write_text("{}"),
    "add beside": lambda box, ben: (box / "x").write_text("x"),
    "sign": lambda box, ben: (box / "receipts" / f"{ben.name}.json").write_text("{}"),
    "open the folder": lambda box, ben: (box / "tries").chmod(0o777),
}


def _own(box: Path) -> Path:
    path = box / "tries" / f".{os.getpid()}"
    path.write_bytes(b"eve's")
    return path


@pytest.mark.parametrize("act", ACTS)
def test_no_student_can_do_anything_to_anothers_try_even_if_they_know_its_name(
    inbox: Path, act: str
) -> None:
    ben = hand_in(inbox, BEN)
    assert refused(EVE, lambda: ACTS[act](inbox, ben)) == "PermissionError"
    assert by_student(collected(inbox)) == {BEN: NOTEBOOK}


def test_without_the_sticky_bit_one_could_and_submit_refuses_such_an_inbox(inbox: Path) -> None:
    ben = hand_in(inbox, BEN)
    (inbox / "tries").chmod(0o2773)
    assert refused(EVE, lambda: ben.unlink()) == "", "the attack bites where its wall is missing"
    with pytest.raises(Exception, match="this inbox is open"):
        hand_in(inbox, BEN)


def test_a_hard_link_to_anothers_try_is_not_to_be_had(inbox: Path) -> None:
    ben = hand_in(inbox, BEN)
    linked = refused(EVE, lambda: os.link(ben, inbox / "tries" / f"{'0' * 64}-{'0' * 32}"))
    protected = Path("/proc/sys/fs/protected_hardlinks").read_text().strip() == "1"
    assert linked == ("PermissionError" if protected else "")


def test_no_secret_lies_where_a_student_can_read_it(inbox: Path) -> None:
    hand_in(inbox, BEN)
    seen = as_user(
        EVE,
        lambda: [
            str(Path(folder, name).relative_to(inbox))
            for folder, _, names in os.walk(inbox)
            for name in names
            if os.access(Path(folder, name), os.R_OK)
        ],
    )
    assert seen == [".grader-inbox"]
    assert set((inbox / ".grader-inbox").read_text()) & set("\x00") == set()
    assert b"key" not in (inbox / ".grader-inbox").read_bytes()


def test_a_try_can_not_be_dated_back(inbox: Path) -> None:
    began = dt.datetime.now(dt.UTC).replace(microsecond=0)
    mine = hand_in(inbox, EVE)
    as_user(EVE, lambda: os.utime(mine, (LONG_AGO.timestamp(), LONG_AGO.timestamp())))
    assert mine.stat().st_mtime == LONG_AGO.timestamp(), "an owner sets this time at will"
    (submission,) = collected(inbox).students.submissions
    assert submission.submitted_at is not None
    assert submission.submitted_at >= began


def test_a_try_is_its_owners_whatever_name_it_gives(inbox: Path) -> None:
    hand_in(inbox, EVE, student=BEN)
    tries = collected(inbox)
    assert set(by_student(tries)) == {EVE}
    (warning,) = [w for w in tries.students.warnings if "handed in as" in w]
    assert warning == f"{EVE} handed in as {BEN}; it counts for {EVE}, whose file it is."


def test_the_roster_tells_which_student_a_login_is_and_who_is_not_on_it(inbox: Path) -> None:
    hand_in(inbox, EVE, student="eve-101")
    hand_in(inbox, BEN)
    tries = collected(inbox, (Person(id="eve-101", login=EVE), Person(id="cem", login="cem")))
    assert set(by_student(tries)) == {"eve-101", BEN}
    assert tries.students.warnings[0].startswith(f"{BEN}: not on the roster")
    assert not any("handed in as" in w for w in tries.students.warnings)


def test_a_login_that_is_another_students_id_does_not_become_that_student(inbox: Path) -> None:
    hand_in(inbox, EVE)
    people = (Person(id=EVE, login="cem"), Person(id="dora", login=EVE))
    assert EVE not in by_student(collected(inbox, people))


def _fifo(box: Path) -> None:
    os.mkfifo(box / "tries" / f"{'1' * 64}-{'0' * 32}")


def _folder(box: Path) -> None:
    (box / "tries" / f"{'2' * 64}-{'0' * 32}").mkdir()


def _link(box: Path) -> None:
    (box / "tries" / f"{'3' * 64}-{'0' * 32}").symlink_to(box.parent / "secret")


def _second_name(box: Path) -> None:
    path = box / "tries" / f"{'4' * 64}-{'0' * 32}"
    path.write_bytes(b"{}")
    os.link(path, box / "tries" / f"{'5' * 64}-{'0' * 32}")


def _sparse(box: Path) -> None:
    path = box / "tries" / f"{'6' * 64}-{'0' * 32}"
    path.touch()
    os.truncate(path, 1 << 40)


def _unreadable(box: Path) -> None:
    path = box / "tries" / f"{'7' * 64}-{'0' * 32}"
    path.write_bytes(b"{}")
    path.chmod(0)


def _other_name(box: Path) -> None:
    path = box / "tries" / "\x1b[31mhw1.ipynb"
    path.write_bytes(b"{}")
    path.chmod(0o444)


def _no_header(box: Path) -> None:
    data = b"x" * 100_000
    path = box / "tries" / f"{hashlib.sha256(data).hexdigest()}-{'0' * 32}"
    path.write_bytes(data)
    path.chmod(0o444)


@pytest.mark.parametrize(
    "leave",
    [_fifo, _folder, _link, _second_name, _sparse, _unreadable, _other_name, _no_header],
)
def test_hostile_files_cost_only_their_owner_and_are_named_with_the_login(
    inbox: Path, leave: Callable[[Path], None]
) -> None:
    secret = inbox.parent / "secret"
    secret.write_text("the staff's")
    hand_in(inbox, BEN)
    as_user(EVE, lambda: leave(inbox))
    tries = collected(inbox)
    assert by_student(tries) == {BEN: NOTEBOOK}
    assert tries.students.refused
    for name, _ in tries.students.refused:
        assert name.endswith(f" of {EVE}")
        assert "\x1b" not in name


def test_what_an_owner_changes_later_is_refused(inbox: Path) -> None:
    mine = hand_in(inbox, EVE)

    def change() -> None:
        mine.chmod(0o640)
        mine.write_bytes(mine.read_bytes().replace(b"x = 1", b"x = 2"))

    as_user(EVE, change)
    tries = collected(inbox)
    assert by_student(tries) == {}
    assert f"{EVE} changed it after it was handed in" in tries.students.refused[0][1]


def test_content_that_changes_through_a_mapping_needs_another_name_and_so_another_time(
    inbox: Path,
) -> None:
    mine = hand_in(inbox, EVE)

    def change() -> int:
        mine.chmod(0o640)
        with mine.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
            at = mapped.find(b"x = 1")
            mapped[at + 4 : at + 5] = b"2"
            mapped.flush()
            before = mine.stat().st_ctime_ns
            time.sleep(0.05)
            name = hashlib.sha256(mapped[:]).hexdigest() + mine.name[64:]
        mine.rename(mine.with_name(name))
        return mine.with_name(name).stat().st_ctime_ns - before

    assert as_user(EVE, change) > 0
    assert set(by_student(collected(inbox))) == {EVE}


def test_who_floods_the_inbox_loses_their_own_tries_alone(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries_module, "MAX_TRIES", 8)
    hand_in(inbox, BEN)

    def flood() -> None:
        for number in range(30):
            (inbox / "tries" / f"junk-{number}").write_bytes(b"")

    as_user(EVE, flood)
    tries = collected(inbox)
    assert by_student(tries) == {BEN: NOTEBOOK}
    assert len(tries.students.refused) <= 7
    reasons = " ".join(reason for _, reason in tries.students.refused)
    assert "more than 8 tries; the 22 oldest were not read" in reasons
    assert "3 more files are no tries" in reasons


def test_a_receipt_that_a_student_signs_is_none_of_the_courses(inbox: Path) -> None:
    hand_in(inbox, EVE)
    (receipt,) = collected(inbox).receipts
    assert (receipt.login, receipt.signature) == (EVE, "")
    forged = parse_receipt(sign(receipt, b"eve's own key").to_json())
    with pytest.raises(ReceiptError, match="signature is wrong"):
        verify(forged, b"the course's key")


def test_a_user_whose_group_has_others_in_it_must_name_the_staffs(inbox: Path) -> None:
    place = inbox.parent / "other"
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(Exception, match="may have students in it"):
        as_user("sync", lambda: make_inbox(place / "inbox", assignments=[]) and None)
    as_user("sync", lambda: make_inbox(place / "own", assignments=[], private=True) and None)
    assert refused(EVE, lambda: [*(place / "own").iterdir()]) == "PermissionError"
