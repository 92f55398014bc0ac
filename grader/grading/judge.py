"""The judge's process for one assignment: torch, the reference and the suite, loaded once.

    python -m grader.grading.judge PARENT DESCRIPTOR…

Each descriptor is one end of a connection to the batch, its parent, with which it dies; the first
also carries the setting. A broken suite is found here, before the first submission is touched.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from grader.errors import GraderError, SuiteError
from grader.grading.job import Setting
from grader.grading.lifeline import end_with_parent
from grader.grading.worker import Worker, broken
from grader.rules.checking import check_rule_names
from grader.suite.helpers import make_importable
from grader.suite.plan_checks import check_plan
from grader.suite.randomness import seed_judge
from grader.suite.running import CollectedSuite, collect_suite


def serve(connections: list[Connection]) -> None:
    """Collect the suite, then fork a worker for each connection and wait for them."""
    setting = msgspec.msgpack.decode(connections[0].recv_bytes(), type=Setting)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch decides what Ctrl-C means

    def on_ready(suite: CollectedSuite) -> None:
        check_rule_names(setting.spec, Path(setting.reference), setting.assignment)
        faults = check_plan(suite.plan, setting.spec)
        if faults:
            raise SuiteError(
                "; ".join(faults),
                where=setting.hidden,
                hint=f"Mend the suite or assignment.toml, then run `grader validate "
                f"{setting.assignment}`.",
            )
        _fork_workers(setting, suite, connections)

    make_importable(Path(setting.hidden).parent, setting.given)
    try:
        collect_suite(
            Path(setting.hidden), reference_path=Path(setting.reference), on_ready=on_ready
        )
    except GraderError as error:
        connections[0].send_bytes(msgspec.msgpack.encode(broken(error)))


def _fork_workers(setting: Setting, suite: CollectedSuite, connections: list[Connection]) -> None:
    children = []
    judge = os.getpid()
    # What is here stays: no child's collector need go through it, which takes a third of a second.
    gc.collect()
    gc.freeze()
    for number, connection in enumerate(connections):
        gpu = setting.gpus[number] if setting.gpus else setting.gpu
        pid = os.fork()
        if pid == 0:
            end_with_parent(judge, signal.SIGTERM)  # it destroys its slot first
            for other in connections:
                if other is not connection:
                    other.close()
            try:
                own = msgspec.structs.replace(setting, gpu=gpu)
                Worker(own, suite, connection).run()
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
    import torch

    torch.set_num_threads(1)  # no thread pool may exist before a fork
    # The first comparison imports sympy, for a second; else each submission's child would.
    torch.testing.assert_close(torch.ones(1), torch.ones(1))
    seed_judge(0)  # and this imports numpy.random
    serve([Connection(descriptor) for descriptor in descriptors])


if __name__ == "__main__":
    main()
