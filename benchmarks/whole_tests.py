"""For pytest under mutmut: a test is run with all its parameters.

mutmut names each test with its parameter. Not every such name can be given to pytest again (a NUL
in it, brackets, slashes), and a run that finds no test would look like a mutant that is killed.
"""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> None:
    """Take the parameters out of the tests' names on the command line."""
    tests = dict.fromkeys(arg.partition("[")[0] for arg in args if "[" in arg and "::" in arg)
    args[:] = [*tests, *(arg for arg in args if not ("[" in arg and "::" in arg))]
