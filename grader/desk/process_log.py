"""What a desk's own processes say on their stderr: a printable line for each event."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from grader.printable import printable_line, printing_safely

LOG = logging.getLogger("grader.desk")


@contextmanager
def printable_log(level: int) -> Iterator[None]:
    """Log from that level on, and print nothing that a terminal obeys, to the end of the process.

    These processes are started by themselves, and not by a command, but in its terminal. An error
    may quote a student's name, a file's, or what a notebook has said.

    Raises:
        SystemExit: the block raised something else, which has been logged.
    """
    with printing_safely():
        handler = logging.StreamHandler()
        handler.setFormatter(_LineFormatter("%(asctime)s %(name)s: %(message)s"))
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(level)
        try:
            yield
        except Exception:  # Python would print it past the streams that are safe
            LOG.exception("this process can't go on")
            sys.exit(1)
        finally:
            root.setLevel(before)
            root.removeHandler(handler)


class _LineFormatter(logging.Formatter):
    """No message begins a line of its own; a traceback follows on lines of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging names it
        return printable_line(super().formatMessage(record))
