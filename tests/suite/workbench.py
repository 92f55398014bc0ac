"""Helpers for small suites, written to a temporary folder and run against the fake box."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.randomness import Seeds
from grader.suite.results import TestResult
from grader.suite.running import CollectedSuite, collect_suite
from tests.suite.fake_box import FakeBox

HEAD = "import pytest, torch\nfrom torch.testing import assert_close\n"


class Workbench:
    """Writes suites and judges sources with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "hidden"
        self.folder.mkdir()
        self.reference: Path | None = None

    def suite(self, text: str, name: str = "test_q1.py") -> None:
        (self.folder / name).write_text(HEAD + textwrap.dedent(text))

    def solution(self, text: str) -> None:
        self.reference = self.folder.parent / "solution.py"
        self.reference.write_text(textwrap.dedent(text))

    def collect(self, on_ready: Callable[[CollectedSuite], None]) -> None:
        collect_suite(self.folder, reference_path=self.reference, on_ready=on_ready)

    def plan(self) -> Any:
        plans = []
        self.collect(lambda suite: plans.append(suite.plan))
        return plans[0]

    def judge(
        self, source: str | FakeBox, notebook: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, TestResult]:
        box = source if isinstance(source, FakeBox) else FakeBox(textwrap.dedent(source))
        options = {"seeds": Seeds(1), **options}
        results: list[TestResult] = []
        view = ExecutedNotebook(notebook or {}, {})
        self.collect(lambda suite: results.extend(suite.run(box, view, **options)))
        return {result.name: result for result in results}

    def judge_one(self, source: str | FakeBox, **options: Any) -> TestResult:
        (result,) = self.judge(source, **options).values()
        return result
