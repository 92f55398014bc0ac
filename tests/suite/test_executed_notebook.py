"""What a suite reads of the executed notebook, without trusting anything in it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from grader.suite.executed_notebook import ExecutedNotebook
from grader.suite.failures import MissingName, NotPlain

PNG = b"\x89PNG...."


def code(source: Any, *outputs: Any, **extra: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), **extra}


def view(*cells: Any, answers: dict[str, str] | None = None) -> ExecutedNotebook:
    return ExecutedNotebook({"cells": list(cells)}, answers or {})


def test_cell_by_id_or_tag_with_its_outputs() -> None:
    notebook = view(
        code("1/0", id="other"),
        code(
            ["x = 1\n", "x"],
            {"output_type": "stream", "name": "stdout", "text": ["step 1\n", "step 2\n"]},
            {"output_type": "execute_result", "data": {"text/plain": "1"}},
            {
                "output_type": "display_data",
                "data": {"image/png": base64.encodebytes(PNG).decode(), "text/plain": "<Figure>"},
            },
            {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []},
            id="abc",
            metadata={"tags": ["train"]},
        ),
    )
    cell = notebook.cell("train")
    assert cell is notebook.cell("abc")
    assert cell.source == "x = 1\nx"
    assert cell.text == "step 1\nstep 2\n1\n<Figure>"
    assert cell.images == [PNG]
    assert cell.error == "ValueError: no"
    assert notebook.cell("other").error is None


def test_cell_that_is_not_there_is_the_students_to_mend() -> None:
    with pytest.raises(NotPlain, match="has no cell train"):
        view().cell("train")


@pytest.mark.parametrize(
    "notebook",
    [
        {},
        {"cells": None},
        {"cells": [None, 3, {"cell_type": 1, "source": {"a": 1}, "outputs": "x", "id": []}]},
        {"cells": [code("", {"output_type": [], "data": [1], "text": 3}, None, metadata=[])]},
        {"cells": [code("", {"output_type": "display_data", "data": {"image/png": "!"}})]},
        {"cells": [code("", metadata={"tags": [1, None]})]},
    ],
)
def test_absurd_notebooks_are_read_as_far_as_they_go(notebook: Any) -> None:
    seen = ExecutedNotebook(notebook, {})
    for cell in seen.cells:
        assert isinstance(cell.text, str)
        assert cell.images == []
        assert cell.error is None
    assert not seen.defines("f")


def test_source_of_functions_classes_and_values_with_decorators() -> None:
    notebook = view(
        code(
            "import torch\n@torch.no_grad()\ndef f(x):\n    return x\n\nlr = 0.1  # rate\n"
            "a, b = 1, 2"
        ),
        code("class Net:\n    def forward(self): pass\nrate: float = 2"),
        code("if True:\n    def inner(): pass\ntry:\n    z = 1\nexcept Exception:\n    y = 2"),
    )
    assert notebook.source("f") == "@torch.no_grad()\ndef f(x):\n    return x"
    assert notebook.source("lr") == "lr = 0.1  # rate"
    assert notebook.source("b") == "a, b = 1, 2"
    assert notebook.source("Net").startswith("class Net:")
    for name in ("rate", "inner", "z", "y"):
        assert notebook.defines(name)
    with pytest.raises(MissingName):
        notebook.source("forward")


def test_last_definition_counts_in_the_notebooks_order() -> None:
    notebook = view(code("def f(): return 1"), code("def f(): return 2\nf = f"), code("x = 1"))
    assert notebook.source("f") == "f = f"


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\n!pip install x\nf?\ndef f(): return 1",
        "%%time\ndef f(): return 1",
        "files = !ls\nt = %time 1\ndef f(): return 1",
        "if True:\n    %pip install y\ndef f(): return 1",
    ],
)
def test_magics_do_not_hide_what_a_cell_defines(cell: str) -> None:
    notebook = view(code("def broken(:"), code(cell), code("%%bash\ndef g(): pass"))
    assert notebook.source("f") == "def f(): return 1"
    assert not notebook.defines("g")


def test_text_that_looks_like_a_magic_stays_in_readable_cells() -> None:
    source = 'def f():\n    """\n! not a magic\n    """'
    assert view(code(source)).source("f") == source


def test_calls_resolve_imports_and_follow_the_notebooks_own_functions() -> None:
    notebook = view(
        code(
            "import torch.nn.functional as F\nfrom torch import exp as e, nn\nimport torch.special"
        ),
        code(
            "def helper(x):\n    return F.log_softmax(x, -1)\n"
            "def softmax(x):\n"
            "    import numpy as np\n"
            "    y = e(x - x.max()) + np.exp(0) + torch.special.erf(x)\n"
            "    return helper(y) / (y + 1).sum()\n"
            "class Net(nn.Module):\n    def __init__(self):\n        self.a = nn.Linear(1, 1)\n"
        ),
    )
    assert notebook.calls("softmax") == {
        "torch.exp",
        "x.max",
        "numpy.exp",
        "torch.special.erf",
        "helper",
        "torch.nn.functional.log_softmax",
        "?.sum",
    }
    assert "torch.nn.Linear" in notebook.calls("Net")
    assert "torch.nn.Module" in notebook.uses("Net")


def test_alias_of_a_library_function_is_a_call_of_it() -> None:
    notebook = view(
        code("import torch\nsoftmax = torch.softmax\ndef f(x): g = torch.relu; return g(x)")
    )
    assert notebook.calls("softmax") == {"torch.softmax"}
    assert "torch.relu" in notebook.uses("f")


@pytest.mark.parametrize(
    "hidden",
    ["getattr(torch, 'soft' + 'max')", "eval('torch.softmax')", "vars(torch)['softmax']"],
)
def test_call_by_a_fixed_text_is_a_call(hidden: str) -> None:
    notebook = view(code(f"import torch\ndef f(x): return {hidden}(x, 1)"))
    assert "torch.softmax" in notebook.calls("f")
    assert "torch.softmax" in notebook.uses("f")


def test_functions_that_call_each_other_are_followed_once() -> None:
    notebook = view(code("def f(): g()\ndef g(): f(); h()\ndef h(): print(1)"))
    assert notebook.calls("f") == {"f", "g", "h", "print"}


def test_cells_that_no_parser_takes_are_left_out() -> None:
    hostile = ["(" * 50_000, "x = " + "-" * 100_000 + "1", "\0", "def f():\n\treturn\n        1"]
    notebook = view(*(code(source) for source in hostile), code("y = 1"))
    assert notebook.defines("y")


def test_written_answers() -> None:
    assert view(answers={"q7": "Because."}).answers == {"q7": "Because."}
