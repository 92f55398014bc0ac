"""Processors where no control group bounds them: each slot has its own while there are enough."""

from __future__ import annotations

import os
import sys

import pytest

from grader.sandbox.processors import Processors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")


def test_two_slots_have_different_processors_and_a_third_shares(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5})
    first, second, third = Processors(1.0), Processors(0.5), Processors(1.0)
    assert sorted(first.numbers + second.numbers) == [3, 5]
    assert third.numbers in ([3], [5])
    first.release()
    assert Processors(1.0).numbers == first.numbers


def test_more_than_there_are_is_all_of_them(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    assert Processors(2.5).numbers == [0, 1, 2]
    assert Processors(8).numbers == [0, 1, 2]
