"""What every sandbox promises; the same tests over all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import torch

from grader.errors import BoxCrashed, BoxFailure, BoxOutOfMemory, BoxOutputLimit, BoxTimeout
from grader.sandbox import conversation
from grader.sandbox.base import CellResult, Session, Slot, SlotOptions
from grader.wire import messages as m
from grader.wire import values
from tests.helpers.light_boxes import LIGHT
from tests.sandbox.places import JAILED, PLACES, slot_maker

MB = 1 << 20
LIMITS = m.Limits(memory_bytes=400 * MB, disk_bytes=32 * MB, file_bytes=32 * MB, processes=64)


class Box:
    """A slot, with short words for what the tests do."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self._session: Session | None = None
        self._count = 0

    def fresh(self, *, seed: int = 1) -> Box:
        if self._session is not None:
            self._session.close()
        self._session = self.slot.open(seed=seed, limits=LIMITS)
        self._count = 0
        return self

    @property
    def session(self) -> Session:
        assert self._session is not None
        return self._session

    def cell(self, source: str, *, timeout_s: float = 60.0, output: int = MB) -> CellResult:
        self._count += 1
        return self.session.run_cell(
            source, index=self._count, timeout_s=timeout_s, output_bytes=output
        )

    def said(self, source: str, **options: float) -> str:
        result = self.cell(source, **options)  # type: ignore[arg-type]
        assert result.status == "ok", result
        return "".join(o.get("text", "") for o in result.outputs)

    def fetch(self, name: str) -> m.Reply:
        return self.session.request(m.Fetch(name=name, timeout_s=60))[0]

    def call(self, name: str, *args: object, timeout_s: float = 60.0) -> m.Reply | object:
        reply = self.fetch(name)
        assert isinstance(reply, m.Value), reply
        blobs: list[values.Blob] = []
        trees = [values.encode(a, blobs) for a in args]
        act = m.Act(verb="call", target=reply.value, args=trees, timeout_s=timeout_s)
        answer, parts = self.session.request(act, blobs)
        return values.decode(answer.value, parts) if isinstance(answer, m.Value) else answer


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    folder.chmod(0o755)
    (folder / "numbers.txt").write_text("1 2 3\n")
    (folder / "numbers.txt").chmod(0o644)
    return folder


Test = TypeVar("Test", bound=Callable[..., None])


