"""What is noted of what a test received."""

from __future__ import annotations

import torch

from grader.suite.account import odd_in


def test_no_object_of_a_box_is_asked_what_it_holds() -> None:
    """A list of a student's own layers beside a tensor is a right answer, and no word is taken."""

    class Asked:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"asked for {name}")

    for value in (Asked(), [Asked()], (torch.ones(2), [Asked(), Asked()]), {"layers": [Asked()]}):
        assert list(odd_in("f(…)", value)) == []
    assert list(odd_in("f(…)", (torch.ones(2), [])))
