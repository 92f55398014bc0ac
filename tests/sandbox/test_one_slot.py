"""One slot for one notebook: probed where it is used, and warm while other things are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.errors import InfrastructureError
from grader.sandbox import choose as choosing
from grader.sandbox.base import CellResult, SlotOptions
from grader.sandbox.choose import Choice, open_slot
from grader.wire import messages as m

JAILED = "pid 1\ncaps 0\nnnp 1\nseccomp 2\n"
OPEN = "pid 7\ncaps 0\nnnp 1\nseccomp 0\n"


class Place:
    """A slot that writes down what is done with it, and says of its jail what it is told to."""

    def __init__(self, said: str, done: list[str], name: str) -> None:
        self._said, self._done, self.name = said, done, name

    def _note(self, what: str) -> None:
        self._done.append(f"{self.name} {what}")

    def start(self) -> None:
        self._note("starts")

    def wait_ready(self) -> None:
        self._note("is waited for")

    def open(self, *, seed: int, limits: m.Limits) -> Any:
        self._note("is probed")
        return self

    def run_cell(self, *_: Any, **__: Any) -> CellResult:
        outputs = [{"output_type": "stream", "text": self._said}]
        return CellResult(index=1, status="ok", outputs=outputs)

    def close(self) -> None:
        pass

    def stop(self) -> None:
        self._note("stops")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Opens a slot of the local sandbox; returns it and what was done, in order."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def open_(warm: str, single: str = JAILED) -> tuple[Any, list[str]]:
        done: list[str] = []

        def slot(choice: Choice, options: SlotOptions) -> Place:
            assert options == OPTIONS
            said = warm if choice.isolation == "warm" else single
            return Place(said, done, choice.isolation)

        monkeypatch.setattr(Choice, "slot", slot)
        meanwhile = lambda: done.append("something else is loaded")  # noqa: E731
        return open_slot("local", OPTIONS, meanwhile=meanwhile), done

    return open_


OPTIONS = SlotOptions(memory_bytes=300 << 20)


def test_a_slot_that_was_probed_is_the_one_that_is_used(opened: Any) -> None:
    slot, done = opened(JAILED)
    assert slot.name == "warm"
    assert done == [
        "warm starts",
        "something else is loaded",
        "warm is waited for",
        "warm is probed",
    ]


def test_a_jail_that_is_known_to_hold_is_not_waited_for(opened: Any) -> None:
    opened(JAILED)
    _, done = opened(JAILED)
    assert done == ["warm starts", "something else is loaded"]


def test_a_slot_whose_jail_does_not_hold_is_destroyed_and_not_used(opened: Any) -> None:
    slot, done = opened(OPEN)
    assert slot.name == "single-use"
    assert done.count("warm stops") == 1 and done.index("warm stops") < done.index(
        "single-use starts"
    )
    assert "single-use stops" not in done


def test_where_no_jail_holds_no_slot_is_left(opened: Any) -> None:
    with pytest.raises(InfrastructureError, match="no isolation holds"):
        opened(OPEN, single=OPEN.replace("nnp 1", "nnp 0"))


def test_a_slot_is_destroyed_when_what_goes_on_meanwhile_fails(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, done = opened(JAILED)
    done.clear()

    def fail() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        choosing.open_slot("local", OPTIONS, meanwhile=fail)
    assert done == ["warm starts", "warm stops"]
