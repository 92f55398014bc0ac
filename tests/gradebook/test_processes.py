"""The gradebook beside other processes, and after one was killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from grader.gradebook.store import Gradebook

WRITER = """
import sys
from grader.gradebook.store import Gradebook
from tests.helpers.verdicts import graded
url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Gradebook(url) as book:
    batch = book.start_batch("mlp-backprop", seed=1)
    for i in range(count):
        book.record(graded(f"{name} {i:03}"), b"n" * 50_000, batch=batch)
        print(i, flush=True)
    book.finish_batch(batch)
"""


def start_writer(url: str, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, url, name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gradebook.db"
    writers = [start_writer(url, name, 40) for name in ("Ada", "Emmy")]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    with Gradebook(url) as book:
        assert len(book.current("mlp-backprop")) == 80
        assert all(b.finished_at for b in book.batches("mlp-backprop"))


def test_a_writer_killed_at_any_instant_leaves_all_that_it_had_recorded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gradebook.db"
    rng = random.Random(5)
    for round_ in range(4):
        writer = start_writer(url, f"Round {round_}", 10_000)
        assert writer.stdout and writer.stdout.readline()
        time.sleep(rng.uniform(0, 0.15))
        writer.send_signal(signal.SIGKILL)
        # Not `communicate`: it reads past what `readline` has buffered, which may be many lines.
        said = writer.stdout.read()
        writer.wait()
        acknowledged = 1 + sum(line.endswith("\n") for line in said.splitlines(keepends=True))
        with Gradebook(url) as book:
            students = [v.student for v in book.current("mlp-backprop")]
            notebooks = [book.executed_notebook(v) for v in book.current("mlp-backprop")]
        kept = [s for s in students if s.startswith(f"Round {round_} ")]
        assert acknowledged <= len(kept) <= acknowledged + 1
        assert all(notebook == b"n" * 50_000 for notebook in notebooks)
