"""What ships is found in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import resources
from grader.errors import GraderError


def test_a_checkout_has_it_beside_the_package() -> None:
    assert (resources.shipped_dir("templates") / "release" / "README.md.j2").is_file()


def test_an_installed_package_has_it_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "grader"
    inside = package / "_shipped" / "templates"
    inside.mkdir(parents=True)
    # Another package's folder of the same name must not be taken for ours.
    (package.parent / "templates").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.shipped_dir("templates") == inside


def test_an_incomplete_installation_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "grader")
    with pytest.raises(GraderError, match="pip install"):
        resources.shipped_dir("reference")
