"""What is said of installing never names another project's package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from grader.installation import install_extra

ROOT = Path(__file__).parents[1]
_BY_NAME = re.compile(r"pip3? install(?: +-\S+)* +[\"']?grader(?:[\[\"'\s`,;.:)]|$)", re.M)
_SUFFIXES = (".py", ".md", ".j2", ".ipynb", ".toml", "")


def _texts() -> list[Path]:
    roots = ("grader", "docs", "templates", "assignments", "reference", "benchmarks", ".ci")
    found = [path for root in roots for path in (ROOT / root).rglob("*")]
    found += [path for path in ROOT.glob("*") if path.suffix in (".md", ".toml")]
    return [p for p in (*found, ROOT / "Makefile") if p.suffix in _SUFFIXES and p.is_file()]


def test_nothing_says_to_install_by_the_name_that_is_another_projects() -> None:
    texts = _texts()
    assert ROOT / "README.md" in texts and ROOT / "docs/how-to/run-the-desk.md" in texts
    for path in texts:
        found = _BY_NAME.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{path}: {found}"


@pytest.mark.parametrize(
    "said", ["pip install 'grader[desk]'", "pip install --upgrade grader", "`pip install grader`"]
)
def test_the_search_finds_what_it_looks_for(said: str) -> None:
    assert _BY_NAME.search(said)


@pytest.mark.parametrize("said", ["pip install .", "pip install grader-check.whl", "grader grade"])
def test_and_nothing_else(said: str) -> None:
    assert not _BY_NAME.search(said)


def test_an_extra_that_is_named_exists() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "grader").rglob("*.py"))
    named = set(re.findall(r"install_extra\([\"'](\w+)[\"']\)", source))
    assert {"desk", "postgresql", "cluster", "pdf"} <= named
    assert named <= set(declared["optional-dependencies"])
    assert all(f"'.[{name}]'" in install_extra(name) for name in named)
