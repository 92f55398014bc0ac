"""A process that is stopped while it begins or ends a slot leaves nothing of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.aftermath import descendants

PROGRAM = """
import os, signal, subprocess, sys
from grader.sandbox.base import SlotOptions
from grader.sandbox.stopping import stop_now
from grader.sandbox.unsafe_slot import UnsafeSlot

class Popen(subprocess.Popen):
    def _execute_child(self, *args, **kwargs):
        super()._execute_child(*args, **kwargs)
        stop("process")

def stop(where):
    if where == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGTERM)

class Stopped(UnsafeSlot):
    def command(self, folder):
        stop("folder")
        return super().command(folder)

    def destroy(self):
        stop("end")
        super().destroy()

signal.signal(signal.SIGTERM, stop_now)
subprocess.Popen = Popen
slot, status = Stopped(SlotOptions()), 0
try:
    try:
        slot.start()
    finally:
        slot.stop()
except SystemExit as stopped:
    status = stopped.code
finally:
    os._exit(status)  # as a worker ends: nothing is removed for having been forgotten
"""


@pytest.mark.parametrize("where", ["folder", "process", "end"])
def test_a_stop_in_the_middle_of_it_leaves_no_folder_and_no_process(
    where: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, where],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stderr) == (143, "")
    assert list(tmp_path.iterdir()) == []
    assert not [c for c in descendants(1).values() if str(tmp_path) in c]
