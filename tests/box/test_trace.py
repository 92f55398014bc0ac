"""What a trace notes of a call, and what it lets pass."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

import pytest
import torch

from grader.box import trace as room
from grader.box.calls import Calls
from grader.box.trace import MAX_RAN, Trace
from grader.wire import messages as m
from grader.wire import values

CELL = "/cells/3.py"
X = torch.randn(2, 3)
LINEAR = "torch._C._nn.linear"
"""What `torch.nn.functional.linear` is called by torch itself."""


class Box:
    """A notebook of one cell, whose functions are called as the judge calls them."""

    def __init__(self) -> None:
        # A notebook's classes are of the module `__main__`.
        self.names: dict[str, Any] = {"__name__": "__main__", "torch": torch}
        self.trace = Trace(lambda file: "cell 3" if file == CELL else "")
        self._calls = Calls(self.names, frozenset(), self.trace)

    def cell(self, source: str) -> None:
        exec(compile(textwrap.dedent(source), CELL, "exec"), self.names)

    def watch(self, *names: str, prefixes: Iterable[str] = ()) -> None:
        self._ask(m.Watch(names=list(names), prefixes=list(prefixes)))

    def call(self, name: str, *args: object) -> list[m.Ran]:
        """What is noted of a call of the notebook's function."""
        blobs: list[values.Blob] = []
        given = [self._given(value, blobs) for value in args]
        self._ask(m.Act(verb="call", target=self._held(name), args=given), blobs)
        return self.trace.take()

    def run(self, source: str, *args: object) -> list[m.Ran]:
        """What is noted of a suite's function `check`; arguments that are text are names."""
        blobs: list[values.Blob] = []
        check = values.FunctionSource(
            name="check", source=textwrap.dedent(source), globals={"torch": "module:torch"}
        )
        given = [self._given(value, blobs) for value in args]
        self._ask(m.RunFunction(function=values.encode(check, blobs), args=given), blobs)
        return self.trace.take()

    def _given(self, value: object, blobs: list[values.Blob]) -> values.Tree:
        return self._held(value) if isinstance(value, str) else values.encode(value, blobs)

    def _held(self, name: str) -> values.Tree:
        reply, _ = self._calls.answer(m.Fetch(name=name, timeout_s=1), [])
        assert isinstance(reply, m.Value)
        return reply.value

    def _ask(self, request: m.Request, blobs: Iterable[values.Blob] = ()) -> None:
        self._calls.answer(request, [memoryview(bytes(blob)) for blob in blobs])


@pytest.fixture
def box() -> Box:
    return Box()


def names(found: Iterable[m.Ran]) -> list[str]:
    return [one.name for one in found]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("torch.softmax(x, 1)", "torch._VariableFunctionsClass.softmax"),  # torch's own name of it
        ("x.softmax(1)", "torch.Tensor.softmax"),
        ("torch.nn.functional.softmax(x, 1)", "torch.nn.functional.softmax"),
        ("torch.Tensor.softmax(x, 1)", "torch.Tensor.softmax"),
        ("getattr(x, 'xamtfos'[::-1])(1)", "torch.Tensor.softmax"),
    ],
)
def test_a_function_is_noted_by_the_name_it_is_called_by(box: Box, body: str, name: str) -> None:
    box.watch("softmax")
    box.cell(f"def f(x):\n    return {body}")
    found = box.call("f", X)
    assert name in names(found)
    assert {(one.cell, one.line, *one.by) for one in found} == {(3, 2, "f")}


@pytest.mark.parametrize(
    "body",
    [
        "torch.ops.aten._softmax(x, 1, False)",
        "torch.ops.aten._softmax.default(x, 1, False)",
        "torch.ops.aten.softmax.int(x, 1)",
        "torch.softmax(x, 1)",
        "torch.nn.Softmax(1)(x)",
    ],
)
def test_the_operator_below_is_noted_whatever_it_was_called_by(box: Box, body: str) -> None:
    box.watch("_softmax")
    box.cell(f"f = lambda x: {body}")
    assert "aten::_softmax" in names(box.call("f", X))


def test_text_that_a_cell_evaluates_is_of_the_line_that_evaluates_it(box: Box) -> None:
    box.watch("softmax")
    box.cell("def f(x):\n    y = x\n    return eval('y.softmax(1)')")
    (found,) = box.call("f", X)
    assert (found.cell, found.line, found.by) == (3, 3, ["<module>", "f"])


def test_functions_that_torch_makes_by_one_function_keep_their_own_names(box: Box) -> None:
    box.watch("max_pool1d", "max_pool2d")
    box.cell("def f(x):\n    return torch.nn.functional.max_pool2d(x[None], 2)")
    box.cell("def g(x):\n    return torch.nn.MaxPool1d(2)(x)")
    assert names(box.call("f", X)) == ["torch.nn.functional.max_pool2d"]
    assert names(box.call("g", X)) == ["torch.nn.functional.max_pool1d"]


def test_what_is_not_watched_for_is_not_noted(box: Box) -> None:
    box.watch("softmax", "_softmax")
    box.cell("def f(x):\n    return x.exp() / x.exp().sum(1, keepdim=True)")
    assert box.call("f", X) == []


def test_a_function_of_the_students_own_of_that_name_is_no_function_of_torch(box: Box) -> None:
    box.watch("softmax", "_softmax")
    box.cell("def softmax(x):\n    return x.exp() / x.exp().sum(1, keepdim=True)")
    box.cell("def f(x):\n    return softmax(x)")
    assert box.call("f", X) == []


LAYER = ["torch.nn.modules.linear.Linear"]


