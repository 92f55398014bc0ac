"""A judge that stays: whom it serves, when it ends, and that no command is the worse for it."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from grader.api.batch_config import batch_config
from grader.api.checking import check
from grader.api.grading import grade
from grader.api.keeping import kept_check
from grader.grading.job import BatchConfig
from grader.grading.keeping import keeper as keeper_module
from grader.grading.keeping import place
from grader.grading.keeping.keeper import KEEP_S, MOST_KEPT, Client, Keeper
from grader.grading.keeping.kept import end_kept_judges, kept_judges, take, with_key
from grader.grading.keeping.key import key_of
from grader.grading.keeping.orders import Take
from grader.sandbox.choose import Choice
from tests.grading.conftest import Classroom
from tests.helpers.users import EVE, as_user, refused

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")


@pytest.fixture(autouse=True)
def runtime_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A runtime folder of the test's own, in which nothing is kept afterwards."""
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setattr(keeper_module, "_LOOK_S", 0.02)
    yield folder
    end_kept_judges()


@pytest.fixture
def config(classroom: Classroom) -> BatchConfig:
    choice = Choice(sandbox="local", isolation="warm", why="")
    found = batch_config(classroom.assignment, choice, 1, slots=1)
    return with_key(msgspec.structs.replace(found, alone=True))


class Waiting:
    """A judge's waiting in a thread: what came of it is in `clients`, in order."""

    def __init__(self, config: BatchConfig, clock: Callable[[], float] = time.monotonic) -> None:
        ours, self.told = socket.socketpair()
        self.config = config
        self.keeper = Keeper(config, self.told, clock=clock)
        self.clients: list[Client | None] = []
        self._thread = Thread(target=self._wait, daemon=True)
        self._thread.start()
        self.said = ours.recv(1)

    def _wait(self) -> None:
        while True:
            client = self.keeper.next_client()
            self.clients.append(client)
            if client is None:
                break
            with client.connection as connection:
                try:
                    while connection.recv_bytes():
                        pass
                except (EOFError, OSError):
                    pass
        self.keeper.close()

    def end(self) -> None:
        """Wait until it has ended."""
        self._thread.join(60)
        assert not self._thread.is_alive()


def others(config: BatchConfig) -> BatchConfig:
    """A setting that asks the same judge for something else."""
    spec = msgspec.structs.replace(config.spec, title="Another")
    return msgspec.structs.replace(config, spec=spec)


def test_a_command_that_asks_for_the_same_is_served_whatever_its_seed(config: BatchConfig) -> None:
    waiting = Waiting(config)
    assert waiting.said == b"k"
    found = take(msgspec.structs.replace(config, seed=2))
    assert found is not None
    assert found.pid == os.getpid()
    found.finish()
    end_kept_judges()
    waiting.end()
    [client, last] = waiting.clients
    assert (client.config.seed if client else None, last) == (2, None)


def test_what_differs_by_a_letter_is_not_served(config: BatchConfig) -> None:
    waiting = Waiting(config)
    assert take(with_key(others(config))) is None  # it has another name
    assert take(others(config)) is None  # and who takes this name is looked at all the same
    assert [info.assignment for info in kept_judges() if info] == ["warm-up"]
    end_kept_judges()
    waiting.end()
    assert waiting.clients == [None]


