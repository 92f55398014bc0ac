"""Without an image a box has the libraries installed beside the program, or runs nothing."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from grader.course.spec import BoxSpec
from grader.errors import InfrastructureError
from grader.sandbox.choose import choose
from grader.sandbox.host_libraries import host_identity


@pytest.mark.parametrize("sandbox", ["local", "unsafe"])
def test_a_library_that_is_not_installed_here_is_our_fault_and_costs_nobody_a_mark(
    sandbox: str,
) -> None:
    box = BoxSpec(libraries=("no-such-library[all]>=1,<2", "pytest>=8", "nor.this_one"))
    with pytest.raises(InfrastructureError) as refused:
        choose(sandbox, box=box)
    assert refused.value.what == (
        "libraries of the assignment are not installed beside grader: "
        "no-such-library[all]>=1,<2, nor.this_one"
    )
    assert "grader sandbox build --for" in (refused.value.hint or "")


def test_what_is_installed_here_is_part_of_what_a_verdict_holds_for() -> None:
    there = choose("unsafe", box=BoxSpec(libraries=("Pytest>=8",)))
    assert f", Pytest {version('pytest')}" in there.image
    assert "pytest" not in host_identity().lower()
