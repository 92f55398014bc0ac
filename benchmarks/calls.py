"""What a call into a box costs as a suite makes it, beside what a stream alone would cost.

    python benchmarks/calls.py --sandbox local,docker,attached

*attached* is docker over the container's attached streams, as where the engine runs on another
machine. The *floor* is no grader at all: `cat` (or `dd` of zeros) at the other end of a socket, or
of the attached streams. Small calls are the median of many, and the best tenth; tensors are the
best of several.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any
from unittest import mock

import torch
from docker.types import LogConfig

from grader.grading.relay import Pipe, RelayedBox
from grader.sandbox.base import SlotOptions
from grader.sandbox.choose import Choice, choose
from grader.sandbox.engine import connect
from grader.sandbox.notebook_box import NotebookBox, RunLimits
from grader.sandbox.rendezvous import Rendezvous
from grader.suite.box_link import BoxLink
from grader.suite.student import Student

NOTEBOOK = """
import torch
def same(x): return x
def size(x): return x.numel()
def make(n): return torch.zeros(n)
"""
FLOATS = 25_000_000
SMALL = b"x" * 100
CALLS, TRIES = 3_000, 5


def timed(act: Callable[[], object], count: int) -> list[float]:
    """Seconds of each of so many."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return found


def small(act: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of a small call."""
    timed(act, CALLS // 10)
    found = sorted(timed(act, CALLS))
    median, best = statistics.median(found), found[CALLS // 10]
    return {"ms": round(median * 1e3, 3), "best_tenth_ms": round(best * 1e3, 3)}


def megabytes_per_second(act: Callable[[], object]) -> int:
    """Of 100 MB, the best of a few."""
    return round(4 * FLOATS / min(timed(act, TRIES)) / 1e6)


def of_suite(choice: Choice) -> dict[str, Any]:
    """Calls of a hidden test: the suite's child, the zygote, the box, and back."""
    slot = choice.slot(SlotOptions(isolation=choice.isolation, image=choice.image or None))
    try:
        hello = slot.wait_ready()
        box = NotebookBox(slot, [NOTEBOOK], limits=RunLimits(call_s=60), seed=0)
        box.run()
        ours, _ = socket.socketpair()
        client = RelayedBox(Pipe(ours), box.lease(), call_timeout_s=60, generation=box.generation)
        link = BoxLink(client)
        link.begin_test(seed=0, until=None)
        student = Student(link)
        same, size, make = student.same, student.size, student.make
        tensor = torch.zeros(FLOATS)
        found = {
            **small(lambda: same(1)),
            "in_mb_s": megabytes_per_second(lambda: size(tensor)),
            "out_mb_s": megabytes_per_second(lambda: make(FLOATS)),
            "stream": hello.stream,
            "zygote_mb": hello.resident_bytes >> 20,
        }
        client.give_back()
        box.close()
        return found
    finally:
        slot.stop()


@contextmanager
def process(command: str) -> Iterator[socket.socket]:
    """A process on a socket."""
    ours, theirs = socket.socketpair()
    with ours, subprocess.Popen(["sh", "-c", command], stdin=theirs, stdout=theirs) as child:
        theirs.close()
        yield ours
        child.kill()


@contextmanager
def container(command: str, image: str) -> Iterator[socket.socket]:
    """A container, attached."""
    api = connect().api
    made = api.create_container(
        image,
        entrypoint=["sh", "-c", command],
        stdin_open=True,
        network_disabled=True,
        host_config=api.create_host_config(log_config=LogConfig(type=LogConfig.types.NONE)),
        labels={"grader.benchmark": "calls"},
    )["Id"]
    try:
        stream = api.attach_socket(made, params={"stdin": 1, "stdout": 1, "stream": 1})
        api.start(made)
        sock = getattr(stream, "_sock", stream)
        sock.settimeout(60)
        yield sock
    finally:
        api.remove_container(made, force=True)


def floor(
    place: Callable[[str], AbstractContextManager[socket.socket]], header: int
) -> dict[str, Any]:
    """The same stream with nothing at its end; the engine's own frames have headers."""
    with place("exec cat") as sock:
        echo(sock, header)  # once it is there
        found: dict[str, Any] = small(partial(echo, sock, header))
    blocks = f"dd if=/dev/zero bs=1000000 count={4 * FLOATS // 1_000_000} 2>/dev/null"
    with place(f"read line; {blocks}; sleep 60") as sock:
        sock.sendall(b"go\n")
        found["out_mb_s"] = round(4 * FLOATS / min(timed(lambda: drain(sock, header), 1)) / 1e6)
    return found


def echo(sock: socket.socket, header: int) -> None:
    """Send a little and wait until it is back."""
    sock.sendall(SMALL)
    left = len(SMALL) + header
    while left > 0:
        left -= len(sock.recv(left))


def drain(sock: socket.socket, header: int) -> None:
    """Read 100 MB of payload."""
    room = memoryview(bytearray(1 << 20))
    left, ahead = 4 * FLOATS, b""
    while left > 0:
        if not header:
            left -= sock.recv_into(room)
            continue
        while len(ahead) < header:
            ahead += sock.recv(header - len(ahead))
        (rest,) = struct.unpack(">xxxxI", ahead)
        ahead, left = b"", left - rest
        while rest:
            rest -= sock.recv_into(room[:rest])


def measured(sandbox: str) -> dict[str, Any]:
    """Calls into a box of that kind, and the floor."""
    if sandbox == "attached":
        choice = choose("docker")
        least = floor(partial(container, image=choice.image), header=8)
        with mock.patch.object(Rendezvous, "offer", return_value=None):
            found = of_suite(choice)
    else:
        least = floor(process, header=0)
        found = of_suite(choose(sandbox))
    return {"sandbox": sandbox, "suite": found, "floor": least}


def main() -> None:
    """Measure and print one line of JSON for each sandbox."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", default="local,docker,attached")
    for sandbox in parser.parse_args().sandbox.split(","):
        print(json.dumps(measured(sandbox)), flush=True)


if __name__ == "__main__":
    main()
