"""Parts of the shell that need no session."""

from __future__ import annotations

from types import TracebackType

from grader.box.shell import MAX_FRAMES, _shortened


def trace_of(depth: int) -> TracebackType:
    def fall(left: int) -> None:
        if left:
            fall(left - 1)
        raise ValueError

    try:
        fall(depth)
    except ValueError as error:
        assert error.__traceback__ is not None
        return error.__traceback__
    raise AssertionError


def lines(trace: TracebackType | None) -> list[int]:
    found = []
    while trace is not None:
        found.append(trace.tb_lineno)
        trace = trace.tb_next
    return found


def test_a_traceback_of_common_length_is_left_alone() -> None:
    trace = trace_of(20)
    assert _shortened(trace) is trace
    assert _shortened(None) is None


def test_a_very_long_traceback_keeps_both_its_ends() -> None:
    import sys

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(5_000)
    try:
        trace = trace_of(3_000)
    finally:
        sys.setrecursionlimit(before)
    whole, short = lines(trace), lines(_shortened(trace))
    assert len(short) == MAX_FRAMES
    assert (short[0], short[-1]) == (whole[0], whole[-1])
