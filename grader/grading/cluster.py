"""Many machines: the same batch on Dask distributed, with everything passed by value.

The scheduler hands out and hands out again; a machine that dies loses nothing. Verdicts are given
to the batch's own process, which alone commits them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from grader.course.spec import BoxSpec
from grader.errors import InfrastructureError, UsageError
from grader.grading.interrupt import Interrupt
from grader.grading.job import BatchConfig, Job, Judged
from grader.grading.job_queue import JobQueue, Load, at_hand
from grader.grading.progress import SILENT, Progress
from grader.grading.timeouts import NO_MACHINE_S
from grader.installation import install_extra
from grader.sandbox.choose import Choice

CONNECT_S = 120.0
"""How long a scheduler may take to answer."""
_LOCAL = "local:"
_FORGET = {"distributed.admin.low-level-log-length": 10}
"""For debugging Dask keeps its last 1,000 messages on every connection, notebooks included."""
_LEAVE_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""A terminal sends it to the workers too; the batch decides what it means."""


@contextmanager
def open_cluster(address: str) -> Iterator[Cluster]:
    """Connect to a scheduler, or with `local:N` start one here with N workers of one slot each.

    Raises:
        UsageError: no address, or the library is not installed.
        InfrastructureError: nothing answers there, or no machine has come.
    """
    try:
        import dask
        import distributed
    except ImportError as error:
        raise UsageError(
            "a cluster needs Dask, which is not installed here",
            hint=f"Install it, here and on every machine: {install_extra('cluster')}.",
        ) from error
    try:
        with dask.config.set(_FORGET), _client(address, distributed) as client:
            yield Cluster(client)
    except (OSError, TimeoutError) as error:
        raise InfrastructureError(
            f"the cluster at {address} does not answer: {error}",
            hint="Check the address, and the TLS files of Dask's configuration.",
        ) from error


@contextmanager
def _client(address: str, distributed: Any) -> Iterator[Any]:
    if not address.startswith(_LOCAL):
        if "://" not in address:
            raise UsageError(
                f"{address!r} is no address of a scheduler",
                hint="Such as tls://scheduler:8786, tcp://scheduler:8786 or local:4.",
            )
        with distributed.Client(address, timeout=CONNECT_S, set_as_default=False) as client:
            yield client
        return
    count = address.removeprefix(_LOCAL)
    if not count.isdecimal() or not 1 <= int(count) <= 256:
        raise UsageError(f"{address!r}: how many workers?", hint="Such as local:4.")
    # Without TLS every user of this machine could have the scheduler run code.
    security = distributed.Security.temporary()
    with (
        distributed.LocalCluster(
            n_workers=int(count),
            threads_per_worker=1,
            host="tls://127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=None,
            security=security,
            silence_logs="CRITICAL",
            preload=[_LEAVE_CTRL_C],
        ) as cluster,
        distributed.Client(cluster, security=security, set_as_default=False) as client,
    ):
        yield client


class Cluster:
    """A connection to a scheduler, as `open_cluster` makes it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._wanted = b""

    @property
    def is_connected(self) -> bool:
        """Whether the scheduler answers."""
        return bool(self._client.status == "running")

    def choose(
        self,
        sandbox: str,
        isolation: str,
        *,
        box: BoxSpec,
        runtime: str,
        wait_s: float = NO_MACHINE_S,
    ) -> Choice:
        """Ask every machine what it would run submissions in; all must say the same.

        Args:
            sandbox, isolation, box, runtime: as in `sandbox.choose`.
            wait_s: so long the first machine may take to come.

        Raises:
            InfrastructureError: no machine has come, or two of them differ.
        """
        from grader.grading.machine import MachineInfo, MachineRequest, describe

        wanted = MachineRequest(sandbox=sandbox, isolation=isolation, box=box, runtime=runtime)
        self._wanted = msgspec.msgpack.encode(wanted)
        try:
            self._client.wait_for_workers(1, timeout=wait_s)
        except TimeoutError as error:
            raise InfrastructureError(
                f"no machine has come to the cluster in {wait_s:.0f} s",
                hint="Start workers: dask worker SCHEDULER",
            ) from error
        found = {
            address: msgspec.msgpack.decode(said, type=MachineInfo)
            for address, said in self._client.run(describe, self._wanted).items()
        }
        first_address, first = next(iter(sorted(found.items())))
        for address, machine in sorted(found.items()):
            if machine.error:
                raise InfrastructureError(
                    f"a machine of the cluster can't run submissions: {machine.error}",
                    where=address,
                )
            if msgspec.structs.replace(machine, why="") != msgspec.structs.replace(first, why=""):
                raise InfrastructureError(
                    f"two machines of the cluster differ: {_told(first)} and {_told(machine)}",
                    where=f"{first_address} and {address}",
                    hint="A mark must not depend on where it was made: install the same grader "
                    "and copy one image to all of them, see docs/how-to/cluster.md.",
                )
        return Choice(
            sandbox=first.sandbox,
            isolation=first.isolation,
            image=first.image,
            runtime=runtime,
            why=f"{len(found)} workers of the cluster; {first.why}",
        )

    def grade(
        self,
        bundle: bytes,
        config: BatchConfig,
        jobs: Iterable[Job],
        on_verdict: Callable[[Judged], None],
        *,
        progress: Progress = SILENT,
        load: Load = at_hand,
        on_idle: Callable[[], bool] = lambda: False,
    ) -> None:
        """Judge every job of an assignment, its bundle packed, as `batch.grade_batch` does.

        Raises:
            KeyboardInterrupt: Ctrl-C; what was running has been finished, unless it came twice.
            SuiteError: the hidden suite can't be used.
            InfrastructureError: the scheduler is gone, or no machine is left.
        """
        waiting = JobQueue.of_batch(jobs, on_verdict, config=config, progress=progress, load=load)
        if not waiting:
            return
        workers = self.workers(bundle, config, waiting, progress=progress, on_idle=on_idle)
        with Interrupt(progress.stopping) as interrupt:
            workers.run(interrupt)
            if interrupt.asked and waiting:
                raise KeyboardInterrupt

    def workers(
        self,
        bundle: bytes,
        config: BatchConfig,
        waiting: JobQueue,
        *,
        progress: Progress = SILENT,
        on_idle: Callable[[], bool] = lambda: False,
    ) -> ClusterWorkers:
        """Return what has the machines judge what is in a queue, also for a `StandingPool`."""
        from grader.grading.dispatch import Dispatcher
        from grader.grading.machine import GraderPlugin

        batch = f"grader-{config.bundle_sha256[:12]}-{uuid.uuid4()}"
        plugin = GraderPlugin(batch, msgspec.msgpack.encode(config), bundle, self._wanted)
        handing = Dispatcher(self._client, batch, config, waiting, progress, on_idle=on_idle)
        return ClusterWorkers(self._client, plugin, handing)


class ClusterWorkers:
    """The machines of a cluster, at work on one queue. See `standing_pool.Workers`."""

    def __init__(self, client: Any, plugin: Any, handing: Any) -> None:
        self._client = client
        self._plugin = plugin
        self._handing = handing

    def run(self, interrupt: Interrupt | None = None) -> None:
        """Judge until the queue is closed and empty, or Ctrl-C was pressed."""
        try:
            self._client.register_plugin(self._plugin)
            self._handing.run(interrupt or Interrupt(lambda: None))
        finally:
            self._handing.close()

    def give_up(self) -> None:
        """End soon, from any thread."""
        self._handing.give_up()


def _told(machine: Any) -> str:
    return f"{machine.sandbox} {machine.isolation} {machine.image or '-'}, grader {machine.grader}"
