"""A grader as most are: the hidden tests run in the student's own process.

    python -m tests.attacks.weakened.peer

It reads one JSON document a line on its standard input: a folder that holds `submission.ipynb` and
`tests/`, and rules that make it weaker still. For each it forks, runs the notebook, then pytest
next to the student's names, and takes the score from the `results.json` that lies there afterwards.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

STOPS_AT_ERROR = "stops-at-error"
STDERR_FAILS = "stderr-fails"
EXACT = "exact"
AS_SCRIPT = "as-script"
FUNCTIONS_ONLY = "functions-only"
LAST_LINE = "last-line"
IN_COUNT_ORDER = "in-count-order"
CELLS_BY_ID = "cells-by-id"
KNOWN_KERNEL = "known-kernel"
STRICT_FORMAT = "strict-format"
DISTRUSTS_PRINTS = "distrusts-prints"
TESTS_INLINE = "tests-inline"
FAILURES_COUNT = "failures-count"
FIXED_SEED = "fixed-seed"
SLOPPY = "sloppy"
SMALL_FILES = "small-files"
STRICT_JSON = "strict-json"
PLAIN_JSON = "plain-json"
ASCII = "ascii"
EXACT_NUMBERS = "exact-numbers"
KNOWN_OUTPUTS = "known-outputs"
SEARCHES_TEXT = "searches-text"
IN_ITS_FOLDER = "in-its-folder"


class StoppedError(Exception):
    """The notebook can't be graded, says this grader."""


class Fixtures:
    """The suite's fixtures, on the student's own objects; counts the points."""

    def __init__(self, names: dict[str, Any], reference: Any, rules: set[str]) -> None:
        self._names = names
        self._reference = reference
        self._rules = rules
        self.score = 0.0
        self.tests: dict[str, str] = {}

    def plugin(self) -> Any:
        import pytest
        import torch

        names, reference, tally = self._names, self._reference, self
        good = {"passed", "skipped"} if FAILURES_COUNT in self._rules else {"passed"}
        fixed = FIXED_SEED in self._rules

        class Namespace:
            def __getattr__(self, name: str) -> Any:
                return names[name]

            def __getitem__(self, name: str) -> Any:
                return names[name]

            def run(self, function: Any, *args: Any, **kwargs: Any) -> Any:
                return function(*args, **kwargs)

        class Plugin:
            @pytest.fixture(name="student")
            def student(self) -> Any:
                if fixed:
                    torch.manual_seed(0)
                return Namespace()

            @pytest.fixture(name="reference")
            def reference(self) -> Any:
                return reference

            def pytest_configure(self, config: Any) -> None:
                for mark in ("points(n)", "question(id)"):
                    config.addinivalue_line("markers", mark)

            @pytest.hookimpl(hookwrapper=True)
            def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
                outcome = yield
                report = outcome.get_result()
                if report.when == "call":
                    mark = item.get_closest_marker("points")
                    shares = 2 if "[" in item.name else 1
                    tally.tests[item.name] = report.outcome
                    if report.outcome in good:
                        tally.score += mark.args[0] / shares

        return Plugin()


