"""The judge's process for one assignment: torch, the reference and the suite, loaded once.

    python -m grader.grading.judge_main PARENT DESCRIPTOR…

Each descriptor is one end of a connection to the batch, its parent, with which it dies; the first
also carries the setting. A broken suite is found here, before the first submission is touched.

Where the judge may stay for its user's next command (`keep` of the setting), the last descriptor is
none to a worker: on it the batch is told that it may go.

A worker is forked for each connection. With only one, this process is the worker, and its slot
warms up while torch is imported here: who waits for one notebook waits for one of the two, not for
one after the other.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from grader.errors import GraderError, SuiteError
from grader.grading.job import BatchConfig, worker_error
from grader.grading.keeping.keeper import Keeper
from grader.grading.parent_death import end_with_parent
from grader.grading.slot import for_worker, make_slot
from grader.sandbox.base import Slot
from grader.sandbox.stopping import stop_now
from grader.suite.loading import load_suites

if TYPE_CHECKING:
    from grader.suite.running import CollectedSuite


def serve(connections: list[Connection], parent: int) -> None:
    """Collect the suite, then fork a worker for each connection and wait for them."""
    config = msgspec.msgpack.decode(connections[0].recv_bytes(), type=BatchConfig)
    keeper = None
    if config.keep:
        with connections.pop() as told:
            keeper = Keeper(config, socket.socket(fileno=os.dup(told.fileno())))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch decides what Ctrl-C means
    slot: Slot | None = None
    try:
        if len(connections) == 1:
            signal.signal(signal.SIGTERM, stop_now)
            end_with_parent(parent, signal.SIGTERM)  # it destroys its slot first
            slot = make_slot(for_worker(config, 0))
            slot.start()
        _judge(config, connections, slot, keeper)
    except GraderError as error:
        connections[0].send_bytes(msgspec.msgpack.encode(worker_error(error)))
    finally:
        if slot is not None:
            slot.stop()


def _judge(
    config: BatchConfig,
    connections: list[Connection],
    slot: Slot | None,
    keeper: Keeper | None = None,
) -> None:
    load_suites()
    _do_once(config)
    from grader.rules.checking import check_rule_names
    from grader.suite.helpers import make_importable
    from grader.suite.running import NotebookOfSuite, collect_suite

    def on_ready(suite: CollectedSuite) -> None:
        if config.reference:  # else it is the public suite, which gives no points
            for part in [config.for_notebook(n) for n in config.notebooks] or [config]:
                check_rule_names(part.spec, Path(part.reference), part.assignment)
            _check_points(suite, config)
        # What is here stays: no child's collector need go through it, a third of a second.
        gc.collect()
        gc.freeze()
        if slot is not None:
            _be_worker(config, suite, connections[0], slot, keeper)
        else:
            _fork_workers(config, suite, connections)

    make_importable(Path(config.hidden).parent, config.given)
    with _suite_folder(config) as folder:
        notebooks = [
            NotebookOfSuite(
                name=n.name,
                questions=frozenset(of.questions),
                reference_path=Path(n.reference) if n.reference else None,
            )
            for n, of in zip(config.notebooks, config.spec.notebooks, strict=True)
        ]
        reference = Path(config.reference) if config.reference and not notebooks else None
        collect_suite(folder, reference_path=reference, notebooks=notebooks, on_ready=on_ready)


def _check_points(suite: CollectedSuite, config: BatchConfig) -> None:
    from grader.suite.plan_checks import check_plan

    faults = check_plan(suite.plan, config.spec)
    if faults:
        raise SuiteError(
            "; ".join(faults),
            where=config.hidden,
            hint=f"Fix the suite or assignment.toml, then run `grader validate "
            f"{config.assignment}`.",
        )


def _do_once(config: BatchConfig) -> None:
    """Do what each submission's child would else do for the first time."""
    import torch

    from grader.suite.randomness import seed_judge

    torch.set_num_threads(1)  # no thread pool may exist before a fork
    if not config.alone or _mentions(Path(config.hidden), b"assert_close"):
        # The first comparison imports sympy, for a second.
        torch.testing.assert_close(torch.ones(1), torch.ones(1))
    if _mentions(Path(config.hidden), b"torch.optim"):
        # The first optimiser imports torch's compiler, for another.
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    seed_judge(0)  # and this imports numpy.random


def _mentions(folder: Path, word: bytes) -> bool:
    return any(word in path.read_bytes() for path in folder.rglob("*.py"))


def _be_worker(
    config: BatchConfig,
    suite: CollectedSuite,
    connection: Connection,
    slot: Slot,
    keeper: Keeper | None,
) -> None:
    from grader.grading.check_worker import CheckWorker
    from grader.grading.worker import Worker

    kind = Worker if config.reference else CheckWorker
    kind(for_worker(config, 0), suite, connection, slot, keeper).run()
    connection.close()


@contextlib.contextmanager
def _suite_folder(config: BatchConfig) -> Iterator[Path]:
    """The hidden suite's folder, or an empty one where a person gives all points."""
    folder = Path(config.hidden)
    if folder.is_dir() or config.spec.machine_points:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="grader-no-suite-") as empty:
        yield Path(empty)


def _fork_workers(
    config: BatchConfig, suite: CollectedSuite, connections: list[Connection]
) -> None:
    from grader.grading.worker import Worker

    children = []
    judge = os.getpid()
    for number, connection in enumerate(connections):
        pid = os.fork()
        if pid == 0:
            end_with_parent(judge, signal.SIGTERM)  # it destroys its slot first
            for other in connections:
                if other is not connection:
                    other.close()
            try:
                Worker(for_worker(config, number), suite, connection).run()
            finally:
                os._exit(0)
        children.append(pid)
    for connection in connections:
        connection.close()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the workers have it too, and end first
    for pid in children:
        os.waitpid(pid, 0)


def main() -> None:
    """Serve the connections named on the command line."""
    parent, *descriptors = (int(word) for word in sys.argv[1:])
    end_with_parent(parent, signal.SIGKILL)
    serve([Connection(descriptor) for descriptor in descriptors], parent)


if __name__ == "__main__":
    main()
