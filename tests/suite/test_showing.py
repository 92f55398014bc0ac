"""What a value looks like at the prompt, and what it may stand for."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from grader.suite.box_link import BoxLink
from grader.suite.failures import NotPlain
from grader.suite.showing import share_shown, shown
from grader.suite.student import Remote
from grader.wire.values import RemoteRef


@pytest.fixture
def remote() -> Remote:
    """An object of the student's own; nothing may be asked of it here."""
    link: Any = type("Link", (), {"generation": 0, "failure": None})()
    return Remote(cast(BoxLink, link), RemoteRef(1, "instance", "Yes"))


def test_plain_values_are_shown_as_python_shows_them() -> None:
    assert shown([1, "a", (2.5, None)]) == "[1, 'a', (2.5, None)]"
    assert shown(np.float64(0.5)) == repr(np.float64(0.5))


def test_an_object_that_could_say_anything_is_not_shown(remote: Remote) -> None:
    for value in (remote, [1, remote], (remote,), {"a": [remote]}, {remote: 1}, {remote}):
        with pytest.raises(NotPlain, match="plain value"):
            shown(value)


@pytest.mark.parametrize(
    ("value", "share"),
    [
        (0, 0.0),
        (1, 0.5),
        (2.0, 1.0),
        (3, 1.0),
        (-1, 0.0),
        (float("nan"), 0.0),
        (float("inf"), 1.0),
        (None, 1.0),
        (True, 1.0),
        ("half", 1.0),
        ([1], 1.0),
    ],
)
def test_a_last_value_stands_for_points_where_it_is_a_number(value: object, share: float) -> None:
    assert share_shown(value, 2) == share


def test_an_object_of_the_students_own_stands_for_no_points(remote: Remote) -> None:
    with pytest.raises(NotPlain):
        share_shown(remote, 2)
