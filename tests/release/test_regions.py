"""What students get in the place of a solution."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from grader.errors import SpecError
from grader.release.percent import Kind, SourceCell
from grader.release.regions import find_regions, solution_lines, solution_source, student_source


def cell(source: str, kind: Kind = "code", *tags: str) -> SourceCell:
    return SourceCell(
        path=Path("reference/x.py"), line=10, kind=kind, source=dedent(source).strip(), tags=tags
    )


def released(source: str, kind: Kind = "code") -> str:
    return student_source(cell(source, kind))


def test_a_function_body_becomes_a_placeholder_that_names_the_function() -> None:
    assert released('''
        def softmax(x):
            """Shapes."""
            # BEGIN SOLUTION
            e = x.exp()
            return e / e.sum()
            # END SOLUTION
    ''') == dedent('''\
        def softmax(x):
            """Shapes."""
            # YOUR CODE HERE
            raise NotImplementedError("softmax")''')


def test_a_method_is_named_with_its_class() -> None:
    source = released("""
        class MLP(Module):
            def forward(
                self,
                x,
            ):
                # BEGIN SOLUTION
                for layer in self.layers:
                    x = layer(x)
                return x
                # END SOLUTION

            def extra(self):
                return 1
    """)
    assert '        raise NotImplementedError("MLP.forward")' in source
    assert "layer" not in source
    assert "def extra" in source


def test_a_function_within_a_function_is_named_with_it() -> None:
    source = released("""
        def outer():
            def inner():
                # BEGIN SOLUTION
                return 1
                # END SOLUTION
            return inner
    """)
    assert 'raise NotImplementedError("outer.inner")' in source


def test_a_region_in_a_loop_keeps_its_indentation() -> None:
    assert released("""
        def train(batches):
            for batch in batches:
                # BEGIN SOLUTION
                step(batch)
                # END SOLUTION
            return 1
    """) == dedent("""\
        def train(batches):
            for batch in batches:
                # YOUR CODE HERE
                raise NotImplementedError("train")
            return 1""")


def test_a_region_at_top_level_does_not_raise() -> None:
    assert released("x = 1\n# BEGIN SOLUTION\ny = x + 1\n# END SOLUTION") == (
        "x = 1\n# YOUR CODE HERE"
    )


def test_a_decorated_function_in_a_region_belongs_to_no_other_function() -> None:
    assert (
        released("""
        def before():
            return 1
        # BEGIN SOLUTION
        @torch.no_grad()
        def accuracy(model):
            return model
        # END SOLUTION
        def after():
            return 2
    """)
        == "def before():\n    return 1\n# YOUR CODE HERE\ndef after():\n    return 2"
    )


def test_a_region_of_methods_leaves_a_class_that_is_valid() -> None:
    assert (
        released("""
        class Layer:
            # BEGIN SOLUTION
            def forward(self):
                return 1
            # END SOLUTION
    """)
        == "class Layer:\n    # YOUR CODE HERE\n    ..."
    )


def test_a_region_under_a_top_level_loop_leaves_a_loop_that_is_valid() -> None:
    assert (
        released("""
        for i in range(3):
            # BEGIN SOLUTION
            print(i)
            # END SOLUTION
    """)
        == "for i in range(3):\n    # YOUR CODE HERE\n    ..."
    )


def test_starter_code_is_uncommented_and_used_instead() -> None:
    assert released("""
        def relu_backward(grad, x):
            # BEGIN SOLUTION
            return grad * (x > 0)
            # BEGIN STARTER
            # mask = ...   # your code
            #
            # for i in range(2):
            #     pass
            # return mask
            # END SOLUTION
    """) == dedent("""\
        def relu_backward(grad, x):
            mask = ...   # your code

            for i in range(2):
                pass
            return mask""")


def test_two_regions_of_a_cell_are_both_replaced() -> None:
    source = released("""
        def f():
            # BEGIN SOLUTION
            return 1
            # END SOLUTION
        def g():
            # BEGIN SOLUTION
            return 2
            # END SOLUTION
    """)
    assert source.count("raise NotImplementedError") == 2
    assert "return" not in source


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = 3  # SOLUTION", "x = ...  # YOUR CODE HERE"),
        ("rate: float = 0.5 # SOLUTION", "rate: float = ...  # YOUR CODE HERE"),
        ("x = y = f(2)  # SOLUTION", "x = y = ...  # YOUR CODE HERE"),
        ('größe = "ß" + str(1)  # SOLUTION', "größe = ...  # YOUR CODE HERE"),
        ("f(2)  # SOLUTION", "...  # YOUR CODE HERE"),
    ],
)
def test_one_line_marked_as_solution_keeps_its_left_side(line: str, expected: str) -> None:
    assert released(line) == expected


def test_a_returned_value_marked_as_solution_is_replaced() -> None:
    assert (
        released("""
        def f(x):
            return x + 1  # SOLUTION
    """)
        == "def f(x):\n    return ...  # YOUR CODE HERE"
    )


def test_magics_do_not_disturb_the_search_for_the_function() -> None:
    source = released("""
        %matplotlib inline
        def f():
            # BEGIN SOLUTION
            return 1
            # END SOLUTION
        !ls
    """)
    assert source.startswith("%matplotlib inline\n")
    assert 'raise NotImplementedError("f")' in source


def test_a_model_answer_becomes_an_invitation_to_write() -> None:
    assert (
        released(
            "**Answer q7.**\n\n<!-- BEGIN SOLUTION -->\nBecause.\n\nSo.\n<!-- END SOLUTION -->",
            "markdown",
        )
        == "**Answer q7.**\n\n*Write your answer here.*"
    )


def test_a_text_region_may_have_a_starter() -> None:
    text = "<!-- BEGIN SOLUTION -->\n| 3 |\n<!-- BEGIN STARTER -->\n| ? |\n<!-- END SOLUTION -->"
    assert released(text, "markdown") == "| ? |"
    assert solution_source(cell(text, "markdown")) == "| 3 |"


def test_the_solution_keeps_its_code_and_loses_markers_and_starters() -> None:
    assert (
        solution_source(
            cell("""
        rate = 3  # SOLUTION
        def f():
            # BEGIN SOLUTION
            return 1
            # BEGIN STARTER
            # return ...
            # END SOLUTION
    """)
        )
        == "rate = 3\ndef f():\n    return 1"
    )


def test_solution_lines_know_where_they_stand_in_the_file() -> None:
    lines = solution_lines(
        cell("""
        rate = 3  # SOLUTION
        def f():
            # BEGIN SOLUTION
            return 1
            # BEGIN STARTER
            # return ...
            # END SOLUTION
    """)
    )
    assert lines == [(10, "rate = 3"), (13, "    return 1")]


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("# BEGIN SOLUTION\nx = 1", 10, "has no END SOLUTION"),
        ("x = 1\n# END SOLUTION", 11, "without a BEGIN SOLUTION"),
        ("x = 1\n# BEGIN STARTER", 11, "without a BEGIN SOLUTION"),
        (
            "# BEGIN SOLUTION\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION",
            11,
            "BEGIN SOLUTION inside a solution region",
        ),
        (
            "# BEGIN SOLUTION\nx = 1\n# BEGIN STARTER\n# BEGIN STARTER\n# END SOLUTION",
            13,
            "a second BEGIN STARTER",
        ),
        (
            "# BEGIN SOLUTION\nx = 1\n# BEGIN STARTER\nx = 2\n# END SOLUTION",
            13,
            "must be a comment",
        ),
        ("x = 1  # BEGIN SOLUTION\n# END SOLUTION", 10, "alone on its line"),
        ("y = [\n# BEGIN SOLUTION\n1,\n# END SOLUTION\n]", 11, "no whole statement"),
        (
            "# BEGIN SOLUTION\nfor i in y:\n# END SOLUTION\n    print(i)",
            10,
            "not valid Python",
        ),
        ("x = (1 +\n  2)  # SOLUTION", 11, "of one line"),
        ("for i in y: # SOLUTION\n    pass", 10, "of one line"),
    ],
)
def test_wrong_markers_are_refused_with_file_and_line(source: str, line: int, what: str) -> None:
    with pytest.raises(SpecError, match=what) as caught:
        student_source(cell(source))
    assert caught.value.where == f"reference/x.py:{line}"


def test_text_with_code_markers_has_no_region() -> None:
    with pytest.raises(SpecError, match="alone on its line"):
        find_regions(cell("Write # BEGIN SOLUTION", "markdown"))
