"""Keeps a course's engine running: starts it, hears its news, starts it again when it dies."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from grader.desk.engine.talk import AnyNews, CellNews, EngineNews, from_line

LOG = logging.getLogger("grader.desk")
_AGAIN_S = (0.5, 1.0, 2.0, 5.0, 15.0)
_END_S = 30.0


class Supervisor:
    """One engine's process.

    Args:
        slug: of its course.
        arguments: of `python -m grader.desk.engine.main`.
    """

    def __init__(self, slug: str, arguments: Sequence[str]) -> None:
        self.slug = slug
        self._arguments = list(arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"engine of {slug}", daemon=True)
        self.cells: dict[int, CellNews] = {}
        """Where each running try is, by its number."""
        self.state = EngineNews(trouble="The engine starts.")
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """Of the engine that runs now."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the engine, and a thread that looks after it."""
        self._thread.start()

    def stop(self) -> None:
        """Have the engine end: what it is at is given back to the queue."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join(_END_S)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            heard = self._run_once()
            if self._stopping.is_set():
                return
            failures = 0 if heard else failures + 1
            wait_s = _AGAIN_S[min(failures, len(_AGAIN_S) - 1)]
            LOG.error("the engine of %s ended; it is started again in %.1f s", self.slug, wait_s)
            self.state = EngineNews(trouble="The engine ended, and is started again.")
            self._stopping.wait(wait_s)

    def _run_once(self) -> bool:
        """Run an engine until it ends; return whether it came so far as to be ready."""
        command = [sys.executable, "-m", "grader.desk.engine.main", *self._arguments]
        self.cells.clear()
        self.starts += 1
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        ) as process:
            self._process = process
            if self._stopping.is_set():
                process.send_signal(signal.SIGTERM)
            assert process.stdout is not None  # noqa: S101 - it was asked for
            ready = False
            for line in process.stdout:
                news = from_line(line)
                if news is not None:
                    self._hear(news)
                    ready = ready or isinstance(news, CellNews)
        return ready

    def _hear(self, news: AnyNews) -> None:
        if isinstance(news, EngineNews):
            self.state = news
            return
        self.cells[news.number] = news
        while len(self.cells) > 10_000:
            self.cells.pop(next(iter(self.cells)), None)
