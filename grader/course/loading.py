"""Read `assignment.toml` strictly: what the types say, and what they cannot say."""

from __future__ import annotations

import math
import re
from pathlib import Path, PurePosixPath

import msgspec

from grader.course.given_files import check_given_files, check_handed_files
from grader.course.notebook_checks import check_notebooks
from grader.course.rule_checks import check_rules
from grader.course.spec import AssignmentSpec, Resources
from grader.course.strict_toml import read_struct, wrong_key
from grader.points import show
from grader.suggestions import did_you_mean

SPEC_NAME = "assignment.toml"

_QUESTION_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_COURSE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.py")

# A library goes to pip's command line: no option (`--index-url`), no address, no path.
_VERSION = r"(===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9][A-Za-z0-9.*+!_-]*"
_LIBRARY = re.compile(
    rf"(?P<name>[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)\s*({_VERSION}(\s*,\s*{_VERSION})*)?"
)


# A package goes to apt's command line, which takes a name that ends with - as one to remove.
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*[a-z0-9+.]")


def load_spec(path: Path) -> AssignmentSpec:
    """Read a spec and check all that can be checked without its reference and suite.

    Args:
        path: the file; data globs are looked up in the folder `data` beside it.

    Raises:
        SpecError: names the file, the key and what was expected.
    """
    spec = read_struct(path, AssignmentSpec)
    _check_texts(spec, path)
    _check_questions(spec, path)
    check_notebooks(spec, path)
    _check_resources(spec.resources, path)
    _check_dates(spec, path)
    _check_libraries(spec, path)
    _check_packages(spec, path)
    check_rules(spec, path)
    _check_data(spec, path)
    check_given_files(spec, path)
    _check_accepted(spec, path)
    if spec.handin.files:
        check_handed_files(spec, path)
    return spec


def _check_texts(spec: AssignmentSpec, path: Path) -> None:
    if not spec.title.strip() or len(spec.title.splitlines()) != 1:
        raise wrong_key(path, "title", "expected one line of text")
    if spec.course is not None and not _COURSE_ID.fullmatch(spec.course):
        raise wrong_key(path, "course", f"expected a name such as koc-comp541, got {spec.course!r}")
    named = {"reference": spec.reference}
    named |= {f"notebooks[{i}].reference": n.reference for i, n in enumerate(spec.notebooks)}
    for key, reference in named.items():
        if reference is not None and not _REFERENCE.fullmatch(reference):
            raise wrong_key(
                path, key, f"expected the name of a Python file in reference/, got {reference!r}"
            )
    if spec.attempts.limit < 0:
        raise wrong_key(
            path, "attempts.limit", f"expected 0 (any number) or more, got {spec.attempts.limit}"
        )


def _check_questions(spec: AssignmentSpec, path: Path) -> None:
    if not spec.questions:
        raise wrong_key(path, "questions", "expected at least one [[questions]]")
    seen: set[str] = set()
    for index, question in enumerate(spec.questions):
        key = f"questions[{index}]"
        if not _QUESTION_ID.fullmatch(question.id):
            raise wrong_key(
                path,
                f"{key}.id",
                f"expected letters, digits, - and _, such as q1, got {question.id!r}",
            )
        if question.id in seen:
            raise wrong_key(path, f"{key}.id", f"{question.id!r} is the id of two questions")
        seen.add(question.id)
        if not question.title.strip():
            raise wrong_key(path, f"{key}.title", "expected a text")
        for name, points in (("points", question.points), ("manual", question.manual)):
            if points < 0:
                raise wrong_key(path, f"{key}.{name}", f"expected 0 or more, got {show(points)}")
        if question.points + question.manual == 0:
            raise wrong_key(
                path,
                f"{key}.points",
                f"question {question.id!r} gives no points",
                hint="Give it points (from the hidden suite), manual (from a person), or both.",
            )
    if all(question.extra_credit for question in spec.questions):
        raise wrong_key(
            path,
            "questions",
            "every question is extra credit",
            hint="Extra credit comes on top of something: leave it out of one question.",
        )
    total = spec.machine_points + spec.manual_points
    if spec.points != total:
        raise wrong_key(
            path,
            "points",
            f"the questions add up to {show(total)} "
            f"({show(spec.machine_points)} from the suite, {show(spec.manual_points)} by hand"
            f"{f', {show(spec.extra_points)} extra on top' if spec.extra_points else ''}), "
            f"but the assignment says {show(spec.points)}",
        )


