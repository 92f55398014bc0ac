"""What is said of a notebook that stopped: the first cause, and what it cost."""

from __future__ import annotations

from decimal import Decimal

from grader.sandbox.base import CellResult
from grader.suite.causes import MAX_SOURCE, Causes, causes
from grader.suite.results import TestOutcome, TestResult


def ended(*sources: str, **errors: tuple[int, str, str]) -> list[CellResult]:
    """Results of cells; `c2=(line, error, text)` says how the second one stopped."""
    results = []
    for number, _ in enumerate(sources, 1):
        line, name, text = errors.get(f"c{number}", (0, "", ""))
        output = {"output_type": "error", "ename": name, "evalue": text, "traceback": []}
        results.append(
            CellResult(
                index=number,
                status="error" if name else "ok",
                outputs=[output] if name else [],
                error=name,
                line=line,
            )
        )
    return results


def said(
    *sources: str, tests: tuple[TestResult, ...] = (), **errors: tuple[int, str, str]
) -> Causes:
    return causes(sources, ended(*sources, **errors), tests)


def lacking(name: str) -> TestResult:
    return TestResult(
        name=f"test_{name}",
        question="q1",
        points=Decimal(0),
        max_points=Decimal(1),
        outcome=TestOutcome.STUDENT_ERROR,
        message=f"The notebook does not define {name}.",
    )


PANDAS = (1, "ModuleNotFoundError", "No module named 'pandas'")
NO_TORCH = (1, "NameError", "name 'torch' is not defined")


def test_the_import_that_stopped_the_first_cell_is_the_cause_and_its_consequences_are_not() -> None:
    found = said(
        "import pandas as pd\nimport torch\nimport torch.nn as nn\nimport math\nn = 1\nm = 2",
        "net = torch.nn.Linear(n, m)",
        "def f(x):\n    return nn.functional.relu(x) + math.pi + pd.x",
        c1=PANDAS,
        c2=NO_TORCH,
    )
    assert found.notes == (
        "cell 1 stopped at `import pandas as pd`, which is not installed here; "
        "`pd` and 5 other names were never defined",
    )
    assert found.missing_modules == ("pandas",)


def test_of_several_modules_the_one_that_is_missing_is_named() -> None:
    missing = (1, "ModuleNotFoundError", "No module named 'torchvision'")
    for source in ("import torch, torchvision", "from my_utils import plot", "load()"):
        (note,) = said(source, c1=missing).notes
        assert note == f"cell 1 stopped at `{source}`: torchvision is not installed here"
    for source in ("import torchvision.io", "from torchvision import io"):
        (note,) = said(source, c1=missing).notes
        assert note.startswith(f"cell 1 stopped at `{source}`, which is not installed here")


def test_what_was_defined_before_the_stop_or_elsewhere_is_not_lost() -> None:
    found = said(
        "import torch\nimport pandas\nx = 1",
        "x = 2",
        "y = torch.ones(x)",
        c1=(2, "ModuleNotFoundError", "No module named 'pandas'"),
    )
    assert found.notes == ("cell 1 stopped at `import pandas`, which is not installed here",)


def test_a_stop_that_costs_no_name_is_no_cause() -> None:
    assert said("1 / 0", "print(f(1))", c1=(1, "ZeroDivisionError", "")).notes == ()


def test_the_line_is_the_one_of_the_cell_as_written() -> None:
    found = said("\n\nx = 1\ny = x.nothing", "print(y)", c1=(2, "AttributeError", "no"))
    [note] = found.notes
    assert note == "cell 1 stopped at `y = x.nothing` with AttributeError; `y` was never defined"


def test_names_that_only_the_tests_ask_for_are_lost_too() -> None:
    tests = (lacking("softmax"),)
    found = said("open('/content/x')\ndef softmax(x): ...", tests=tests, c1=(1, "OSError", ""))
    assert found.notes[0].endswith("with OSError; `softmax` was never defined")


def test_installing_without_a_network_is_explained() -> None:
    found = said(
        "!pip install einops\nimport einops",
        c1=(2, "ModuleNotFoundError", "No module named 'einops'"),
    )
    assert "`!pip install` does nothing: there is no network" in found.notes[0]


def test_a_gpu_that_is_not_there_is_the_cause() -> None:
    text = "Torch not compiled with CUDA enabled"
    found = said("net = f().cuda()", "net(1)", c1=(1, "AssertionError", text))
    assert found.notes[0].startswith("cell 1 stopped at `net = f().cuda()`, which needs a GPU")


def test_a_cell_with_a_syntax_error_names_what_it_would_have_defined() -> None:
    found = said("def f(x:\n    pass\nn = 1", "f(n)", c1=(0, "SyntaxError", "invalid syntax"))
    assert found.notes == ("cell 1 stopped with a syntax error; `f` and `n` were never defined",)


def test_a_file_that_was_handed_in_and_not_taken_is_named() -> None:
    cells = ("import my_utils",)
    results = ended(*cells, c1=(1, "ModuleNotFoundError", "No module named 'my_utils'"))
    [note] = causes(cells, results, not_taken={"my_utils.py"}).notes
    assert note.endswith("which is next to the notebook, but is not requested and not used")


def test_a_name_defined_twice_is_said_with_its_cells() -> None:
    found = said("import torch", "", "", "def helper(x): return x", "", "", "def helper(a): ...")
    assert found.notes == ("`helper` is defined in cells 4 and 7; the last one counts",)


def test_the_same_definition_twice_is_not_worth_a_word() -> None:
    assert said("def f(): return 1", "def f():  # again\n    return 1").notes == ()


def test_a_notebook_with_none_of_the_asked_names_may_be_anothers() -> None:
    tests = (lacking("softmax"), lacking("cross_entropy"))
    assert said("def lstm(): ...", tests=tests).notes == (
        "the notebook defines none of the required names (`softmax`, `cross_entropy`): "
        "is it another assignment's?",
    )
    assert said("def softmax(): ...", tests=(*tests, lacking("x"))).notes == ()


def test_what_is_made_to_be_slow_or_too_deep_is_not_read() -> None:
    assert said("x = 1\n" * MAX_SOURCE) == Causes()
    deep = "x = " + "-" * 3_000 + "1"
    assert isinstance(said(deep, deep), Causes)


def test_a_compiler_that_is_not_there_is_the_cause() -> None:
    text = "No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')"
    test = TestResult(
        name="test_fast",
        question="q1",
        points=Decimal(0),
        max_points=Decimal(1),
        outcome=TestOutcome.STUDENT_ERROR,
        message=f"InductorError: InvalidCxxCompiler: {text}",
    )
    sources = ["def slow(x): return x", "fast = torch.compile(slow)"]
    found = causes(sources, ended(*sources), [test])
    assert found.notes == (
        "the required code needs a C++ compiler; there is none here "
        '(`torch.compile(…, backend="eager")` needs none)',
    )
