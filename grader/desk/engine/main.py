"""The engine's process: judges the tries of one course.

    python -m grader.desk.engine.main ROOT [--sandbox S] [--isolation I] [--slots N] [--cluster A]

It ends orderly at SIGTERM: what it has claimed and not judged goes back into the queue. What it had
when it was killed is claimed again by the next engine in its place, or when its lease has run out.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from grader.api.desk_notice import desk_serves
from grader.course.directory import Course
from grader.desk.engine.judging import Tell
from grader.desk.engine.talk import BEAT, CellNews, to_line
from grader.desk.engine.work import Engine
from grader.desk.keeping import AFTER_HANG
from grader.desk.process_log import printable_log
from grader.gradebook.notices import CELLS, Teller, has_notices
from grader.gradebook.store import Gradebook
from grader.grading.cluster import open_cluster
from grader.grading.parent_death import end_with_parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run an engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--address", default="")
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--isolation", default="auto")
    parser.add_argument("--slots", type=int)
    parser.add_argument("--cluster", default="")
    parser.add_argument(AFTER_HANG, action="store_true")
    given = parser.parse_args(arguments)
    end_with_parent(os.getppid(), signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides
    with ExitStack() as held:
        held.enter_context(printable_log(logging.INFO))
        course = Course.find(given.root)
        gradebook = held.enter_context(Gradebook(course.database_url))
        number = held.enter_context(desk_serves(course, given.address))
        machines = held.enter_context(open_cluster(given.cluster)) if given.cluster else None
        tell = held.enter_context(_telling(gradebook))
        engine = Engine(
            course,
            gradebook,
            _name(number),
            sandbox=given.sandbox,
            isolation=given.isolation,
            slots=given.slots,
            machines=machines,
            tell=tell,
            alive=partial(_write, BEAT),
            after_hang=given.after_hang,
        )
        signal.signal(signal.SIGTERM, engine.stop)
        engine.run()


def _name(number: int) -> str:
    """A name that no other engine of the course has which runs, and the next in its place has."""
    return f"{socket.gethostname()[:40]} {number or f'process {os.getpid()}'}"


@contextmanager
def _telling(gradebook: Gradebook) -> Iterator[Tell]:
    """What tells web processes of cells: all of them by the database, or the one by a pipe."""
    if not has_notices(gradebook.engine):
        yield _write_line
        return
    teller = Teller(gradebook.engine, CELLS)
    try:
        yield lambda news: teller.tell(to_line(news).decode())
    finally:
        teller.stop()


def _write_line(news: CellNews) -> None:
    _write(to_line(news))


def _write(line: bytes) -> None:
    try:
        os.write(sys.stdout.fileno(), line)
    except BrokenPipeError:
        pass


if __name__ == "__main__":
    main()
