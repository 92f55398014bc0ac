"""An engine that is kept running, and where its tries are."""

from __future__ import annotations

from collections.abc import Sequence

from grader.desk.engine.talk import HUNG_S, CellNews, from_line
from grader.desk.keeping import Kept

_MOST = 10_000


class Cells:
    """At which cell each running try is, by its number, as far as it was heard."""

    def __init__(self) -> None:
        self._at: dict[int, CellNews] = {}

    def hear(self, line: bytes | str) -> None:
        """Take in what an engine says; whatever else is said is passed over."""
        news = from_line(line)
        if news is None:
            return
        self._at.pop(news.number, None)
        self._at[news.number] = news
        while len(self._at) > _MOST:
            self._at.pop(next(iter(self._at)), None)

    def at(self, number: int) -> CellNews | None:
        """Return where a try is, or None."""
        return self._at.get(number)


class Supervisor(Kept):
    """One engine's process. Its loop says that it goes round; one that does not is started again.

    Args:
        slug: of its course.
        arguments: of `python -m grader.desk.engine.main`.
        module: another than that.
        silent_s: after so long without a round of its loop it hangs.
    """

    def __init__(
        self,
        slug: str,
        arguments: Sequence[str],
        *,
        module: str = "grader.desk.engine.main",
        silent_s: float = HUNG_S,
    ) -> None:
        self.slug = slug
        self.cells = Cells()
        super().__init__(
            f"the engine of {slug}", module, arguments, hear=self.cells.hear, silent_s=silent_s
        )
