"""Messages between the processes at one database: NOTIFY and LISTEN of PostgreSQL.

They are worth nothing once they are old: whoever hears none looks for itself now and then. A file
of SQLite has no such thing; there nobody is told, and whoever waits looks more often.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook.database import explained

LOG = logging.getLogger("grader.gradebook")
WORK, CELLS = "grader_work", "grader_cells"
"""That something waits for an engine; where a try is that an engine has."""
_NOTIFY = text("SELECT pg_notify(:channel, :said)")
_MOST = 1_000
_AGAIN_S = 5.0
_LISTEN_S = 1.0


def has_notices(engine: Engine) -> bool:
    """Say whether processes at this database can tell each other anything."""
    return engine.dialect.name == "postgresql"


def notify(session: Session, channel: str, said: str = "") -> None:
    """Tell who listens, once this transaction is committed."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_NOTIFY, {"channel": channel, "said": said})


class Notices:
    """A thread with a connection of its own, until `stop`; it waits while the database is away."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with explained(self._engine), closing(self._connection()) as connection:
                    self._work(connection)
            except (GradebookError, OSError) as error:
                LOG.warning("%s", error)
                self._stop.wait(_AGAIN_S)

    def _connection(self) -> Any:
        """A connection of the driver, which no pool counts."""
        pooled = self._engine.raw_connection()
        driver: Any = pooled.driver_connection
        pooled.detach()
        driver.autocommit = True
        return driver

    def _work(self, connection: Any) -> None:
        raise NotImplementedError


class Listener(Notices):
    """Hears a channel; `hear` is given each message, in the thread, and must return soon."""

    def __init__(self, engine: Engine, channel: str, hear: Callable[[str], None]) -> None:
        self._channel, self._hear = channel, hear
        super().__init__(engine, f"listens to {channel}")

    def _work(self, connection: Any) -> None:
        import psycopg

        try:
            connection.execute(f"LISTEN {self._channel}")
            while not self._stop.is_set():
                for notice in connection.notifies(timeout=_LISTEN_S):
                    self._hear(notice.payload)
        except psycopg.Error as error:
            raise OSError(f"the database is away: {error}") from error


class Teller(Notices):
    """Tells a channel without making anybody wait; too many at once, and the oldest are lost."""

    def __init__(self, engine: Engine, channel: str) -> None:
        self._channel = channel
        self._said: queue.Queue[str] = queue.Queue(_MOST)
        super().__init__(engine, f"tells {channel}")

    def tell(self, said: str) -> None:
        """Have something said soon."""
        while True:
            try:
                return self._said.put_nowait(said)
            except queue.Full:
                self._drop()

    def _drop(self) -> None:
        try:
            self._said.get_nowait()
        except queue.Empty:
            pass

    def _work(self, connection: Any) -> None:
        import psycopg

        try:
            while not self._stop.is_set():
                try:
                    said = self._said.get(timeout=_LISTEN_S)
                except queue.Empty:
                    continue
                connection.execute("SELECT pg_notify(%s, %s)", (self._channel, said))
        except psycopg.Error as error:
            raise OSError(f"the database is away: {error}") from error
