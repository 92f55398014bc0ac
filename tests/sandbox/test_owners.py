"""Who is taken for alive: what a dead process has made may be removed."""

from __future__ import annotations

import os
import sys

import pytest

from grader.sandbox.owners import process_lives
from tests.helpers.waiting import until


def test_this_process_lives() -> None:
    assert process_lives(os.getpid())


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_process_that_only_waits_to_be_reaped_is_dead() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    try:
        until(lambda: not process_lives(pid))
        os.kill(pid, 0)  # the number is still taken
    finally:
        os.waitpid(pid, 0)
