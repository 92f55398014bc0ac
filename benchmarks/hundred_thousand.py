"""100,000 submissions on paper: what the batch's own process would take, from measured costs.

    python benchmarks/hundred_thousand.py --work 0.3

Everything that only the batch's process can do is measured here: a notebook taken in, a task handed
to a scheduler and back, a verdict committed, a student's pages written; what is held in memory of
each until the end, and what it adds to the gradebook and the class page. From these and from the
seconds of work of one submission follows, for any number of slots, how long a batch takes, and at
how many slots the batch's process has no time left for more.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
import tracemalloc
from dataclasses import asdict, dataclass
from pathlib import Path

from distributed import Client, LocalCluster, as_completed

sys.path.insert(0, str(Path(__file__).parent.parent))

from grader.gradebook.store import Gradebook
from grader.grading.job import Job
from grader.grading.verdict import verdict_from_json, verdict_to_json
from grader.intake.collect import collect
from grader.report.page_writer import PageWriter
from tests.helpers.notebooks import realistic_notebook
from tests.helpers.verdicts import SPEC, graded

SUBMISSIONS = 100_000
AHEAD = 20


@dataclass(frozen=True)
class Costs:
    """Seconds of the batch's process, and bytes, for one submission."""

    take_in_s: float
    hand_out_s: float
    commit_s: float
    pages_s: float
    submission_bytes: int
    held_bytes: int
    record_bytes: int
    class_page_bytes: int

    @property
    def serial_s(self) -> float:
        """What no other process can do, while submissions run."""
        return self.hand_out_s + self.commit_s


def measure(count: int) -> Costs:
    """Measure with so many submissions."""
    notebook = realistic_notebook()
    with tempfile.TemporaryDirectory(prefix="grader-paper-") as folder:
        database = Path(folder, "gradebook.db")
        commit = _commit(database, notebook, count)
        take_in, held = _take_in(Path(folder, "submissions"), notebook, count)
        pages, class_page = _pages(Path(folder, "graded"), notebook, count)
        return Costs(
            take_in_s=take_in,
            hand_out_s=_hand_out(notebook, count),
            commit_s=commit,
            pages_s=pages,
            submission_bytes=len(notebook),
            held_bytes=held,
            record_bytes=database.stat().st_size // count,
            class_page_bytes=class_page,
        )


def _take_in(folder: Path, notebook: bytes, count: int) -> tuple[float, int]:
    """Seconds to take a notebook in; bytes held of it, with its verdict, until the end."""
    folder.mkdir()
    for i in range(count):
        (folder / f"s{i}.ipynb").write_bytes(notebook)
    began = time.monotonic()
    collect([folder], assignment="mlp")
    seconds = (time.monotonic() - began) / count
    tracemalloc.start()
    submissions = collect([folder], assignment="mlp").submissions
    jobs = [Job(student=s.student, file=s.file, sha256=s.sha256) for s in submissions]
    verdicts = [verdict_from_json(verdict_to_json(graded(job.student))) for job in jobs]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return seconds, held // len(verdicts)


def _echo(data: bytes) -> bytes:
    return data


def _hand_out(notebook: bytes, count: int) -> float:
    """CPU of this process for a task there and back; scheduler and worker are others'."""
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=4,
            host="tcp://127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=None,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        began = time.process_time()
        running = [client.submit(_echo, notebook, pure=False) for _ in range(AHEAD)]
        done = as_completed(running, loop=client.loop)
        for i, future in enumerate(done):
            future.result()
            if i + AHEAD < count:
                done.add(client.submit(_echo, notebook, pure=False))
        # The scheduler runs in this process here, so that this is an upper bound.
        return (time.process_time() - began) / count


def _commit(database: Path, notebook: bytes, count: int) -> float:
    verdicts = [graded(f"s{i}") for i in range(count)]
    with Gradebook(f"sqlite:///{database}") as book:
        batch = book.start_batch("mlp", seed=1)
        began = time.monotonic()
        for verdict in verdicts:
            book.record(verdict, notebook, batch=batch)
        return (time.monotonic() - began) / count


def _pages(folder: Path, notebook: bytes, count: int) -> tuple[float, int]:
    """Seconds for a student's pages, and what each adds to the class page; it has all of them."""
    writer = PageWriter(folder, spec=SPEC, now=dt.datetime.now(dt.UTC))
    verdicts = [graded(f"s{i}") for i in range(count)]
    small = writer.class_page(verdicts[: count // 2]).stat().st_size
    began = time.monotonic()
    for verdict in verdicts[: count // 4]:
        writer.student(verdict, lambda: notebook)
    seconds = (time.monotonic() - began) / (count // 4)
    large = writer.class_page(verdicts).stat().st_size
    return seconds, (large - small) // (count - count // 2)


def simulate(costs: Costs, work_s: float, slots: int) -> dict[str, float]:
    """Slots that each ask the one batch's process for the next submission when they are free.

    A closed queue with one server, looked at submission by submission: the server hands out and
    commits in the order in which slots come free.
    """
    free = [0.0] * slots
    server = 0.0
    for i in range(SUBMISSIONS):
        slot = i % slots  # equal work: they come free in turn
        server = max(server, free[slot]) + costs.serial_s
        free[slot] = server + work_s
    running = max(free)
    # Pages are written while nothing else asks for the server, and the rest of them at the end.
    idle = running - SUBMISSIONS * costs.serial_s
    pages_left = max(0.0, SUBMISSIONS * costs.pages_s - idle)
    return {
        "slots": slots,
        "hours": round(running / 3600, 2),
        "of_the_slots_time_at_work": round(SUBMISSIONS * work_s / (slots * running), 3),
        "hours_of_pages_at_the_end": round(pages_left / 3600, 2),
    }


def main() -> None:
    """Measure, simulate and print lines of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=float, nargs="+", default=[0.3, 5.0, 30.0])
    parser.add_argument("--slots", type=int, nargs="+", default=[16, 64, 256, 1024])
    parser.add_argument("--measured", type=int, default=400)
    options = parser.parse_args()
    costs = measure(options.measured)
    print(json.dumps({k: round(v, 5) for k, v in asdict(costs).items()}))
    print(
        json.dumps(
            {
                "minutes_to_take_in": round(SUBMISSIONS * costs.take_in_s / 60, 1),
                "gigabytes_in_memory": round(SUBMISSIONS * costs.held_bytes / 1e9, 1),
                "gigabytes_of_notebooks_on_disk": round(
                    SUBMISSIONS * costs.submission_bytes / 1e9, 1
                ),
                "gigabytes_of_gradebook": round(SUBMISSIONS * costs.record_bytes / 1e9, 1),
                "megabytes_of_class_page": round(SUBMISSIONS * costs.class_page_bytes / 1e6),
            }
        )
    )
    for work_s in options.work:
        print(json.dumps({"work_s": work_s, "full_at_slots": int(work_s / costs.serial_s) + 1}))
        for slots in options.slots:
            print(json.dumps({"work_s": work_s, **simulate(costs, work_s, slots)}))


if __name__ == "__main__":
    main()
