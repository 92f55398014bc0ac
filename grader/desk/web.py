"""A web process of the desk: answers on a socket that whoever started it has opened.

    python -m grader.desk.web ROOT… --socket N --origin URL --counts FILE

With one process `grader.desk.server` calls `run` itself; several are started by it, each of them
this module.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from grader.desk.app import make_app
from grader.desk.counters import Counters
from grader.desk.courses import Desk, open_desk
from grader.desk.engine.supervisor import Supervisor
from grader.desk.heads import HeadsInTime
from grader.desk.process_log import printable_log
from grader.desk.settings import DeskSettings, load_settings
from grader.grading.parent_death import end_with_parent
from grader.report.highlighting import highlight_code
from grader.report.markdown import markdown_html

BACKLOG = 2048
MOST_CONNECTIONS = 20_000


def run(
    desk: Desk,
    listening: socket.socket,
    *,
    supervisors: Sequence[Supervisor] = (),
    counters: Counters | None = None,
    proxy: str = "",
) -> None:
    """Answer until told to stop.

    Args:
        desk: what is served.
        listening: the socket.
        supervisors: engines that run as long as this does.
        counters: of its answers.
        proxy: addresses of servers that stand before this one, whose word on who asks is believed.
    """
    _load_renderers()
    _collect_rarely()
    config = uvicorn.Config(
        make_app(desk, supervisors=supervisors, counters=counters),
        http=HeadsInTime,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxy),
        forwarded_allow_ips=proxy or None,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 << 10,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=BACKLOG,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _load_renderers() -> None:
    """Load what shows notebooks: else the first answer that is looked at waits for it."""
    markdown_html("**text**, a formula $x$ and `code`")
    highlight_code("x = 1")


def _collect_rarely() -> None:
    """Look for cycles of garbage rarely: class records are hundreds of thousands of objects.

    By default all of them are walked every few requests, 0.2 s for 1,500 students in 8 assignments.
    """
    gc.freeze()  # what is imported stays
    gc.set_threshold(50_000, 20, 50)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of several web processes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("roots", type=Path, nargs="+")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--origin", required=True)
    parser.add_argument("--accounts", default="")
    parser.add_argument("--max-upload", type=int, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--proxy", default="")
    parser.add_argument("--counts", type=Path, required=True)
    given = parser.parse_args(arguments)
    end_with_parent(os.getppid(), signal.SIGTERM)
    with printable_log(logging.WARNING):
        desk = open_desk(
            given.roots,
            origin=given.origin,
            accounts_url=given.accounts,
            max_upload_mb=given.max_upload,
            settings=load_settings(given.config) if given.config else DeskSettings(),
        )
        listening = socket.socket(fileno=given.socket)
        run(desk, listening, counters=Counters(given.counts), proxy=given.proxy)


if __name__ == "__main__":
    main()