def grade(folder: Path, rules: set[str]) -> None:
    """Run the notebook and the suite in this process, then write `results.json`."""
    import importlib.util

    import nbformat
    import pytest
    import torch

    os.chdir(folder)
    sys.path.append(str(folder))  # as a kernel has it, if not in front
    if SMALL_FILES in rules and (folder / "submission.ipynb").stat().st_size > 10 << 20:
        raise StoppedError("the file is too large")
    if STRICT_JSON in rules:
        import msgspec

        msgspec.json.decode((folder / "submission.ipynb").read_bytes())
    if PLAIN_JSON in rules:
        json.loads((folder / "submission.ipynb").read_bytes())["cells"]
    if ASCII in rules:
        (folder / "submission.ipynb").read_bytes().decode("ascii")
    notebook = nbformat.read(folder / "submission.ipynb", as_version=4)
    if STRICT_FORMAT in rules:
        nbformat.validate(notebook)
    if KNOWN_KERNEL in rules and notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        raise StoppedError("no such kernel")
    cells = [c for c in notebook.cells if c.cell_type == "code"]
    if KNOWN_OUTPUTS in rules and any("error" in str(c.outputs) for c in cells):
        raise StoppedError("the notebook was handed in with an error")
    if SEARCHES_TEXT in rules and any("topk" in c.source for c in cells):
        raise StoppedError("the notebook uses what is forbidden")
    if CELLS_BY_ID in rules:
        released = json.loads((folder / "released.json").read_text())
        by_id = {c.get("id"): c for c in cells}
        cells = [by_id[i] for i in released]
    if IN_COUNT_ORDER in rules:
        cells.sort(key=lambda c: c.get("execution_count") or 0)
    names = run_cells([c.source for c in cells], rules)
    spec = importlib.util.spec_from_file_location("reference", folder / "reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    if EXACT in rules:
        torch.testing.assert_close = _exactly
    if EXACT_NUMBERS in rules:
        pytest.approx = lambda expected: _Exact(expected)
    if SLOPPY in rules:
        torch.testing.assert_close = _sloppily
        torch.allclose = torch.Tensor.allclose = _sloppily_close  # type: ignore[assignment]
    fixtures = Fixtures(names, reference, rules)
    plugin, more = fixtures.plugin(), []
    if IN_ITS_FOLDER in rules:
        _as_started_in(folder)
        more = ["--rootdir", str(folder)]
    if TESTS_INLINE in rules:
        _run_inline(fixtures, folder, names, reference)
        return
    pytest.main(
        [
            *("tests", "-q", "-p", "no:cacheprovider", "-p", "no:grader"),
            *("--import-mode=importlib", *more),
        ],
        plugins=[plugin],
    )
    result = {"score": fixtures.score, "tests": fixtures.tests}
    Path("results.json").write_text(json.dumps(result))
    sys.stdout.flush()
    print(json.dumps(result), flush=True)


def run_cells(sources: list[str], rules: set[str]) -> dict[str, Any]:
    """Run the cells; return the student's names."""
    if AS_SCRIPT in rules:
        names: dict[str, Any] = {"__name__": "submission"}
        exec(compile("\n".join(sources), "submission.py", "exec"), names)
        return names
    if FUNCTIONS_ONLY in rules:
        return _functions(sources)
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    for source in sources:
        done = shell.run_cell(source)
        if STOPS_AT_ERROR in rules and not done.success:
            raise StoppedError(str(done.error_in_exec or done.error_before_exec))
    sys.stderr.flush()
    return shell.user_ns


def _functions(sources: list[str]) -> dict[str, Any]:
    """The imports and the first definition of each function, taken from the syntax."""
    names: dict[str, Any] = {"__name__": "submission"}
    for source in sources:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        for node in tree.body:
            defined = getattr(node, "name", None)
            if isinstance(node, ast.Import | ast.ImportFrom) or (defined and defined not in names):
                exec(compile(ast.Module([node], []), "submission.py", "exec"), names)
    return names


def _run_inline(fixtures: Fixtures, folder: Path, names: dict[str, Any], reference: Any) -> None:
    """Append the tests as cells of the notebook, as some graders do."""
    from types import SimpleNamespace

    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    names["student"], names["reference"] = SimpleNamespace(**names), reference
    suite = (folder / "tests" / "test_small.py").read_text()
    points = {"test_rows_sum_to_one(student)": 1, "test_accuracy(student, reference)": 1}
    for call, worth in points.items():
        if shell.run_cell(f"{suite}\n{call}").success:
            fixtures.score += worth
    Path("results.json").write_text(json.dumps({"score": fixtures.score, "tests": {}}))


def _as_started_in(folder: Path) -> None:
    """As a process that is started there for the tests: what lies there is imported first."""
    sys.path.insert(0, str(folder))
    for path in folder.iterdir():
        sys.modules.pop(path.stem, None)


class _Exact(float):
    __array_ufunc__ = None  # so that a number of numpy's leaves the comparison to this

    def __eq__(self, other: object) -> bool:
        return type(other) is float and abs(other - self) < 1e-6

    __hash__ = float.__hash__


def _sloppily(actual: Any, expected: Any, **_: Any) -> None:
    assert _sloppily_close(actual, expected)


def _sloppily_close(actual: Any, expected: Any, **_: Any) -> bool:
    import torch

    difference = torch.as_tensor(actual) - torch.as_tensor(expected)
    return not (difference.abs() > 1e-3).any()


def _exactly(actual: Any, expected: Any, **_: Any) -> None:
    import torch

    if isinstance(expected, torch.Tensor):
        assert type(actual) is torch.Tensor and actual.dtype == expected.dtype
        assert actual.stride() == expected.stride() and actual.device == expected.device
        assert not actual.requires_grad
        assert torch.allclose(actual, expected, atol=1e-4)
    else:
        assert type(actual) is type(expected) and abs(actual - expected) < 1e-3


def child(folder: Path, rules: set[str]) -> None:
    """Become the process that grades one notebook; never returns."""
    os.closerange(3, 64)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    errors = os.open(folder / "errors.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(errors if STDERR_FAILS in rules else output, 2)
    os.setsid()
    grade(folder, rules)
    sys.exit(0)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Grade one folder in a fork; say what the results hold, what was put out, how it ended."""
    folder, rules = Path(request["folder"]), set(request["rules"])
    pid = os.fork()
    if pid == 0:
        child(folder, rules)
    until = time.monotonic() + request["seconds"]
    ended, status = 0, 0
    while not ended and time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.01)
    for target in (-pid, pid):
        try:
            os.kill(target, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
    if not ended:
        os.waitpid(pid, 0)
    return {**_results(folder, rules), "hung": not ended, "status": status}


def _results(folder: Path, rules: set[str]) -> dict[str, Any]:
    out = folder / "output.txt"
    text = out.read_bytes()[-200_000:].decode("utf-8", "replace") if out.exists() else ""
    try:
        if LAST_LINE in rules:
            found = json.loads(text.strip().splitlines()[-1])
        else:
            found = json.loads((folder / "results.json").read_text())
        score = float(found["score"])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return {"score": None, "text": text}
    if STDERR_FAILS in rules and (folder / "errors.txt").stat().st_size:
        score = 0.0
    if DISTRUSTS_PRINTS in rules and not text.lstrip().startswith("."):
        score = 0.0
    return {"score": score, "text": text + json.dumps(found)}


def main() -> None:
    """Answer line by line."""
    import IPython.core.interactiveshell  # noqa: F401
    import jupytext  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import nbformat  # noqa: F401
    import pytest  # noqa: F401
    import torch
    import torch.testing

    torch.set_num_threads(1)
    torch.testing.assert_close(torch.ones(1), torch.ones(1))
    results = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        results.write(json.dumps(answer(json.loads(line))) + "\n")
        results.flush()


if __name__ == "__main__":
    main()