def slow_in(*kinds: str) -> Callable[[Test], Test]:
    """In such sandboxes `make test-long` tries it: others of its kind stay, or it costs a slot."""

    def mark(test: Test) -> Test:
        test.slow_in = kinds  # type: ignore[attr-defined]
        return test

    return mark


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try a test in every sandbox, or in those with walls: one slot of each for all of them."""
    if "slot" not in metafunc.fixturenames:
        return
    slow_in = getattr(metafunc.function, "slow_in", ())
    places = [
        pytest.param(*p.values, marks=[*p.marks, pytest.mark.slow])
        if str(p.values[0]).startswith(slow_in)
        else p
        for p in (JAILED if "jailed" in metafunc.fixturenames else PLACES)
    ]
    metafunc.parametrize("slot", places, indirect=True, scope="module")


@pytest.fixture(scope="module")
def slot(request: pytest.FixtureRequest, data: Path) -> Iterator[Slot]:
    options = SlotOptions(
        data=data, memory_bytes=400 * MB, disk_bytes=32 * MB, processes=64, preloads=LIGHT
    )
    slot = slot_maker(request.param)(options)
    yield slot
    slot.stop()


@pytest.fixture
def box(slot: Slot) -> Iterator[Box]:
    box = Box(slot).fresh()
    yield box
    box.session.close()


@pytest.fixture
def jailed(box: Box) -> Box:
    """A box with walls."""
    return box


def test_names_of_one_cell_are_there_in_the_next(box: Box) -> None:
    box.cell("x = 20")
    assert box.said("print(x + 1)") == "21\n"


@slow_in("docker", "unsafe")
def test_a_text_of_megabytes_is_put_out_in_one_piece(box: Box) -> None:
    result = box.cell("print('x' * 6_000_000)", output=8 * MB)
    assert result.status == "ok", result.error
    assert [len(o["text"]) for o in result.outputs] == [6_000_001]


@slow_in("docker", "unsafe")
def test_a_picture_of_megabytes_is_put_out(box: Box) -> None:
    shown = "display({'text/html': 'x' * 6_000_000}, raw=True)"
    result = box.cell(f"from IPython.display import display\n{shown}", output=8 * MB)
    assert result.status == "ok", result.error
    assert [len(o["data"]["text/html"]) for o in result.outputs] == [6_000_000]


@pytest.mark.parametrize("source", ["sys.stdout = sys.stderr = None", "sys.stdout.close()"])
def test_cells_run_after_one_that_took_the_streams_away(box: Box, source: str) -> None:
    box.cell(f"import sys\n{source}")
    assert box.said("print(6 * 7)") == "42\n"


def test_a_call_brings_a_tensor_in_and_out_by_value(box: Box) -> None:
    box.cell("import torch\ndef double(x):\n    return 2 * x")
    x = torch.randn(3, 4, dtype=torch.float64)
    assert torch.equal(box.call("double", x), 2 * x)


def test_a_large_tensor_comes_back_whole(box: Box) -> None:
    box.cell("import torch\ndef flip(x):\n    return x.flip(0)")
    x = torch.arange(3_000_000, dtype=torch.float32)
    assert torch.equal(box.call("flip", x), x.flip(0))


def test_an_error_keeps_the_names_and_tells_cell_and_line(box: Box) -> None:
    box.cell("def f():\n    y = 1\n    return y / 0")
    reply = box.call("f")
    assert isinstance(reply, m.Raised)
    assert reply.type == "ZeroDivisionError"
    assert [(f.file, f.line, f.function) for f in reply.frames] == [("cell 1", 3, "f")]
    assert reply.frames[0].text == "return y / 0"


def test_a_missing_name_is_said_with_near_ones(box: Box) -> None:
    box.cell("def softmax_rows(x):\n    return x")
    assert box.fetch("softmax_row") == m.Missing(name="softmax_row", similar=["softmax_rows"])


def test_a_python_loop_is_interrupted_and_the_names_stay(box: Box) -> None:
    box.cell("x = 7")
    assert box.cell("while True: pass", timeout_s=0.3).status == "timeout"
    assert box.said("print(x)") == "7\n"


def test_a_call_that_takes_too_long_is_interrupted(box: Box) -> None:
    box.cell("def f():\n    while True: pass\ndef g():\n    return 1")
    assert isinstance(box.call("f", timeout_s=0.3), m.OutOfTime)
    assert box.call("g") == 1


@slow_in("unsafe")
def test_a_loop_that_ignores_its_alarm_is_killed(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "GRACE_S", 0.5)
    with pytest.raises(BoxTimeout):
        box.cell(
            "import signal\nsignal.signal(14, signal.SIG_IGN)\nwhile True: pass", timeout_s=0.3
        )
    assert box.fresh().said("print('on')") == "on\n"


@slow_in("docker", "unsafe")
def test_an_exit_in_a_cell_is_a_crash_that_keeps_what_was_printed(box: Box) -> None:
    seen: list[CellResult] = []
    with pytest.raises(BoxCrashed):
        box.session.run_cell(
            "import os, time\nprint('before')\ntime.sleep(0.3)\nprint('more')\n"
            "display(1)\nos._exit(0)",
            index=1,
            timeout_s=60,
            output_bytes=MB,
            on_output=seen.append,
        )
    assert seen[0].outputs[0]["text"] == "before\nmore\n"
    assert box.fresh().said("print('on')") == "on\n"


def test_sys_exit_ends_only_its_cell(box: Box) -> None:
    assert box.cell("import sys\nx = 1\nsys.exit(0)").status == "error"
    assert box.said("print(x)") == "1\n"


@slow_in("unsafe")
def test_a_segmentation_fault_is_a_crash(box: Box) -> None:
    with pytest.raises(BoxCrashed):
        box.cell("import ctypes\nctypes.string_at(0)")


@slow_in("docker", "unsafe")
def test_endless_printing_is_stopped(box: Box) -> None:
    result = box.cell("while True: print('x' * 1000)", output=100_000)
    assert result.status == "output_limit"
    assert sum(len(o.get("text", "")) for o in result.outputs) <= 100_000


def test_output_of_c_code_and_children_is_captured(box: Box) -> None:
    text = box.said("import os\nos.system('echo from a child')\nos.write(1, b'raw\\n');")
    assert "from a child\n" in text
    assert "raw\n" in text


def test_input_is_refused_and_not_waited_for(box: Box) -> None:
    result = box.cell("input('name? ')")
    assert result.outputs[0]["ename"] == "StdinNotImplementedError"


@slow_in("unsafe")
def test_the_seed_decides_what_is_random(box: Box) -> None:
    draw = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1))"
    first = box.fresh(seed=5).said(draw)
    assert box.fresh(seed=5).said(draw) == first
    assert box.fresh(seed=6).said(draw) != first


def test_the_data_is_at_data_and_cannot_be_changed(jailed: Box) -> None:
    assert jailed.said("print(open('data/numbers.txt').read(), end='')") == "1 2 3\n"
    assert jailed.cell("open('data/numbers.txt', 'w')").status == "error"
    assert jailed.cell("open('data/more.txt', 'w')").status == "error"


def test_nothing_of_one_session_is_left_for_the_next(box: Box) -> None:
    box.cell("import torch, os, sys\nopen('note', 'w').write('x')\ntorch.leak = 1\nleak = 2")
    box.fresh()
    assert box.said("import os, torch; print(os.path.exists('note'), hasattr(torch, 'leak'))") == (
        "False False\n"
    )
    assert isinstance(box.fetch("leak"), m.Missing)


def test_what_a_session_started_is_gone_with_it(jailed: Box) -> None:
    jailed.cell("import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)")
    jailed.fresh()
    running = jailed.said(
        "import pathlib\n"
        "for p in pathlib.Path('/proc').glob('[0-9]*/cmdline'):\n"
        "    print(p.read_bytes().replace(b'\\0', b' ').decode())"
    )
    assert "sleep" not in running


def test_memory_beyond_the_limit_ends_the_cell_or_the_session(jailed: Box) -> None:
    hog = "import torch\nkept = [torch.ones(25_000_000) for _ in range(40)]"
    try:
        result = jailed.cell(hog)
    except BoxOutOfMemory:
        pass
    else:
        assert "memory" in result.outputs[-1]["evalue"].lower() or result.error == "MemoryError"
    assert jailed.fresh().said("print('on')") == "on\n"


NOT_MAPPED = {
    "memory files": (
        "import os\nkept, piece = [], bytes(16 << 20)\n"
        "while len(kept) < 60:\n"
        "    kept.append(os.memfd_create('x'))\n    os.write(kept[-1], piece)"
    ),
    "System V": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "libc.shmat.restype = ctypes.c_void_p\n"
        "for _ in range(15):\n"
        "    number = libc.shmget(0, 64 << 20, 0o1600)\n"
        "    if number < 0: raise OSError(ctypes.get_errno(), 'shmget')\n"
        "    place = ctypes.c_void_p(libc.shmat(number, None, 0))\n"
        "    ctypes.memset(place, 1, 64 << 20)\n    libc.shmdt(place)"
    ),
    "let go of": (
        "import mmap\nkept = []\n"
        "for _ in range(15):\n"
        "    kept.append(mmap.mmap(-1, 64 << 20))\n    kept[-1].write(bytes(64 << 20))\n"
        "    kept[-1].madvise(mmap.MADV_DONTNEED)\n"
        "import time; time.sleep(0.5)"
    ),
}


@pytest.mark.parametrize("kind", NOT_MAPPED)
@slow_in("docker")
def test_memory_that_no_process_has_mapped_counts(jailed: Box, kind: str) -> None:
    """960 MB under a limit of 400: stopped, or refused where nothing counts it."""
    try:
        result = jailed.cell(NOT_MAPPED[kind])
    except BoxOutOfMemory:
        assert jailed.session.close().peak_memory_bytes >= 400 * MB
    else:
        assert (result.status, result.outputs[-1]["ename"]) == ("error", "PermissionError")
    assert jailed.fresh().said("print('on')") == "on\n"


@slow_in("docker")
def test_files_are_counted_as_disk_and_not_as_memory(jailed: Box) -> None:
    jailed.said(
        "import torch\nopen('f', 'wb').write(bytes(30 << 20))\n"
        "kept = torch.ones(94 << 20)\nimport time; time.sleep(0.3)"
    )
    assert 350 * MB < jailed.session.close().peak_memory_bytes < 400 * MB


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is one processor")
def test_many_processes_get_no_more_processors_than_one(jailed: Box) -> None:
    spin = (
        "import os, resource, time\nbegan = time.monotonic()\n"
        "for _ in range(8):\n"
        "    if os.fork() == 0:\n"
        "        try: os.sched_setaffinity(0, range(os.cpu_count()))\n"
        "        except OSError: pass\n"
        "        while time.monotonic() < began + 2: pass\n"
        "        os._exit(0)\n"
        "for _ in range(8): os.wait()\n"
        "usage = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print((usage.ru_utime + usage.ru_stime) / (time.monotonic() - began))"
    )
    assert float(jailed.said(spin)) < 1.4


def test_a_fork_bomb_is_bounded_and_over_when_the_session_is(jailed: Box) -> None:
    bomb = (
        "import os, time\nn = 0\ntry:\n    while n < 5000:\n        if os.fork() == 0:\n"
        "            time.sleep(100); os._exit(0)\n        n += 1\nexcept OSError: pass\nprint(n)"
    )
    try:
        count = int(jailed.said(bomb))
    except BoxFailure:
        pass
    else:
        assert count < 200
    assert jailed.fresh().said("print('on')") == "on\n"


def test_a_full_disk_is_an_error_of_the_cell(jailed: Box) -> None:
    result = jailed.cell("for i in range(100):\n    open(f'f{i}', 'wb').write(b'x' * (1 << 20))")
    assert result.status == "error"
    assert jailed.fresh().said("open('f', 'w').write('x'); print('on')") == "on\n"


def test_the_network_is_closed(jailed: Box) -> None:
    text = jailed.said(
        "import socket\n"
        "for host in ('1.1.1.1', '169.254.169.254', '172.17.0.1'):\n"
        "    s = socket.socket(); s.settimeout(2)\n"
        "    try:\n        s.connect((host, 80)); print('open', host)\n"
        "    except OSError as e:\n        print('closed')\n"
        "try:\n    socket.gethostbyname('example.org'); print('open dns')\n"
        "except OSError:\n    print('closed')\n"
    )
    assert text == "closed\n" * 4


def test_ports_that_one_session_held_are_free_for_the_next(jailed: Box) -> None:
    """Held open, and closed first by the serving side: for a minute the port is in TIME_WAIT."""
    serve = (
        "import socket\n"
        "held = socket.create_server(('127.0.0.1', 4711), reuse_port=False)\n"
        "hidden = socket.socket(socket.AF_UNIX)\nhidden.bind('\\0note')\n"
        "server = socket.socket()\nserver.bind(('127.0.0.1', 4712))\nserver.listen()\n"
        "client = socket.create_connection(('127.0.0.1', 4712))\n"
        "ours, _ = server.accept()\n"
        "for end in (ours, client, server):\n    end.close()\n"
        "print(sum(line.split()[3] == '06' for line in list(open('/proc/net/tcp'))[1:]))"
    )
    bind = (
        "import socket\n"
        "for port in (4711, 4712):\n"
        "    socket.socket().bind(('127.0.0.1', port))\n"
        "socket.socket(socket.AF_UNIX).bind('\\0note')\n"
        "print(len(open('/proc/net/tcp').readlines()))"
    )
    assert jailed.said(serve) == "1\n"
    assert jailed.fresh().said(bind) == "1\n"


def test_privileges_are_gone_for_good(jailed: Box) -> None:
    text = jailed.said(
        "s = dict(l.split(':', 1) for l in open('/proc/self/status'))\n"
        "import os\n"
        "print(int(s['CapEff'], 16), int(s['CapPrm'], 16), s['NoNewPrivs'].strip(), "
        "s['Seccomp'].strip(), os.getuid() == 0)"
    )
    assert text == "0 0 1 2 False\n"


@pytest.mark.parametrize(
    "call",
    [
        "libc.unshare(0x10000000)",
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.ptrace(16, 1, 0, 0)",
        "libc.syscall(321, 0, 0, 0)",
        "libc.syscall(425, 1, 0)",
        "libc.chroot(b'/tmp')",
    ],
)
def test_a_dangerous_system_call_is_refused(jailed: Box, call: str) -> None:
    text = jailed.said(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"print({call}, ctypes.get_errno())"
    )
    assert text in ("-1 1\n", "-1 38\n")


def test_the_judge_and_its_files_are_nowhere_to_be_seen(jailed: Box) -> None:
    repository = Path(__file__).resolve().parents[2]
    found = jailed.said(
        "import os\n"
        "hits = []\n"
        "for top, folders, files in os.walk('/'):\n"
        "    if top.startswith(('/proc', '/sys')):\n        folders.clear(); continue\n"
        "    hits += [os.path.join(top, f) for f in files\n"
        "             if f in ('assignment.toml', 'gradebook.db', 'cnn.py', 'verdict.py')]\n"
        f"print(hits, os.path.exists({str(repository / 'assignments')!r}))",
    )
    assert found == "[] False\n"


def test_the_c_library_finds_the_kernels_large_pages(jailed: Box) -> None:
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not setting.exists() or "[never]" in setting.read_text():
        pytest.skip("this kernel has no large pages")
    text = jailed.said(
        "flags = [line for line in open('/proc/self/smaps') if line.startswith('VmFlags')]\n"
        "print(any(' hg' in line for line in flags))"
    )
    assert text == "True\n"


def test_a_child_cannot_reach_its_zygote(jailed: Box) -> None:
    """Process 1 is the child itself (warm), or the zygote, which it can neither read nor end."""
    text = jailed.said(
        "import os, signal\n"
        "if os.getpid() == 1:\n    print('alone')\n"
        "else:\n"
        "    for path in ('/proc/1/mem', '/proc/1/fd', '/proc/1/environ'):\n"
        "        try:\n"
        "            os.listdir(path) if path.endswith('fd') else open(path, 'rb').read(1)\n"
        "            print('read', path)\n"
        "        except OSError: pass\n"
        "    try: os.kill(1, signal.SIGKILL)\n"
        "    except OSError: pass\n"
        "    print('alone')\n"
    )
    assert text == "alone\n"
    assert jailed.said("print('still here')") == "still here\n"


@slow_in("docker")
def test_bytes_written_into_the_channel_cost_only_their_own_session(jailed: Box) -> None:
    with pytest.raises((BoxCrashed, BoxOutputLimit)):
        jailed.cell("import os\nos.write(3, b'\\x03' * 4096)\nos.write(3, b'\\xff' * 65536)")
    assert jailed.fresh().said("print('on')") == "on\n"
