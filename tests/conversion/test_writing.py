"""An imported assignment as it lies in the course directory."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.api.importing import import_assignment
from grader.course.directory import Course, check_assignment
from grader.errors import GraderError, SpecError, UsageError
from grader.release.contents import released_contents
from grader.release.notebooks import solution_notebook, student_notebook
from tests.conversion.nbgrader_course import code, notebook, solution, source_cells, text
from tests.conversion.nbgrader_course import test as graded
from tests.conversion.otter_course import question


@pytest.fixture
def course(tmp_path: Path) -> Course:
    for folder in ("assignments", "reference"):
        (tmp_path / "course" / folder).mkdir(parents=True)
    return Course(tmp_path / "course")


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """Write cells as the notebook of an assignment of nbgrader's; returns its folder."""

    def write(*cells: dict[str, Any], name: str = "ps1") -> Path:
        folder = tmp_path / "source" / "ps1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook(list(cells))))
        return folder

    return write


F = solution("def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION", "f")
F_TEST = graded("assert f(1) == 1", "f_test", 1)


def sources(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells]


def test_both_notebooks_are_made_of_the_imported_reference(course: Course, source: Any) -> None:
    (made,) = import_assignment(course, "nbgrader", source(*source_cells()))
    assert made.unfinished == ()
    assignment = course.assignment("ps1")
    assert (assignment.spec.machine_points, assignment.spec.manual_points) == (11, 2)
    released, solved = (
        "\n".join(sources(make(assignment))) for make in (student_notebook, solution_notebook)
    )
    assert 'raise NotImplementedError("softmax")' in released
    assert "golden = ..." in released
    assert "torch.exp" not in released
    assert "keeps the exponentials from overflowing" not in released
    assert "torch.exp" in solved
    assert "assert " not in released
    for trace in ("SOLUTION", "HIDDEN"):
        assert trace not in released + solved


def test_what_works_is_kept_out_of_the_module(course: Course, source: Any) -> None:
    cell = code(
        "import math\n\ndef g():\n    return 1\n\n# a demo\nprint(g())\nwhile True:\n    pass", "g"
    )
    magic = code("%matplotlib inline\nimport torch", "m")
    import_assignment(course, "nbgrader", source(magic, cell, F, F_TEST))
    reference = (course.root / "reference" / "ps1.py").read_text()
    scope: dict[str, Any] = {}
    exec(reference, scope)  # would not end if the loop were live
    assert scope["g"]() == 1
    shown = sources(student_notebook(course.assignment("ps1")))
    assert shown[:3] == [
        "%matplotlib inline\nimport torch",
        "import math\n\ndef g():\n    return 1",
        "# a demo\nprint(g())\nwhile True:\n    pass",
    ]


def test_a_definition_that_needs_what_only_a_notebook_computes_is_kept_out_too(
    course: Course, source: Any
) -> None:
    cells = [code("rows = sorted([2, 1])", "a"), code("def g(n=rows):\n    return n", "b")]
    import_assignment(course, "nbgrader", source(*cells, F, F_TEST))
    scope: dict[str, Any] = {}
    exec((course.root / "reference" / "ps1.py").read_text(), scope)
    assert "g" not in scope


