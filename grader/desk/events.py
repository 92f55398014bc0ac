"""How pages follow by themselves: one look at the queue a second, for everybody who watches.

A try's state is in the gradebook, whichever process wrote it. The cell that it is at comes by the
pipe of an engine that this process keeps; at a PostgreSQL server by a message to every process.
Each watcher costs a queue of one entry, and no thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

import msgspec
from starlette.concurrency import run_in_threadpool

from grader.desk.courses import Desk
from grader.desk.engine.supervisor import Cells, Supervisor
from grader.errors import GraderError
from grader.gradebook.notices import CELLS, Listener, has_notices
from grader.gradebook.tries import DeskTry, TryState

LOG = logging.getLogger("grader.desk")
LOOK_S = 0.5
MOST_OF_ONE = 40
"""So many pages may one person follow at a time, at one web process. Each holds a connection, and a
thousand of them would take all that the process may have."""
_KEEP_ALIVE_S = 20.0
_PACE_S = 5.0
"""So long the pace of a course's engines is taken as it was found."""


class TryNews(msgspec.Struct, frozen=True, kw_only=True):
    """Where a try is: its state, how many are before it, and at which cell of how many.

    `says` is all of that in words, with when to expect the verdict.
    """

    state: TryState
    ahead: int = 0
    cell: int = 0
    cells: int = 0
    says: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more follows."""
        return self.state.ended


def about(seconds: float) -> str:
    """Return a length of time as people say it."""
    minutes = math.ceil(seconds / 60)
    if seconds < 45:
        return "less than a minute"
    if minutes < 90:
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    return f"about {math.ceil(minutes / 60)} hours"


def _waits(ahead: int, expected: str) -> str:
    said = f"{ahead} before it in the queue" if ahead else "It is next"
    return f"{said}; the verdict comes in {expected}." if expected else f"{said}."


def _runs(cell: int, cells: int, expected: str) -> str:
    if cells and cell > cells:
        return "The checks."
    if cell:
        return f"Cell {cell} of {cells}."
    return f"It runs; the verdict comes in {expected}." if expected else "It runs."


Key = tuple[str, int]


class News:
    """Looks after everybody who watches a try."""

    def __init__(self, desk: Desk, supervisors: Sequence[Supervisor]) -> None:
        self._desk = desk
        self._cells = {slug: Cells() for slug in desk.courses}
        self._cells |= {one.slug: one.cells for one in supervisors}
        self._listeners: list[Listener] = []
        self._watchers: dict[Key, set[asyncio.Queue[TryNews]]] = {}
        self._followed: Counter[int] = Counter()
        self._last: dict[Key, TryNews] = {}
        self._paces: dict[str, tuple[float, float | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        for slug, course in self._desk.courses.items():
            if has_notices(course.gradebook.engine):
                hear = self._cells[slug].hear
                self._listeners.append(Listener(course.gradebook.engine, CELLS, hear))
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for one in self._listeners:
            await run_in_threadpool(one.stop)

    @property
    def watchers(self) -> int:
        """How many pages follow a try."""
        return sum(map(len, self._watchers.values()))

    def now(self, slug: str, one: DeskTry) -> TryNews:
        """Return where a try is; asks the gradebook how many are before it."""
        if one.state.ended:
            return TryNews(state=one.state)
        queue = self._desk.courses[slug].gradebook.queue
        ahead = queue.ahead_of(one) if one.state is TryState.WAITING else 0
        return self._news(slug, one, ahead, queue.running_count())

    def _news(self, slug: str, one: DeskTry, ahead: int, running: int) -> TryNews:
        if one.state is TryState.WAITING:
            says = _waits(ahead, self._expected(slug, running + ahead + 1))
            return TryNews(state=one.state, ahead=ahead, says=says)
        if one.state is not TryState.RUNNING:
            return TryNews(state=one.state, ahead=ahead)
        at = self._cells[slug].at(one.id)
        cell, cells = (at.cell, at.cells) if at else (0, 0)
        says = _runs(cell, cells, self._expected(slug, running))
        return TryNews(state=one.state, cell=cell, cells=cells, says=says)

    def _expected(self, slug: str, count: int) -> str:
        """How long it takes until so many have their verdict, in words; empty: nobody knows."""
        looked, pace_s = self._paces.get(slug, (-math.inf, None))
        if time.monotonic() - looked > _PACE_S:
            queue = self._desk.courses[slug].gradebook.queue
            pace_s = queue.pace_s(now=dt.datetime.now(dt.UTC))
            self._paces[slug] = time.monotonic(), pace_s
        return about(count * pace_s) if pace_s is not None else ""

    def may_follow(self, account: int) -> bool:
        """Say whether somebody may follow one more page."""
        return self._followed[account] < MOST_OF_ONE

    async def follow(self, slug: str, number: int, *, account: int = 0) -> AsyncIterator[bytes]:
        """Yield server-sent events until the try has ended, or nobody listens any more.

        Args:
            slug: the course's.
            number: of the try.
            account: whose page it is.
        """
        queue: asyncio.Queue[TryNews] = asyncio.Queue(maxsize=1)
        key = (slug, number)
        self._watchers.setdefault(key, set()).add(queue)
        self._followed[account] += 1
        try:
            if key in self._last:
                queue.put_nowait(self._last[key])
            while True:
                try:
                    news = await asyncio.wait_for(queue.get(), _KEEP_ALIVE_S)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                yield b"data: " + msgspec.json.encode(news) + b"\n\n"
                if news.ended:
                    return
        finally:
            self._followed[account] -= 1
            watchers = self._watchers.get(key, set())
            watchers.discard(queue)
            if not watchers:
                self._watchers.pop(key, None)
                self._last.pop(key, None)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._watchers:
                continue
            try:
                found = await run_in_threadpool(self._found, list(self._watchers))
            except GraderError as error:  # the database is away: pages stay as they are
                LOG.warning("news can't be read: %s", error)
                await asyncio.sleep(5 * LOOK_S)
                continue
            for key, news in found.items():
                if self._last.get(key) != news:
                    self._tell(key, news)

    def _found(self, watched: list[Key]) -> dict[Key, TryNews]:
        found: dict[Key, TryNews] = {}
        for slug in {slug for slug, _ in watched}:
            gradebook = self._desk.courses[slug].gradebook
            numbers = [number for other, number in watched if other == slug]
            positions, running = gradebook.queue.positions(), gradebook.queue.running_count()
            for one in gradebook.tries.some(numbers):
                found[slug, one.id] = self._news(slug, one, positions.get(one.id, 0), running)
        return found

    def _tell(self, key: Key, news: TryNews) -> None:
        self._last[key] = news
        for queue in self._watchers.get(key, ()):
            if queue.full():
                queue.get_nowait()  # only the newest matters
            queue.put_nowait(news)
