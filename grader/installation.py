"""How to install what an optional part needs."""

from __future__ import annotations


def install_extra(name: str) -> str:
    """Return how to install an extra of pyproject.toml.

    From grader's source, never by the bare name: on the package index, the name "grader" belongs to
    another project, whose code would then be installed. Source: https://pypi.org/project/grader/
    """
    return f"pip install '.[{name}]' in the folder of grader's source"