def test_a_layer_is_noted_by_what_runs_in_it(box: Box) -> None:
    box.watch(prefixes=LAYER)
    box.cell("hidden = torch.nn.Linear(3, 4)\ndef f(x):\n    return hidden(x)")
    (found, *_) = box.call("f", X)
    assert found.name == LINEAR
    assert "torch.nn.modules.linear.Linear.forward" in found.through
    assert (found.by, found.cell, found.line) == (["f"], 3, 3)


@pytest.mark.parametrize("layer", ["Conv1d(2, 2, 1)", "Bilinear(3, 3, 1)", "Identity()"])
def test_another_layer_is_not_taken_for_it(box: Box, layer: str) -> None:
    box.watch(prefixes=LAYER)
    box.cell(f"other = torch.nn.{layer}\ndef f(x):\n    return other(*inputs(x))")
    box.cell("def inputs(x):\n    return (x, x) if 'Bilinear' in str(other) else (x,)")
    assert box.call("f", X) == []


def test_what_is_watched_for_may_change(box: Box) -> None:
    box.cell("hidden = torch.nn.Linear(3, 4)\ndef f(x):\n    return hidden(x).softmax(1)")
    for _ in range(2):
        box.watch(prefixes=LAYER)
        found = names(box.call("f", X))
        assert LINEAR in found
        assert "torch.Tensor.softmax" not in found
        box.watch("softmax")
        assert names(box.call("f", X)) == ["torch.Tensor.softmax"]


def test_what_the_suites_own_code_calls_is_not_noted(box: Box) -> None:
    box.watch("softmax", "_softmax")
    box.cell("def f(x):\n    return x")
    check = """
        def check(f, x):
            def inner():
                return torch.softmax(x, 1), [part.softmax(0) for part in x]
            return f(x), inner()
        """
    assert box.run(check, "f", X) == []


def test_what_the_student_calls_below_the_suites_code_is_noted(box: Box) -> None:
    box.watch("softmax")
    box.cell("def f(x):\n    return x.softmax(1)")
    found = box.run("def check(f, x):\n    return torch.softmax(x, 1), f(x)", "f", X)
    assert names(found) == ["torch.Tensor.softmax"]
    assert found[0].by == ["f"]


def test_a_module_that_the_student_handed_over_is_theirs_though_the_suite_calls_it(
    box: Box,
) -> None:
    box.watch(prefixes=LAYER)
    box.cell("model = torch.nn.Sequential(torch.nn.Linear(3, 4))")
    assert LINEAR in names(box.run("def check(model, x):\n    return model(x)", "model", X))
    assert LINEAR in names(box.call("model", X))


def test_a_module_that_the_suite_makes_itself_is_not_the_students(box: Box) -> None:
    box.watch(prefixes=LAYER)
    assert box.run("def check(x):\n    return torch.nn.Linear(3, 4)(x)", X) == []


def test_a_kind_of_layer_that_the_student_defined_is_theirs_wherever_it_is_made(box: Box) -> None:
    box.watch(prefixes=LAYER)
    box.cell("class Mine(torch.nn.Linear):\n    pass")
    assert LINEAR in names(box.run("def check(kind, x):\n    return kind(3, 4)(x)", "Mine", X))


def test_nothing_is_traced_while_nothing_is_watched_for(box: Box) -> None:
    box.cell(
        """
        from torch.overrides import _get_current_function_mode as mode
        seen = []
        def f(x):
            seen.append(type(mode()).__name__)
            return x.softmax(1)
        """
    )
    assert box.call("f", X) == []
    box.watch("softmax")
    assert box.call("f", X)
    box.watch()
    assert box.call("f", X) == []
    assert box.names["seen"] == ["NoneType", "_Functions", "NoneType"]


def test_nothing_is_noted_between_calls(box: Box) -> None:
    box.watch("softmax")
    box.cell("def f(x):\n    return x.softmax(1)")
    assert box.call("f", X)
    box.names["f"](X)
    assert box.trace.take() == []


def test_a_call_that_raises_ends_the_trace_and_what_ran_is_kept(box: Box) -> None:
    box.watch("softmax")
    box.cell("def f(x):\n    x.softmax(1)\n    raise ValueError('no')")
    with pytest.raises(ValueError, match="no"):
        box.call("f", X)
    assert names(box.trace.take()) == ["torch.Tensor.softmax"]
    assert torch.overrides._get_current_function_mode() is None


def test_only_so_many_events_of_a_call_are_looked_at(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_EVENTS", 50)
    box.watch("softmax")
    box.cell("def f(x, n):\n    for _ in range(n):\n        x + 1\n    return x.softmax(1)")
    assert box.call("f", X, 10)
    assert box.call("f", X, 60) == []
    assert box.call("f", X, 10), "each call begins its own count"


def test_what_is_the_same_is_noted_once_and_what_differs_to_a_number(box: Box) -> None:
    box.watch("softmax")
    box.cell("def f(x):\n    for _ in range(9):\n        x.softmax(1)")
    assert len(box.call("f", X)) == 1
    box.cell("def f(x):\n" + "    x.softmax(1)\n" * 2 * MAX_RAN)
    assert len(box.call("f", X)) == MAX_RAN


def test_a_student_who_takes_the_trace_off_breaks_nothing_of_ours(box: Box) -> None:
    box.watch("softmax")
    box.cell("from torch.overrides import _pop_mode\ndef f(x):\n    _pop_mode()\n    return x")
    assert box.call("f", X) == []
    assert torch.overrides._get_current_function_mode() is None
    box.cell("def f(x):\n    return x.softmax(1)")
    assert box.call("f", X), "the next call is traced again"
