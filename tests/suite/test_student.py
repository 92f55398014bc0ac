"""The proxy of the student's namespace: by value where it can be, `Remote` where it can't."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest
import torch

from grader.errors import BoxCrashed, BoxTimeout, InfrastructureError, SuiteError, WireError
from grader.suite.box_link import BoxLink
from grader.suite.failures import StaleRemote
from grader.suite.student import MAX_ITEMS, MissingName, NotPlain, Remote, Student, StudentError
from grader.wire import messages as m
from tests.suite.fake_box import FakeBox


def student_of(source: str) -> Any:
    return Student(BoxLink(FakeBox(textwrap.dedent(source))))


class Replies:
    """A box that sends what it is told to, as a student who owns the box could."""

    call_timeout_s = 1.0
    generation = 0

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def request(self, request: m.Request, blobs: object = ()) -> tuple[Any, list[memoryview]]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer, []


@pytest.mark.parametrize(
    "value",
    [
        "None",
        "True",
        "10**30",
        "float('inf')",
        "'text'",
        "b'bytes'",
        "[1, (2, {3})]",
        "{'a': range(3)}",
        "torch.Size([2, 3])",
        "torch.float64",
        "np.float32(1.5)",
    ],
)
def test_plain_values_come_by_value(value: str) -> None:
    expected = eval(value, {"torch": torch, "np": np})
    found = student_of(f"x = {value}").x
    assert found == expected
    assert type(found) is type(expected)


def test_nan_equals_nothing() -> None:
    assert student_of("x = float('nan')").x != student_of("x = float('nan')").x


def test_tensor_subclass_that_lies_arrives_as_a_plain_tensor() -> None:
    student = student_of(
        """
        class Liar(torch.Tensor):
            def __eq__(self, other): return True
        x = torch.zeros(2).as_subclass(Liar)
        """
    )
    assert type(student.x) is torch.Tensor
    assert not torch.equal(student.x, torch.ones(2))


def test_inputs_that_student_code_changes_in_place_stay_ours() -> None:
    x = torch.ones(3)
    student_of("def f(x): x.zero_()").f(x)
    assert x.sum() == 3


def test_name_that_a_method_hides_is_an_item() -> None:
    student = student_of("def run(): return 'mine'\nseed = 3")
    assert student["run"]() == "mine"
    assert student["seed"] == 3


def test_missing_name() -> None:
    student = student_of("softmax_ = 1")
    with pytest.raises(MissingName, match=r"does not define softmax\. It defines softmax_\."):
        student.softmax  # noqa: B018
    assert not hasattr(student, "softmax")
    assert not student.has("softmax")
    assert student.has("softmax_")
    assert student.names() == ["softmax_"]


def test_remote_does_what_the_object_does() -> None:
    student = student_of(
        """
        class Box:
            def __init__(self, n): self.n, self.items = n, {'a': 1}
            def __len__(self): return self.n
            def __getitem__(self, key): return self.items[key]
            def __setitem__(self, key, value): self.items[key] = value
            def __contains__(self, key): return key in self.items
            def __iter__(self): return iter(range(self.n))
            def __repr__(self): return 'Box!' * 1000
            def add(self, other, *, by=0): return self.n + other.n + by
        """
    )
    box = student.Box(3)
    assert isinstance(box, Remote)
    assert (len(box), box["a"], "a" in box, "b" in box, list(box)) == (3, 1, True, False, [0, 1, 2])
    box["b"] = torch.ones(2)
    box.n = 5
    assert torch.equal(box["b"], torch.ones(2))
    assert box.add(box, by=1) == 11
    assert len(repr(box)) == 500
    assert student.Box.__name__ == "Box"
    assert not hasattr(box, "nothing")


def test_functions_of_the_suite_can_be_arguments() -> None:
    def twice(x: torch.Tensor) -> torch.Tensor:
        return 2 * torch.relu(x)

    student = student_of("def apply(f, x): return f(x)\ndef all(fs, x): return [f(x) for f in fs]")
    assert student.apply(twice, 3 * torch.ones(1)).item() == 6
    assert student.apply(lambda x: x + 1, 3) == 4
    assert student.apply(torch.relu, -torch.ones(1)).item() == 0
    assert student.all([twice, torch.relu], torch.ones(1)) == [2, 1]


def test_generator_is_iterated_lazily_and_bounded() -> None:
    student = student_of("import itertools\ndef count(): yield from itertools.count()")
    first = [n for n, _ in zip(student.count(), range(5), strict=False)]
    assert first == [0, 1, 2, 3, 4]
    with pytest.raises(NotPlain, match="more than 10,000 items"):
        list(student.count())


def test_long_iterable_is_refused() -> None:
    student = student_of(f"class Many:\n    def __iter__(self): return iter(range({MAX_ITEMS}))\n")
    with pytest.raises(NotPlain, match="10,000 items or more"):
        list(student.Many())


@pytest.mark.parametrize(
    "use",
    [
        "bool(flag)",
        "not flag",
        "flag == 1",
        "flag != 1",
        "1 == flag",
        "flag == flag",
        "flag in [1, 2]",
        "flag < 1",
        "flag >= 1",
        "float(flag)",
        "int(flag)",
        "range(flag)",
        "np.asarray(flag)",
        "sum([flag])",
    ],
)
def test_remote_is_worth_nothing_by_itself(use: str) -> None:
    student = student_of("class Flag:\n    def __eq__(self, other): return True\nflag = Flag()\n")
    with pytest.raises((NotPlain, TypeError)):
        eval(use, {"flag": student.flag, "np": np})


def test_bare_assert_on_a_remote_fails() -> None:
    with pytest.raises(NotPlain, match="needs a truth value, and your code gives a function"):
        assert student_of("def f(): pass").f


def test_exception_of_student_code_is_of_its_builtin_type_too() -> None:
    student = student_of("def f(): raise ValueError('no')\ndef g(): return {}['k']")
    with pytest.raises(ValueError, match="no") as error:
        student.f()
    assert isinstance(error.value, StudentError)
    assert error.value.type == "ValueError"
    with pytest.raises(KeyError):
        student.g()


@pytest.mark.parametrize("name", ["KeyboardInterrupt", "SystemExit", "StopIteration", "Exit", ""])
def test_exception_name_that_could_steer_pytest_is_a_student_error_only(name: str) -> None:
    student: Any = Student(BoxLink(Replies(m.Raised(type=name, text="x"))))
    with pytest.raises(StudentError) as error:
        student.f  # noqa: B018
    assert type(error.value) is StudentError


def test_every_builtin_type_can_be_raised() -> None:
    from grader.suite import failures

    for name, kind in failures._AS_BUILTIN.items():
        error = failures.student_error(name, "text")
        assert isinstance(error, kind)
        assert str(error) == f"{name}: text"
        assert error.text == "text"


@pytest.mark.parametrize(
    "answer",
    [
        m.Value(value=["T", "float32", [10**12], 0, False]),
        m.Value(value=["X"]),
        m.Value(value=["l"] * 0),
        m.Value(value={"a": 1}),
        m.CellDone(status="ok", execution_count=1, duration_s=0.0),
        WireError("not a frame"),
    ],
)
def test_reply_that_is_no_plain_value_is_a_student_error(answer: object) -> None:
    student: Any = Student(BoxLink(Replies(answer)))
    with pytest.raises(StudentError, match="no plain value"):
        student.f  # noqa: B018


def test_lying_length_is_refused() -> None:
    remote = student_of("class A: pass\na = A()").a
    link = remote._Remote__link
    for lie in (-1, 1 << 63, "3", True, None):
        link._client = Replies(m.Value(value=lie if lie != 1 << 63 else ["i", "8" + "0" * 15]))
        with pytest.raises(NotPlain):
            len(remote)


def test_result_that_cannot_be_sent_says_why() -> None:
    student = student_of("def f(): return torch.ones(2).to_sparse()")
    with pytest.raises(NotPlain, match="sparse"):
        student.f()


def test_remote_of_a_session_that_ended_is_stale() -> None:
    box = FakeBox(
        "from grader.errors import BoxCrashed as B\nclass A: pass\ndef crash(): raise B('x')\n"
    )
    link = BoxLink(box)
    student: Any = Student(link)
    held = student.A()
    with pytest.raises(BoxCrashed):
        student.crash()
    link.begin_test(seed=None, until=None)
    with pytest.raises(StaleRemote, match="is gone: the notebook had to be started again"):
        held.x = 1
    with pytest.raises(StaleRemote):
        student.A(held)
    assert isinstance(student.A(), Remote)


def test_failure_of_the_box_ends_every_further_call_of_the_test() -> None:
    for error in (BoxTimeout("hung"), InfrastructureError("gone")):
        client = Replies(error)
        student: Any = Student(BoxLink(client))
        with pytest.raises(type(error)):
            student.f  # noqa: B018
        client.answer = m.Value(value=1)
        with pytest.raises(type(error)):
            student.f  # noqa: B018


def test_repr_never_raises_and_never_asks_a_box_that_failed() -> None:
    student = student_of(
        "from grader.errors import *\nclass A:\n    def __repr__(self): raise BoxTimeout('hung')\n"
        "a = A()"
    )
    remote = student.a
    assert "A in the student's notebook" in repr(remote)
    assert "A in the student's notebook" in repr(remote)


def test_what_cannot_be_sent_is_the_suites_fault() -> None:
    student = student_of("def f(x): return x")
    with pytest.raises(SuiteError, match=r"torch.nn.modules.linear.Linear can't be sent"):
        student.f(torch.nn.Linear(1, 1))


def test_protocol_lookups_of_python_ask_the_box_nothing() -> None:
    box = FakeBox("class A: pass\na = A()")
    student: Any = Student(BoxLink(box))
    remote = student.a
    asked = len(box.requests)
    for name in ("__wrapped__", "__torch_function__", "__array_interface__", "__iter_x__"):
        assert not hasattr(remote, name)
        assert not hasattr(student, name)
    hash(remote)
    isinstance(remote, torch.Tensor)
    assert len(box.requests) == asked
