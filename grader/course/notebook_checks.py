"""Whether the `[[notebooks]]` of a spec can be told apart, and share out its questions."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from grader.course.spec import AssignmentSpec, Notebook
from grader.course.strict_toml import wrong_key
from grader.suggestions import did_you_mean

MAX_NOTEBOOKS = 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def check_notebooks(spec: AssignmentSpec, path: Path) -> None:
    """Check that each question is in one notebook, and that no two notebooks look alike.

    Raises:
        SpecError: names the key.
    """
    if not spec.notebooks:
        return
    if spec.reference is not None:
        raise wrong_key(
            path, "reference", "each of [[notebooks]] has a reference of its own: name it there"
        )
    if not 2 <= len(spec.notebooks) <= MAX_NOTEBOOKS:
        raise wrong_key(
            path,
            "notebooks",
            f"expected 2 to {MAX_NOTEBOOKS} of them, got {len(spec.notebooks)}",
            hint="Leave [[notebooks]] out where students get one notebook.",
        )
    known = [question.id for question in spec.questions]
    seen: set[str] = set()
    for index, notebook in enumerate(spec.notebooks):
        _check_name(notebook, seen, path, f"notebooks[{index}]")
        _check_questions(notebook, known, path, f"notebooks[{index}].questions")
    held = Counter(question for n in spec.notebooks for question in n.questions)
    for question in known:
        if held[question] != 1:
            number = "no notebook" if not held[question] else f"{held[question]} notebooks"
            raise wrong_key(
                path,
                "notebooks",
                f"question {question!r} is in {number}",
                hint="List each question in `questions` of exactly one of [[notebooks]].",
            )


def _check_name(notebook: Notebook, seen: set[str], path: Path, key: str) -> None:
    if not _NAME.fullmatch(notebook.name):
        raise wrong_key(
            path,
            f"{key}.name",
            f"expected letters, digits, - and _, such as backprop, got {notebook.name!r}",
            hint="It is the name of the file without .ipynb.",
        )
    # As names are compared that come back from students' machines.
    plain = re.sub(r"[-_]+", "-", notebook.name.casefold())
    if plain in seen:
        raise wrong_key(path, f"{key}.name", f"{notebook.name!r} is the name of two notebooks")
    seen.add(plain)


def _check_questions(notebook: Notebook, known: list[str], path: Path, key: str) -> None:
    if not notebook.questions:
        raise wrong_key(path, key, "expected at least one question")
    for question in notebook.questions:
        if question not in known:
            raise wrong_key(
                path,
                key,
                f"there is no question {question!r}",
                hint=did_you_mean(question, known),
            )
