"""How pages follow by themselves: one look at the queue a second, for everybody who watches.

A try's state is in the gradebook, whichever process wrote it. The cell that it is at comes by the
pipe of an engine that this process keeps; at a PostgreSQL server by a message to every process.
Each watcher costs a queue of one entry, and no thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
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
_KEEP_ALIVE_S = 20.0


class TryNews(msgspec.Struct, frozen=True, kw_only=True):
    """Where a try is: its state, how many are before it, and at which cell of how many."""

    state: TryState
    ahead: int = 0
    cell: int = 0
    cells: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more follows."""
        return self.state.ended


Key = tuple[str, int]


class News:
    """Looks after everybody who watches a try."""

    def __init__(self, desk: Desk, supervisors: Sequence[Supervisor]) -> None:
        self._desk = desk
        self._cells = {slug: Cells() for slug in desk.courses}
        self._cells |= {one.slug: one.cells for one in supervisors}
        self._listeners: list[Listener] = []
        self._watchers: dict[Key, set[asyncio.Queue[TryNews]]] = {}
        self._last: dict[Key, TryNews] = {}
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
        ahead = 0
        if one.state is TryState.WAITING:
            ahead = self._desk.courses[slug].gradebook.tries.ahead_of(one)
        return self._news(slug, one, ahead)

    def _news(self, slug: str, one: DeskTry, ahead: int) -> TryNews:
        at = self._cells[slug].at(one.id)
        if one.state is not TryState.RUNNING or at is None:
            return TryNews(state=one.state, ahead=ahead)
        return TryNews(state=one.state, cell=at.cell, cells=at.cells)

    async def follow(self, slug: str, number: int) -> AsyncIterator[bytes]:
        """Yield server-sent events until the try has ended, or nobody listens any more."""
        queue: asyncio.Queue[TryNews] = asyncio.Queue(maxsize=1)
        key = (slug, number)
        self._watchers.setdefault(key, set()).add(queue)
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
            tries = self._desk.courses[slug].gradebook.tries
            numbers = [number for other, number in watched if other == slug]
            positions = tries.positions()
            for one in tries.some(numbers):
                found[slug, one.id] = self._news(slug, one, positions.get(one.id, 0))
        return found

    def _tell(self, key: Key, news: TryNews) -> None:
        self._last[key] = news
        for queue in self._watchers.get(key, ()):
            if queue.full():
                queue.get_nowait()  # only the newest matters
            queue.put_nowait(news)
