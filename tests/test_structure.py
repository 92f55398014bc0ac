"""The package's structure: no import cycle, and no public class name for two things."""

from __future__ import annotations

from pathlib import Path

from benchmarks.structure import ROOT, measure


def test_no_module_imports_what_imports_it_and_no_class_name_means_two_things() -> None:
    found = measure(ROOT)
    assert found["cycles of modules"] == found["cycles of rooms"] == []
    assert found["class names twice"] == []


def test_a_cycle_and_a_name_that_is_there_twice_are_seen(tmp_path: Path) -> None:
    body = "def {}():\n    a = 1\n    if a:\n        return f(a, '{}')\n    return a\n"
    for room, text in (
        ("one/first", "class Same: ...\n" + body.format("f", "x")),
        ("one/second", "import grader.two.third\n" + body.format("g", "y")),
        ("two/third", "class Same: ...\ndef f():\n    from grader.one import second\n"),
        ("desk/fourth", "class Same: ...\n"),
    ):
        path = tmp_path / "grader" / f"{room}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = measure(tmp_path)
    assert found["modules"] == 3
    assert found["cycles of modules"] == [["grader.one.second", "grader.two.third"]]
    assert found["cycles of rooms"] == [["one", "two"]]
    assert found["class names twice"] == ["Same"]
    assert found["functions written twice"] == 1
