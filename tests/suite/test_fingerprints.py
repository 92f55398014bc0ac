"""Which tests of a suite have changed: its own code, or anything that it might use."""

from __future__ import annotations

import pytest

from grader.suite.fingerprints import COMMON, fingerprints, unchanged_units, unit_of

SUITE = """\
import pytest
import torch
from helper import close

TOLERANCE = 1e-5


@pytest.fixture
def x():
    return torch.ones(3)


@pytest.mark.points(2)
def test_a(student, x):
    \"\"\"A.\"\"\"
    assert close(student.f(x), x, TOLERANCE)


@pytest.mark.needs("test_a")
def test_b(student):
    assert student.g() == 2


class TestMore:
    def test_c(self, student):
        assert student.h() == 3
"""
FILES = {"test_q1.py": SUITE, "helper.py": "def close(a, b, t): return a == b\n", "data.csv": "1,2"}
OTHERS = {"reference.py": "def f(x): return x\n", "data/points.bin": "\x00", "spec": "{}"}
ALL = {"test_q1.py::test_a", "test_q1.py::test_b", "test_q1.py::TestMore"}


def unchanged(files: dict[str, str], others: dict[str, str] = OTHERS) -> set[str]:
    def of(f: dict[str, str], o: dict[str, str]) -> dict[str, str]:
        return fingerprints(
            {k: v.encode() for k, v in f.items()}, {k: v.encode() for k, v in o.items()}
        )

    return set(unchanged_units(of(FILES, OTHERS), of(files, others))) - {COMMON}


def with_suite(old: str, new: str) -> dict[str, str]:
    assert old in SUITE
    return FILES | {"test_q1.py": SUITE.replace(old, new)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TOLERANCE = 1e-5", "TOLERANCE = 1e-5  # as in the lecture"),
        ("def test_b(student):\n", "def test_b(student):\n    # two\n\n"),
        ("\n\n\nclass", "\n\n\n\n\nclass"),
        ('needs("test_a")', "needs('test_a')"),
    ],
)
def test_comments_and_layout_change_nothing(old: str, new: str) -> None:
    assert unchanged(with_suite(old, new)) == ALL


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("student.g() == 2", "student.g() == 4", "test_b"),
        ("points(2)", "points(3)", "test_a"),
        ('"""A."""', '"""B."""', "test_a"),
        ("student.h() == 3", "student.h() == 4", "TestMore"),
        ("def test_a(student, x)", "def test_a(student)", "test_a"),
    ],
)
def test_a_test_whose_code_changed_has_changed_alone(old: str, new: str, changed: str) -> None:
    assert unchanged(with_suite(old, new)) == ALL - {f"test_q1.py::{changed}"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TOLERANCE = 1e-5", "TOLERANCE = 1e-6"),
        ("torch.ones(3)", "torch.ones(4)"),
        ("import torch\n", "import torch, numpy\n"),
        ("class TestMore:", "pytestmark = []\n\n\nclass TestMore:"),
    ],
)
def test_what_tests_share_changes_all_of_them(old: str, new: str) -> None:
    assert unchanged(with_suite(old, new)) == set()


@pytest.mark.parametrize("name", ["helper.py", "data.csv"])
def test_another_file_of_the_suite_changes_all(name: str) -> None:
    assert unchanged(FILES | {name: "x = 1"}) == set()
    assert unchanged({k: v for k, v in FILES.items() if k != name}) == set()
    assert unchanged(FILES | {"conftest.py": ""}) == set()


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_reference_data_and_spec_change_all(name: str) -> None:
    assert unchanged(FILES, OTHERS | {name: "x = 2"}) == set()
    assert unchanged(FILES, {k: v for k, v in OTHERS.items() if k != name}) == set()


def test_comments_of_the_reference_are_nobodys() -> None:
    assert unchanged(FILES, OTHERS | {"reference.py": "# %%\ndef f(x):\n  return x\n"}) == ALL


@pytest.mark.parametrize(
    "use",
    [
        "CASES = [test_b]",
        "def helper(student):\n    test_b(student)",
        "import test_q1\nALSO = test_q1.test_b",
        'ALSO = globals()["test_b"]',
        "test_b = pytest.mark.skip(test_b)",
    ],
)
def test_a_test_that_something_else_uses_is_common(use: str) -> None:
    files = with_suite("class TestMore:", f"{use}\n\n\nclass TestMore:")
    changed = files | {"test_q1.py": files["test_q1.py"].replace("g() == 2", "g() == 4")}
    before = fingerprints({k: v.encode() for k, v in files.items()}, {})
    now = fingerprints({k: v.encode() for k, v in changed.items()}, {})
    assert "test_q1.py::test_b" not in before
    assert unchanged_units(before, now) == frozenset()


NAMED_ONCE = with_suite('needs("test_a")', "needs(FIRST)")["test_q1.py"].replace(
    "TOLERANCE = 1e-5", 'TOLERANCE = 1e-5\nFIRST = "test_a"'
)


@pytest.mark.parametrize(
    ("use", "units"),
    [
        ("", ALL),
        (
            "\n\ndef helper(request):\n    return request.node.name == FIRST\n",
            ALL - {"test_q1.py::test_a"},
        ),
    ],
    ids=["needs alone", "something else"],
)
def test_a_name_for_a_test_that_others_need_makes_it_common_only_if_read_elsewhere(
    use: str, units: set[str]
) -> None:
    found = fingerprints({"test_q1.py": (NAMED_ONCE + use).encode()}, {})
    assert set(found) - {COMMON} == units


def test_a_name_that_another_file_imports_makes_its_test_common() -> None:
    other = b"from test_q1 import FIRST\n"
    found = fingerprints({"test_q1.py": NAMED_ONCE.encode(), "helper.py": other}, {})
    assert "test_q1.py::test_a" not in found


def test_a_test_stated_twice_is_common() -> None:
    files = {"test_q1.py": b"def test_a(): pass\ndef test_a(): assert 1\n"}
    assert set(fingerprints(files, {})) == {COMMON}


def test_a_test_added_or_deleted_leaves_the_others() -> None:
    more = FILES | {"test_q1.py": SUITE + "\n\ndef test_d(student):\n    pass\n"}
    assert unchanged(more) == ALL
    less = FILES | {"test_q1.py": SUITE.partition("class TestMore")[0]}
    assert unchanged(less) == ALL - {"test_q1.py::TestMore"}


def test_another_order_changes_all() -> None:
    head, a, rest = SUITE.partition("@pytest.mark.points(2)")
    b, more, end = rest.partition("class TestMore")
    assert unchanged(FILES | {"test_q1.py": head + more + end + "\n\n" + a + b}) == set()


def test_a_file_that_cannot_be_parsed_is_common() -> None:
    assert set(fingerprints({"test_q1.py": b"def test_(:"}, {})) == {COMMON}
    assert set(fingerprints({"test_q1.py": b"\xff\x00"}, {})) == {COMMON}


def test_nothing_is_known_of_a_verdict_without_fingerprints() -> None:
    now = fingerprints({"test_q1.py": SUITE.encode()}, {})
    assert unchanged_units({}, now) == frozenset()


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        ("test_q1.py::test_a", "test_q1.py::test_a"),
        ("test_q1.py::test_a[1-x::y]", "test_q1.py::test_a"),
        ("more/test_q1.py::TestB::test_c[2]", "more/test_q1.py::TestB"),
    ],
)
def test_every_case_belongs_to_its_function(nodeid: str, unit: str) -> None:
    assert unit_of(nodeid) == unit
