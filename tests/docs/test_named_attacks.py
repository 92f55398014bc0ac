"""A comment that names an attack names one that is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"\b(?:cheat|exhaust|forge|steal)/[a-z]+(?:-[a-z]+)+\b|\bexhaust/inodes\b")


def test_every_attack_that_the_code_names_is_in_the_corpus() -> None:
    named = {
        name
        for file in (ROOT / "grader").rglob("*.py")
        for name in _NAMED.findall(file.read_text())
    }
    assert len(named) > 10
    assert [
        name for name in sorted(named) if not (ROOT / "tests" / "attacks" / name).is_dir()
    ] == []