def test_all_that_makes_a_judge_is_in_its_name(
    config: BatchConfig, classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = key_of(config)
    replace = msgspec.structs.replace
    assert key_of(replace(config, seed=5)) == name
    monkeypatch.setenv("TERM", "another")
    assert key_of(config) == name
    resources = replace(config.spec.resources, memory_mb=config.spec.resources.memory_mb + 1)
    different = [
        key_of(replace(config, image="another")),
        key_of(replace(config, bundle_sha256="another")),
        key_of(replace(config, packages={"torch": "1"})),
        key_of(replace(config, sandbox="docker")),
        key_of(replace(config, isolation="single-use")),
        key_of(replace(config, given={"helper.py": b"x = 1"})),
        key_of(replace(config, data="/elsewhere")),
        key_of(replace(config, seed_key=b"another")),
        key_of(replace(config, spec=replace(config.spec, resources=resources))),
        key_of(
            replace(
                config,
                spec=replace(config.spec, box=replace(config.spec.box, libraries=("einops",))),
            )
        ),
    ]
    with monkeypatch.context() as changed:
        changed.setenv("OMP_NUM_THREADS", "7")
        different.append(key_of(config))
    with monkeypatch.context() as changed:
        changed.chdir(classroom.root)
        different.append(key_of(config))
    assert len({name, *different}) == 1 + len(different)


def test_it_ends_when_nobody_came_for_ten_minutes(config: BatchConfig) -> None:
    now = [0.0]
    waiting = Waiting(config, clock=lambda: now[0])
    for seconds in (0.0, KEEP_S - 1):
        now[0] = seconds
        [info] = kept_judges()
        assert info is not None
        assert info.idle_s == seconds
    now[0] = KEEP_S
    waiting.end()
    assert (waiting.clients, place.sockets()) == ([None], [])


def test_it_ends_when_a_program_or_a_library_has_changed(
    config: BatchConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Waiting(config)
    monkeypatch.setattr(keeper_module, "programs", lambda: "others")
    waiting.end()
    assert (waiting.clients, place.sockets()) == ([None], [])


def test_one_that_is_told_to_end_at_work_ends_when_it_is_through(config: BatchConfig) -> None:
    waiting = Waiting(config)
    found = take(config)
    assert found is not None
    assert kept_judges() == [None]
    assert take(config) is None  # at once: it is at work
    assert end_kept_judges() == 1
    found.finish()
    waiting.end()
    assert waiting.clients[-1] is None


def test_few_are_kept(config: BatchConfig) -> None:
    configs = [
        with_key(msgspec.structs.replace(config, image=f"{n}")) for n in range(MOST_KEPT + 2)
    ]
    waiting = [Waiting(one) for one in configs]
    for one in waiting[:-MOST_KEPT]:
        one.end()
    assert len(place.sockets()) == MOST_KEPT
    assert take(configs[0]) is None
    end_kept_judges()


@pytest.mark.parametrize(
    "change", [{"sandbox": "unsafe"}, {"isolation": "single-use"}, {"gpu": "0"}]
)
def test_without_a_jail_or_with_a_device_none_stays(
    config: BatchConfig, change: dict[str, str]
) -> None:
    assert config.keep
    assert with_key(msgspec.structs.replace(config, **change)).keep == ""


def test_a_folder_that_others_may_enter_keeps_nothing(
    config: BatchConfig, runtime_folder: Path
) -> None:
    place.folder(make=True)
    (runtime_folder / "grader").chmod(0o750)
    assert with_key(config).keep == ""
    (runtime_folder / "grader").rename(runtime_folder / "moved")
    (runtime_folder / "grader").symlink_to(runtime_folder / "moved")
    (runtime_folder / "moved").chmod(0o700)
    assert with_key(config).keep == ""


@needs_root
def test_another_user_reaches_no_judge_even_where_modes_would_let_them(
    config: BatchConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = Path(tempfile.mkdtemp(prefix="grader-keeping-"))  # pytest's are for one user
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    waiting = Waiting(with_key(config))
    [path] = place.sockets()

    def asks() -> str:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            connection = Connection(os.dup(sock.fileno()))
            connection.send_bytes(msgspec.msgpack.encode(Take(config=waiting.config)))
            return connection.recv_bytes().decode()

    assert refused(EVE, asks) == "PermissionError"  # the folder
    for opened in (runtime, path.parent, path):
        opened.chmod(0o777)
    assert refused(EVE, asks) in ("EOFError", "ConnectionResetError", "BrokenPipeError")
    for closed in (runtime, path.parent):
        closed.chmod(0o700)
    found = take(waiting.config)  # its own user still does
    assert found is not None
    found.finish()
    end_kept_judges()
    waiting.end()
    assert len(waiting.clients) == 2
    shutil.rmtree(runtime)


@needs_root
def test_a_socket_of_another_user_is_not_spoken_to(config: BatchConfig) -> None:
    path = place.path_of(config.keep, make=True)
    assert path is not None
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    as_user(EVE, lambda: door.listen(1))  # who connects is told this user
    assert take(config) is None
    door.settimeout(0)
    connection, _ = door.accept()
    connection.settimeout(60)
    assert connection.recv(1) == b""


# -- with real judges


def release(classroom: Classroom, *cells: str) -> Path:
    """A notebook that is checked in its course."""
    classroom.hand_in("s1", *cells)
    return classroom.submissions / "s1.ipynb"


def outcomes(notebook: Path) -> list[str]:
    """What `grader check` says of a notebook, kept."""
    return [str(r.outcome) for r in check(notebook, assignment="warm-up", keep=True).results]


def kept_pid() -> int:
    """The process of the one judge that is kept."""
    [path] = place.sockets()
    sock = place.dial(path, timeout_s=60)
    assert sock is not None
    with sock:
        return place.peer(sock)[0]


def test_a_second_check_is_served_by_the_first_ones_judge_and_a_killed_one_is_not_missed(
    classroom: Classroom,
) -> None:
    notebook = release(classroom)
    expected = outcomes(notebook)
    assert set(expected) == {"passed"}
    judge = kept_pid()
    assert kept_check().found.startswith("check of ")

    leaves = release(
        classroom, "import builtins; builtins.left = 1; open('/tmp/left', 'w').close()"
    )
    assert outcomes(leaves) == expected
    looks = "import builtins, os; found = hasattr(builtins, 'left') or os.path.exists('/tmp/left')"
    found = check(release(classroom, looks, "assert not found"), assignment="warm-up", keep=True)
    assert [cell.status for cell in found.cells[:2]] == ["ok", "ok"]

    ends = release(classroom, "import os; os._exit(3)")
    found = check(ends, assignment="warm-up", keep=True)
    assert (found.cells[0].status, kept_pid()) == ("killed", judge)
    assert outcomes(notebook) == expected  # in a slot that was started for it
    assert kept_pid() == judge

    process = os.pidfd_open(judge)
    os.kill(judge, signal.SIGKILL)
    select.select([process], [], [], 60)  # until it is dead
    os.close(process)
    assert place.sockets()  # nobody has cleared its place
    assert outcomes(notebook) == expected
    assert kept_pid() != judge


def test_the_notebook_is_checked_again_when_the_judge_is_lost_at_work(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = release(classroom)
    waiting: list[int] = []

    def lose(config: BatchConfig) -> object:
        found = take(config)
        if found is not None:
            waiting.append(found.pid)
            os.kill(found.pid, signal.SIGKILL)
        return found

    monkeypatch.setattr("grader.grading.judge_process.take", lose)
    assert outcomes(notebook) == outcomes(notebook)
    assert len(waiting) == 1


@pytest.mark.slow
def test_a_single_submission_is_graded_by_the_judge_that_stayed_and_a_class_ends_it(
    classroom: Classroom,
) -> None:
    release(classroom)

    def points(seed: int) -> list[tuple[str, str, int]]:
        found = grade(
            classroom.course,
            "warm-up",
            [classroom.submissions],
            sandbox="local",
            regrade=True,
            seed=seed,
            keep=True,
        )
        made_with = [v.provenance.seed if v.provenance else 0 for v in found.verdicts]
        marks = [(v.student, str(v.points)) for v in found.verdicts]
        return [(*mark, seed) for mark, seed in zip(marks, made_with, strict=True)]

    assert points(1) == [("s1", "8.00", 1)]
    judge = kept_pid()
    assert points(2) == [("s1", "8.00", 2)]
    assert kept_pid() == judge
    classroom.hand_in("s2")
    assert [student for student, *_ in points(3)] == ["s1", "s2"]
    assert place.sockets() == []
