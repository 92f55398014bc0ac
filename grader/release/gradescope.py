"""An assignment as a zip that Gradescope takes for an autograder."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.course.directory import ASSIGNMENTS, REFERENCE, Assignment, check_assignment
from grader.errors import SpecError, UsageError
from grader.release.wheel import requirements, wheel, zipped
from grader.resources import shipped_dir

SCRIPTS = frozenset({"setup.sh", "run_autograder"})
# For what only a course directory needs: the gradebook, pages, engines.
_NOT_THERE = frozenset({"docker", "openpyxl", "xlsxwriter"})
_ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.:/_~%@-]*")


def gradescope_bundle(assignment: Assignment, *, index_url: str = "") -> bytes:
    """Make the autograder's zip; the same assignment and installation give the same bytes.

    Args:
        assignment: with its hidden suite, which is in the zip: upload it, give it to nobody.
        index_url: where setup.sh gets packages from; default: where pip gets them.

    Raises:
        SpecError: a part of the assignment is missing, or it needs a GPU.
        UsageError: the address is none.
    """
    check_assignment(assignment)
    if assignment.spec.resources.gpu is True:
        raise SpecError(
            "this assignment needs a GPU, and Gradescope has none",
            where=assignment.spec_path,
            hint='Set gpu = "optional" in [resources], or grade on a machine of your own.',
        )
    if index_url and not _ADDRESS.fullmatch(index_url):
        raise UsageError(
            f"this is no address of a package index: {index_url!r}",
            hint="For example --index-url https://packages.example.edu/simple",
        )
    name, built = wheel()
    pinned = [*requirements(without=_NOT_THERE), *assignment.spec.box.libraries]
    files = {
        "setup.sh": _script("setup.sh", assignment, index_url),
        "run_autograder": _script("run_autograder", assignment, index_url),
        "requirements.txt": ("\n".join(pinned) + "\n").encode(),
        f"packages/{name}": built,
    }
    root = assignment.course_root
    for path in assignment.bundle_files():
        files[f"course/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    for folder in (ASSIGNMENTS, REFERENCE):
        if not any(file.startswith(f"course/{folder}/") for file in files):
            raise SpecError("a part of the assignment is missing", where=Path(folder))
    return zipped(files, executable=SCRIPTS)


def _script(name: str, assignment: Assignment, index_url: str) -> bytes:
    environment = Environment(
        loader=FileSystemLoader([shipped_dir("templates")]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        # Shell, made of a name of letters, digits, - and _, of packages' names, which `load_spec`
        # has checked, and of an address as checked above.
        autoescape=False,  # noqa: S701
    )
    template = environment.get_template(f"gradescope/{name}.j2")
    index = f" --index-url {index_url}" if index_url else ""
    packages = " ".join(assignment.spec.box.packages)
    return template.render(name=assignment.name, index=index, packages=packages).encode()