def _check_resources(resources: Resources, path: Path) -> None:
    for field in msgspec.structs.fields(resources):
        value = getattr(resources, field.name)
        if field.name in {"gpu", "cuda_as_cpu"} or (field.name == "gpu_memory_mb" and value == 0):
            continue
        if not math.isfinite(value) or value <= 0:
            raise wrong_key(
                path, f"resources.{field.name}", f"expected a positive number, got {value:g}"
            )
    if resources.cell_s > resources.notebook_s:
        raise wrong_key(
            path,
            "resources.cell_s",
            f"one cell may take {resources.cell_s:g} s, "
            f"but the whole notebook only {resources.notebook_s:g} s",
        )
    if resources.cuda_as_cpu and resources.gpu is True:
        raise wrong_key(
            path,
            "resources.cuda_as_cpu",
            "every notebook gets a GPU here",
            hint='Leave it out, or say gpu = "optional".',
        )
    if resources.gpu_memory_mb and not resources.gpu:
        raise wrong_key(path, "resources.gpu_memory_mb", 'no GPU is asked for; add "gpu = true"')


def _check_dates(spec: AssignmentSpec, path: Path) -> None:
    released, due = spec.dates.released, spec.dates.due
    if released is None or due is None:
        return
    if (released.tzinfo is None) != (due.tzinfo is None):
        raise wrong_key(path, "dates", "give both dates a UTC offset, or neither")
    if due <= released:
        raise wrong_key(path, "dates.due", f"due {due}, before it is released ({released})")


def _check_libraries(spec: AssignmentSpec, path: Path) -> None:
    seen: set[str] = set()
    for index, library in enumerate(spec.box.libraries):
        key = f"box.libraries[{index}]"
        match = _LIBRARY.fullmatch(library)
        if match is None:
            raise wrong_key(
                path,
                key,
                f"expected a package name, with a version or without, got {library!r}",
                hint='For example "scikit-learn" or "scikit-learn>=1.4,<2".',
            )
        name = re.sub(r"[-_.]+", "-", match["name"]).lower()
        if name in seen:
            raise wrong_key(path, key, f"{name} is listed twice")
        seen.add(name)


def _check_packages(spec: AssignmentSpec, path: Path) -> None:
    for index, package in enumerate(spec.box.packages):
        key = f"box.packages[{index}]"
        if _PACKAGE.fullmatch(package) is None:
            raise wrong_key(
                path,
                key,
                f"expected the name of a Debian package, got {package!r}",
                hint='For example "g++" or "fonts-noto-cjk".',
            )
        if package in spec.box.packages[:index]:
            raise wrong_key(path, key, f"{package} is listed twice")


def _check_accepted(spec: AssignmentSpec, path: Path) -> None:
    known = [question.id for question in spec.questions]
    for index, accepted in enumerate(spec.accepted):
        key = f"accepted[{index}]"
        if not accepted.reason.strip():
            raise wrong_key(path, f"{key}.reason", "expected a sentence that says why")
        if bool(accepted.test) == bool(accepted.question):
            raise wrong_key(path, key, "expected a test or a question, and not both")
        if accepted.question and accepted.question not in known:
            raise wrong_key(
                path,
                f"{key}.question",
                f"there is no question {accepted.question!r}",
                hint=did_you_mean(accepted.question, known),
            )


def _check_data(spec: AssignmentSpec, path: Path) -> None:
    folder = path.parent / "data"
    for index, glob in enumerate(spec.data or ()):
        key = f"data[{index}]"
        parts = PurePosixPath(glob).parts
        if not parts or ".." in parts or PurePosixPath(glob).is_absolute():
            raise wrong_key(path, key, f"expected a pattern within data/, got {glob!r}")
        try:
            found = any(match.is_file() for match in folder.glob(glob))
        except ValueError as error:
            raise wrong_key(path, key, f"not a pattern: {glob!r} ({error})") from error
        if not found:
            raise wrong_key(path, key, f"no file in {folder} matches {glob!r}")