def test_nothing_of_the_source_is_run(course: Course, source: Any, tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w')"
    cells = [code(trap, "a"), graded(f"assert f({trap})", "t", 1), solution(f"x = {trap}", "s"), F]
    import_assignment(course, "nbgrader", source(*cells, F_TEST))
    assert not (tmp_path / "sprung").exists()


def test_a_taken_name_is_refused_and_nothing_is_written(course: Course, source: Any) -> None:
    folder = source(F, F_TEST)
    import_assignment(course, "nbgrader", folder)
    before = {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="there already"):
        import_assignment(course, "nbgrader", folder)
    assert {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file()} == before
    assert import_assignment(course, "nbgrader", folder, name="again")[0].name == "again"


@pytest.mark.parametrize("name", ["../up", "1st", "", "a b", "x" * 70])
def test_a_name_that_is_none_is_refused(course: Course, source: Any, name: str) -> None:
    with pytest.raises(GraderError):
        import_assignment(course, "nbgrader", source(F, F_TEST), name=name or " ")
    assert not list((course.root / "assignments").iterdir())


def test_several_notebooks_become_several_assignments(course: Course, source: Any) -> None:
    source(F, F_TEST, name="one")
    folder = source(F, F_TEST, name="Two & a half")
    made = import_assignment(course, "nbgrader", folder)
    assert [one.name for one in made] == ["ps1-Two-a-half", "ps1-one"]
    assert course.names() == ["ps1-Two-a-half", "ps1-one"]


def test_a_notebook_without_points_does_not_refuse_those_beside_it(
    course: Course, source: Any
) -> None:
    source(text("# Welcome"), name="intro")
    folder = source(F, F_TEST, text("After [the intro](intro.ipynb)."), name="one")
    (made,) = import_assignment(course, "nbgrader", folder)
    assert made.name == "ps1"
    assert [str(r) for r in made.remarks] == [
        "intro.ipynb: nothing in it gives points: it is left out; give it to students yourself"
    ]
    assert course.assignment("ps1").data_files() == []


def test_where_one_of_several_notebooks_cannot_be_read_nothing_is_written(
    course: Course, source: Any
) -> None:
    folder = source(F, F_TEST, name="one")
    (folder / "two.ipynb").write_text("{")
    with pytest.raises(SpecError, match="can't be read as a notebook"):
        import_assignment(course, "nbgrader", folder)
    assert course.names() == []


def test_data_beside_the_notebook_comes_along_and_links_do_not(
    course: Course, source: Any, tmp_path: Path
) -> None:
    folder = source(F, F_TEST)
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_text("1")
    (folder / "b.csv").write_text("2")
    (tmp_path / "secret").write_text("3")
    (folder / "c.csv").symlink_to(tmp_path / "secret")
    (folder / "data" / "d.csv").symlink_to(tmp_path / "secret")
    import_assignment(course, "nbgrader", folder)
    assignment = course.assignment("ps1")
    assert [p.name for p in assignment.data_files()] == ["a.csv"]
    assert list(assignment.given_files()) == ["b.csv"]


def test_a_file_that_code_or_a_test_names_comes_along(course: Course, source: Any) -> None:
    reads = code("import numpy as np\nrows = np.load('rows/a.npy')", "rows")
    test = graded("assert f(np.load('b.npy')) == 1\nassert f('/etc/hostname') != '../x'", "t", 1)
    folder = source(reads, F, test)
    (folder / "rows").mkdir()
    for name in ("rows/a.npy", "b.npy", "other.npy", "../x"):
        (folder / name).write_text("1")
    import_assignment(course, "nbgrader", folder / "ps1.ipynb")
    assert list(course.assignment("ps1").given_files()) == ["b.npy", "rows/a.npy"]


def test_a_file_that_may_not_lie_beside_the_notebook_is_pointed_out(
    course: Course, source: Any
) -> None:
    folder = source(code('rows = open("random.py").read()', "a"), F, F_TEST)
    (folder / "random.py").write_text("2")
    (made,) = import_assignment(course, "nbgrader", folder)
    (remark,) = [r for r in made.remarks if "data/random.py" in r.what]
    assert remark.where.endswith("cell 1")
    assert [p.name for p in course.assignment("ps1").data_files()] == ["random.py"]


def test_modules_pictures_and_links_stay_where_the_notebook_finds_them(
    course: Course, source: Any, tmp_path: Path
) -> None:
    shown = text("![a](img/a%20b.png) <img src='c.png'> [web](https://d.org/x) ![](../secret)")
    folder = source(shown, code("import helper, torch", "h"), F, F_TEST)
    (tmp_path / "source" / "secret").write_text("3")
    (folder / "img").mkdir()
    for name in ("img/a b.png", "c.png", "helper.py", "unused.txt"):
        (folder / name).write_bytes(b"x")
    import_assignment(course, "nbgrader", folder)
    import_assignment(course, "nbgrader", folder / "ps1.ipynb", name="alone")
    assignment, alone = course.assignment("ps1"), course.assignment("alone")
    assert list(assignment.given_files()) == ["c.png", "helper.py", "img/a b.png", "unused.txt"]
    assert list(alone.given_files()) == ["c.png", "img/a b.png"]
    assert assignment.spec.box.libraries == ()
    assert set(released_contents(assignment)) >= {"c.png", "helper.py", "img/a b.png"}


def test_a_pasted_picture_becomes_a_file_that_the_text_shows(course: Course, source: Any) -> None:
    pasted = {
        **text("# T\n![x](attachment:my%20plot.png) ![y](attachment:none.png)"),
        "attachments": {
            "my plot.png": {"image/png": base64.b64encode(b"picture").decode()},
            "odd": {"image/png": "?"},
            "worse": [1],
        },
    }
    import_assignment(course, "nbgrader", source(pasted, F, F_TEST))
    assignment = course.assignment("ps1")
    assert assignment.given_contents() == {"pictures/cell-1-my-plot.png": b"picture"}
    shown = sources(student_notebook(assignment))[0]
    assert "![x](pictures/cell-1-my-plot.png) ![y](attachment:none.png)" in shown


def test_an_odd_cell_does_not_refuse_the_rest(course: Course, source: Any) -> None:
    cells = [
        code("def broken(:\n    pass", "b"),
        solution("x = {\n    ### BEGIN SOLUTION\n    'a': 41,\n    ### END SOLUTION\n}", "x"),
        solution("y = 1\n### BEGIN SOLUTION\n### END SOLUTION", "y"),
        solution("def g(x):\n    ### BEGIN SOLUTION\n    return x", "g"),
        solution("### BEGIN SOLUTION\ndef z(:\n### END SOLUTION", "z"),
    ]
    (made,) = import_assignment(course, "nbgrader", source(*cells, F, F_TEST))
    assert made.unfinished == ()
    odd = [r.where.rpartition(" ")[2] for r in made.remarks if r.kind == "look"]
    assert odd == ["1", "2", "3", "4", "5"]
    released = sources(student_notebook(course.assignment("ps1")))
    assert released[0] == cells[0]["source"]
    assert "41" not in "".join(released)
    assert "def z" not in "".join(released)
    exec((course.root / "reference" / "ps1.py").read_text(), {})


def test_a_dict_of_which_students_write_the_values_is_released_without_them(
    course: Course, tmp_path: Path
) -> None:
    cell = "x = {\n    'a': 41, # SOLUTION\n    'b': 42, # SOLUTION\n    'c': 3,\n}"
    path = tmp_path / "hw.ipynb"
    path.write_text(json.dumps(notebook(question("name: a", "A", cell, ("x['a']", "41")))))
    (made,) = import_assignment(course, "otter", path)
    assert made.unfinished == ()
    released = "\n".join(sources(student_notebook(course.assignment("hw"))))
    assert "4" not in released
    assert "x = {" in released
    assert "'a': 41" in "\n".join(sources(solution_notebook(course.assignment("hw"))))


def test_an_assignment_that_only_a_person_marks_is_whole(course: Course, source: Any) -> None:
    answer = {**code("Because.", "why", grade=True, solution=True, points=2)}
    answer |= {"cell_type": "markdown"}
    (made,) = import_assignment(course, "nbgrader", source(text("# T"), answer))
    assert (made.unfinished, made.tests, made.manual) == ((), 0, 2)
    assert not (made.folder / "hidden").exists()
    check_assignment(course.assignment("ps1"))


def test_a_notebook_of_tests_alone_is_whole_too(course: Course, source: Any) -> None:
    (made,) = import_assignment(course, "nbgrader", source(graded("assert 1 + 1 == 2", "t", 1)))
    assert made.unfinished == ()
    assert sources(student_notebook(course.assignment("ps1"))) == ["# ps1"]


def test_a_notebook_in_another_language_is_refused_with_its_name(
    course: Course, source: Any
) -> None:
    folder = source(F, F_TEST)
    path = folder / "ps1.ipynb"
    raw = json.loads(path.read_text()) | {"metadata": {"kernelspec": {"language": "R"}}}
    path.write_text(json.dumps(raw))
    with pytest.raises(SpecError, match="written in r"):
        import_assignment(course, "nbgrader", folder)


def test_a_module_that_the_judge_lacks_is_said(course: Course, source: Any) -> None:
    cell = graded("import no_such_module_zz\nassert f(1) == no_such_module_zz.one", "t", 1)
    (made,) = import_assignment(course, "nbgrader", source(F, cell))
    assert [r.where for r in made.remarks if "pip install no_such_module_zz" in r.what] == [
        "ps1.ipynb, cell 2"
    ]


def test_what_the_judge_cannot_import_is_kept_out_of_the_module(
    course: Course, source: Any
) -> None:
    cell = code("import no_such_module_zz as zz\nimport math", "imports")
    uses = code("class Chart(zz.Chart):\n    pass\n\ndef half(x):\n    return x / 2", "uses")
    import_assignment(course, "nbgrader", source(cell, uses, F, F_TEST))
    assignment = course.assignment("ps1")
    assert "import no_such_module_zz as zz\nimport math" in sources(student_notebook(assignment))
    module: dict[str, Any] = {}
    exec((course.root / "reference" / "ps1.py").read_text(), module)
    assert {"math", "f"} <= set(module)
    assert not {"zz", "Chart"} & set(module)


def test_titles_with_quotes_and_breaks_are_written_as_toml(course: Course, source: Any) -> None:
    title = text('# The "best" \\ of\t\x7f both <b>worlds</b>\n\n## `q` "1"')
    import_assignment(course, "nbgrader", source(title, F, F_TEST))
    spec = course.assignment("ps1").spec
    assert spec.title == 'The "best" \\ of both worlds'
    assert spec.questions[0].title == 'q "1"'


def test_libraries_that_the_box_lacks_are_asked_for(course: Course, source: Any) -> None:
    imports = code("import sklearn.svm, os\nfrom pandas import read_csv\nimport torch, otter", "a")
    import_assignment(course, "nbgrader", source(imports, F, F_TEST))
    assert course.assignment("ps1").spec.box.libraries == ("pandas", "scikit-learn")


def test_a_cell_that_holds_a_cell_marker_is_refused(course: Course, source: Any) -> None:
    with pytest.raises(SpecError):
        import_assignment(
            course, "nbgrader", source(code("x = 1\n# %% [markdown]\n# y", "a"), F, F_TEST)
        )
    assert not list((course.root / "assignments").iterdir())


def test_a_demo_that_would_raise_for_students_is_pointed_out(course: Course, source: Any) -> None:
    (made,) = import_assignment(course, "nbgrader", source(F, code("print(f(1))", "a"), F_TEST))
    assert [r.what for r in made.remarks] == [
        "it calls f, which raises in the released notebook; guard it with try"
    ]


def test_no_name_or_line_end_of_the_source_gets_out_of_a_comment(
    course: Course, source: Any
) -> None:
    trap = "raise SystemExit"
    test = graded(f"assert 'f' in globals()\r{trap}", f'x"""\n{trap}', 1)
    folder = source(text(f'# """\n{trap}'), F, test, name=f"a\n{trap}")
    (made,) = import_assignment(course, "nbgrader", folder)
    assert made.unfinished
    for path in made.folder.rglob("*.py"):
        for line in path.read_text().splitlines():
            assert not line.startswith(trap)
        scope: dict[str, Any] = {}
        exec(compile(path.read_text(), path, "exec"), scope)
