"""Rules held against what a box says that ran."""

from __future__ import annotations

import pytest

from grader.course.spec import Rules
from grader.rules.reading import Reading
from grader.rules.violation import Violation
from grader.wire.messages import Ran
from tests.rules.readings import LINEAR, SOFTMAX, book_of

FORWARD = "torch.nn.modules.linear.Linear.forward"


def traced(
    forbid: str, *ran: Ran, used: frozenset[str] = frozenset({"f"})
) -> tuple[Violation, ...]:
    book = book_of(Rules(forbid=(forbid,), names=("f",)))
    return Reading(book, ["def f(x):\n    return hidden(x)\n"]).of_test("q1", used, ran)


@pytest.mark.parametrize(
    ("forbid", "ran"),
    {
        "as torch names its own": (
            "torch.nn.functional.dropout",
            Ran(name="torch._VariableFunctionsClass.dropout"),
        ),
        "as the layers call it": (
            "torch.nn.functional.linear",
            Ran(name="torch._C._nn.linear", through=[FORWARD]),
        ),
        "method": (SOFTMAX, Ran(name="torch.Tensor.softmax")),
        "operator": (SOFTMAX, Ran(name="aten::_softmax")),
        "operator of a convolution": ("torch.nn.functional.conv2d", Ran(name="aten::convolution")),
        "operator of a pooling": (
            "torch.nn.functional.max_pool2d",
            Ran(name="aten::max_pool2d_with_indices"),
        ),
        "inside a layer": (LINEAR, Ran(name="aten::addmm", through=[FORWARD])),
        "inside a layer's own kind": (
            "torch.nn.LSTM",
            Ran(name="aten::mm", through=["torch.nn.modules.rnn.LSTM.forward"]),
        ),
    }.values(),
)
def test_what_ran_is_known_by_whatever_name(forbid: str, ran: Ran) -> None:
    (violation,) = traced(forbid, ran)
    assert (violation.rule, violation.seen) == (forbid, "trace")
    assert "_VariableFunctions" not in violation.sentence


@pytest.mark.parametrize(
    ("forbid", "ran"),
    {
        "another function": (SOFTMAX, Ran(name="torch.Tensor.log_softmax")),
        "what a linear layer runs, by hand": (LINEAR, Ran(name="aten::addmm")),
        "another layer": (
            LINEAR,
            Ran(name="aten::addmm", through=["torch.nn.modules.linear.Bilinear.forward"]),
        ),
        "a name that only begins so": (LINEAR, Ran(name="torch.nn.modules.linear.LinearX")),
        "what a module has imported": (
            "torch.nn.functional",
            Ran(name="torch.Tensor.exp"),
        ),
        "nothing that exists": (SOFTMAX, Ran(name="torch.nowhere")),
    }.values(),
)
def test_what_only_resembles_it_breaks_no_rule(forbid: str, ran: Ran) -> None:
    assert not traced(forbid, ran)


def test_what_ran_for_other_names_of_the_notebook_is_not_of_the_rule() -> None:
    ran = Ran(name="torch.Tensor.softmax")
    assert not traced(SOFTMAX, ran, used=frozenset({"g"}))
    assert traced(SOFTMAX, Ran(name="torch.Tensor.softmax", by=["f"]), used=frozenset({"g"}))


def test_what_another_questions_rule_covers_is_charged_there_and_not_where_it_is_used() -> None:
    book = book_of(
        Rules(forbid=(SOFTMAX,), names=("f",)), Rules(forbid=(SOFTMAX,), names=("g",)), None
    )
    cells = ["def f(x):\n    return x.softmax(1)\n", "def g(x):\n    return f(x)\n"]
    ran = [Ran(name="torch.Tensor.softmax", by=["f", "g"], cell=1, line=2)]
    reading = Reading(book, cells)
    assert reading.of_test("q1", frozenset({"f"}), ran)
    assert not reading.of_test("q2", frozenset({"g"}), ran)
    assert not reading.of_test("q3", frozenset({"g", "f"}), ran)


def test_the_line_that_a_box_names_is_shown_only_where_the_notebook_has_it() -> None:
    (there,) = traced(SOFTMAX, Ran(name="torch.softmax", by=["f"], cell=1, line=2))
    assert (there.cell, there.line, there.text) == (1, 2, "return hidden(x)")
    (nowhere,) = traced(SOFTMAX, Ran(name="torch.softmax", by=["f"], cell=7, line=2))
    assert (nowhere.cell, nowhere.line, nowhere.text) == (0, 0, "")
