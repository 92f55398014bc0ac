"""Names of the notebook whose calls the judge answers, while a test asks for that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from grader.wire import messages as m
from grader.wire import values

_MISSING = object()

Ask = Callable[[m.Wanted, list[values.Blob]], tuple[m.Give, list[memoryview]]]


def ask_nobody(wanted: m.Wanted, _: list[values.Blob]) -> tuple[m.Give, list[memoryview]]:
    """Answer nothing: there is no judge."""
    return m.Give(error="there is nobody to answer"), []


class Replaced:
    """Stand-ins in the notebook's namespace; what they stand for comes back afterwards."""

    def __init__(self, namespace: dict[str, Any], ask: Ask) -> None:
        self._namespace = namespace
        self._ask = ask
        self._own: dict[str, Any] = {}
        self._calls = 0

    def replace(self, names: Sequence[str]) -> None:
        """Put stand-ins for these names, and the student's own back for all others."""
        for name, own in self._own.items():
            if own is _MISSING:
                self._namespace.pop(name, None)
            else:
                self._namespace[name] = own
        self._own = {name: self._namespace.get(name, _MISSING) for name in names}
        for name in names:
            self._namespace[name] = self._stand_in(name)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While this lasts the judge waits for a reply, and can be asked."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    def _stand_in(self, name: str) -> Callable[..., Any]:
        def stand_in(*args: Any, **kwargs: Any) -> Any:
            return self._answer(name, args, kwargs)

        stand_in.__name__ = stand_in.__qualname__ = name
        return stand_in

    def _answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not self._calls or threading.current_thread() is not threading.main_thread():
            # The judge reads one message at a time: this one would be taken for the reply.
            raise RuntimeError(f"{name} is answered only in the thread of the check's own call")
        out: list[values.Blob] = []
        wanted = m.Wanted(
            name=name,
            args=[values.encode(value, out) for value in args],
            kwargs={key: values.encode(value, out) for key, value in kwargs.items()},
        )
        give, received = self._ask(wanted, out)
        if give.error:
            raise RuntimeError(f"{name}: {give.error}")
        return values.decode(give.value, received)
