"""What runs in Gradescope's container: one submission in, one `results.json` out.

python -m grader.api.autograder /autograder mlp-backprop
"""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import msgspec

from grader.api.batch_config import trial_config, with_released_cells
from grader.course.directory import Assignment, Course
from grader.errors import GraderError, InfrastructureError
from grader.grading.batch import grade_batch
from grader.grading.fresh_seed import fresh_seed
from grader.grading.job import Job, Judged
from grader.grading.verdict import Verdict
from grader.intake.accepted_files import beside_of
from grader.intake.choice import NoChoiceError, is_notebook_name
from grader.intake.folder import folder_members
from grader.intake.members import Member
from grader.intake.several_notebooks import what_counts
from grader.intake.submission import read_submission
from grader.report.gradescope import results_json
from grader.sandbox.choose import choose_in_container
from grader.storage import write_atomically

STUDENT = "student"
NOT_GRADED = (
    "This submission was not graded, through a fault on our side. Please tell your instructor."
)
NOTHING = {"output": NOT_GRADED, "output_format": "text", "stdout_visibility": "hidden"}
_MAX_METADATA = 4 << 20


def main(arguments: list[str] | None = None) -> int:
    """Grade what lies in ROOT/submission and write ROOT/results/results.json.

    Trouble of ours is no mark: the result then has no score, and the exit code is 1.
    """
    root, name = (sys.argv[1:] if arguments is None else arguments)[:2]
    place = Path(root)
    results = place / "results" / "results.json"
    try:
        document = autograde(place, name)
    except GraderError as error:
        # For the instructor alone: Gradescope keeps this from students.
        print(f"Error: {error}", file=sys.stderr)
        document = dict(NOTHING)
    except Exception:  # noqa: BLE001 - whatever went wrong, it must not become a mark
        traceback.print_exc()
        document = dict(NOTHING)
    write_results(results, document)
    return 0 if "score" in document else 1


def autograde(root: Path, name: str) -> dict[str, Any]:
    """Grade the one submission and return the fields of `results.json`.

    Raises:
        GraderError: the assignment, the suite or the sandbox can't be used.
    """
    began = time.monotonic()
    _require_root()
    protect(root)
    assignment = Course(root / "source" / "course").assignment(name)
    choice = choose_in_container(hide=(root,))
    print(f"Sandbox: {choice.sandbox} ({choice.why})", file=sys.stderr)
    config = with_released_cells(trial_config(assignment, choice, seed=fresh_seed()), assignment)
    print(f"Seed: {config.seed}", file=sys.stderr)
    config = msgspec.structs.replace(
        config, slots=1, bundle_sha256=assignment.bundle_sha256(), diagnoses=True
    )
    verdicts: list[Verdict] = []

    def keep(judged: Judged) -> None:
        verdicts.append(judged.verdict)

    grade_batch(config, [_job(root, assignment)], keep)
    if not verdicts:
        raise InfrastructureError("there is no verdict", hint="Run the autograder again.")
    for test in verdicts[0].broken_tests:  # for the instructor, who mends it and uploads again
        print(f"The suite is broken in {test.name}: {test.details}", file=sys.stderr)
    document = results_json(verdicts[0], spec=assignment.spec, now=dt.datetime.now(dt.UTC))
    document["execution_time"] = round(time.monotonic() - began, 3)
    document["extra_data"] |= {"sandbox": choice.sandbox, "submission": submission_id(root)}
    return document


def protect(root: Path) -> None:
    """Keep every file of the autograder from other users: the notebook runs as one."""
    for name in ("source", "results"):
        folder = root / name
        folder.mkdir(exist_ok=True)
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)
    metadata = root / "submission_metadata.json"
    if metadata.is_file() and not metadata.is_symlink():
        metadata.chmod(0o600)


def submission_id(root: Path) -> str | None:
    """What Gradescope calls the submission; nothing of its metadata decides over marks."""
    path = root / "submission_metadata.json"
    try:
        if path.stat().st_size > _MAX_METADATA:
            return None
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    found = document.get("id") if isinstance(document, dict) else None
    return str(found)[:64] if isinstance(found, int | str) else None


def write_results(path: Path, document: dict[str, Any]) -> None:
    """Write the result whole or not at all, in a folder that only root may write to."""
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o700)
    write_atomically(path, json.dumps(document, indent=2).encode(), mode=0o600)


def _require_root() -> None:
    if sys.platform != "linux" or os.getuid() != 0:
        raise InfrastructureError(
            "the autograder must run as root on Linux",
            hint="Gradescope runs it so; elsewhere use `grader grade`.",
        )


def _job(root: Path, assignment: Assignment) -> Job:
    """The notebook among the submitted files, chosen as `grader collect` chooses."""
    beside = beside_of(assignment)
    members = list(
        folder_members(
            root / "submission", wanted=lambda path: is_notebook_name(path) or beside.wanted(path)
        )
    )
    named = [m for m in members if isinstance(m, Member) and is_notebook_name(m.path)]
    files = [m for m in named if m.content is not None]
    try:
        if not files:
            raise NoChoiceError("There is no notebook among the files; hand in the .ipynb file.")
        counted = what_counts(files, members, assignment=assignment.name, beside=beside)
    except NoChoiceError as problem:
        return Job(student=STUDENT, file="", data=b"", sha256="", problem=str(problem))
    found = read_submission(
        counted.content,
        student=STUDENT,
        file=counted.file,
        notebook=counted.notebook,
        beside=counted.beside,
    )
    return Job(
        student=STUDENT,
        file=found.file,
        data=found.read(),
        notebook=found.notebook,
        files=found.read_files(),
        unused=found.unused,
        sha256=found.sha256,
        problem=found.problem,
        notes=found.notes,
    )


if __name__ == "__main__":
    sys.exit(main())
