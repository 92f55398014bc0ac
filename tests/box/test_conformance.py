"""The box gives what nbclient with a real ipykernel gives: the same notebooks through both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from grader.sandbox.base import Slot, SlotOptions
from grader.wire import messages as m
from tests.box.kernel import Kernel, run_in_box
from tests.box.notebooks import NOTEBOOKS
from tests.helpers.light_boxes import LIGHT
from tests.sandbox.places import slot_maker

pytestmark = pytest.mark.local_box
KERNEL_TRIES = 30
RARE = {
    *("torch", "pictures", "figures without matplotlib inline", "figures after matplotlib inline"),
    *("the streams themselves", "the shell itself", "other magics", "plain representations"),
    *("broken errors", "processes", "interactivity", "progress bars", "classes", "displays again"),
}
"""What few notebooks do, or takes seconds."""


@pytest.fixture(scope="module")
def slot() -> Iterator[Slot]:
    slot = slot_maker("local-warm")(SlotOptions(preloads=LIGHT))
    slot.start()
    yield slot
    slot.stop()


@pytest.fixture(scope="module")
def kernel(slot: Slot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    yield kernel
    kernel.stop()


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in RARE else n for n in NOTEBOOKS]
)
def test_the_box_gives_what_a_kernel_gives(name: str, slot: Slot, kernel: Kernel) -> None:
    cells = NOTEBOOKS[name]
    got = run_in_box(slot, cells)
    # A thread of the kernel reads what child processes print: now and then after the result.
    unlike = dict(enumerate(got))
    for _ in range(KERNEL_TRIES):
        expected = kernel.run(cells)
        assert len(got) == len(expected)
        unlike = {cell: ours for cell, ours in unlike.items() if ours != expected[cell]}
        if not unlike:
            return
    for cell, ours in unlike.items():
        assert ours == expected[cell], cells[cell]


def outputs(slot: Slot, *cells: str) -> list[list[dict[str, Any]]]:
    return run_in_box(slot, cells)


def texts(outputs: list[dict[str, Any]]) -> str:
    return "".join(o.get("text", "") for o in outputs)


# -- where the box does better than a kernel, or can't be compared with one


def test_times_are_told_as_a_kernel_tells_them(slot: Slot) -> None:
    [once], [cell], _ = outputs(slot, "%timeit -n1 -r1 pass", "%%time\nx = 1", "x")
    assert "1 run, 1 loop each" in once["text"]
    assert cell["text"].startswith("CPU times: ") and "Wall time: " in cell["text"]


def test_what_the_compiler_warns_of_is_shown_once(slot: Slot) -> None:
    [shown] = outputs(slot, "x = 1\nx is 1")
    assert texts(shown).count("SyntaxWarning") == 1


def test_exit_in_a_cell_leaves_the_cells_after_it(slot: Slot) -> None:
    assert texts(outputs(slot, "exit()", "quit()", "exit", "print('on')")[3]) == "on\n"


def test_nothing_can_be_read_from_standard_input(slot: Slot) -> None:
    [read] = outputs(slot, "import sys\nprint(repr(sys.stdin.read()))")
    assert texts(read) == "''\n"


def test_an_error_that_cannot_tell_its_text_is_shown_all_the_same(slot: Slot) -> None:
    broken = "class E(Exception):\n    def __str__(self): raise ValueError('in str')\nraise E()"
    first, second = outputs(slot, broken, "print('on')")
    assert first[0]["ename"] == "E"
    assert texts(second) == "on\n"


def test_a_lone_surrogate_is_shown_as_a_question_mark(slot: Slot) -> None:
    printed, raised, after = outputs(
        slot, "print('a\\ud800b')", "raise ValueError('\\ud800')", "print('on')"
    )
    assert texts(printed) == "a?b\n"
    assert raised[0]["evalue"] == "?"
    assert texts(after) == "on\n"


def test_a_task_of_one_cell_goes_on_in_the_next_that_waits(slot: Slot) -> None:
    _, waited, done = outputs(
        slot,
        "import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    print('later')\n"
        "t = asyncio.ensure_future(f())",
        "await asyncio.sleep(0.1)",
        "t.done()",
    )
    assert texts(waited) == "later\n"
    assert done[0]["data"]["text/plain"] == "True"


def test_workers_of_a_data_loader_bring_their_samples_and_what_they_print(slot: Slot) -> None:
    [loaded] = outputs(
        slot,
        "import torch\n"
        "class Squares(torch.utils.data.Dataset):\n"
        "    def __len__(self): return 6\n"
        "    def __getitem__(self, i):\n"
        "        print('item', i)\n"
        "        return torch.tensor(i * i)\n"
        "for batch in torch.utils.data.DataLoader(Squares(), batch_size=3, num_workers=1):\n"
        "    print(batch.tolist())",
    )
    said = texts(loaded).splitlines()
    assert [line for line in said if line[0] == "["] == ["[0, 1, 4]", "[9, 16, 25]"]
    assert sorted(line for line in said if line[0] == "i") == [f"item {i}" for i in range(6)]


def test_a_process_that_a_cell_forks_cannot_answer_for_the_notebook(slot: Slot) -> None:
    forked, after = outputs(
        slot,
        "import os\npid = os.fork()\nif pid:\n    os.waitpid(pid, 0)\n"
        "print('child' if pid == 0 else 'parent')",
        "print('on')",
    )
    assert sorted(texts(forked).split()) == ["child", "parent"]
    assert texts(after) == "on\n"


def test_prints_of_a_child_come_between_those_around_it(slot: Slot) -> None:
    [mixed] = outputs(
        slot,
        "import os, subprocess\n"
        "for i in range(20):\n"
        "    print('python', i)\n"
        "    os.system(f'echo child {i}')",
    )
    assert texts(mixed).splitlines() == [
        f"{who} {i}" for i in range(20) for who in ("python", "child")
    ]


def test_flushes_keep_the_order_of_two_streams(slot: Slot) -> None:
    session = slot.open(seed=1, limits=m.Limits())
    said = session.run_cell(
        "import sys\nprint('a', end='', flush=True)\nprint('e', file=sys.stderr, flush=True)\n"
        "print('b')\nprint('f', file=sys.stderr)\nprint('c')",
        index=1,
        timeout_s=60,
        output_bytes=1 << 20,
    ).outputs
    session.close()
    assert [o["text"] for o in said] == ["a", "e\n", "b\nc\n", "f\n"]


def test_an_endless_recursion_is_told_within_the_cells_time(slot: Slot) -> None:
    [told] = outputs(slot, "def r(n): return r(n + 1)\nr(0)")
    assert told[0]["ename"] == "RecursionError"


def test_characters_that_a_child_writes_in_parts_stay_whole(slot: Slot) -> None:
    [whole] = outputs(
        slot,
        "import os, time\nfor byte in '😀é'.encode():\n    os.write(1, bytes([byte]))\n"
        "    time.sleep(0.01)",
    )
    assert texts(whole) == "😀é"
