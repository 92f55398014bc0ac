"""What a batch needs to know of an assignment, and of the machine that judges it."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

import msgspec

from grader import __version__
from grader.course.directory import Assignment
from grader.course.secret import seeds_key
from grader.course.spec import AssignmentSpec
from grader.errors import SpecError
from grader.grading.job import BatchConfig, NotebookConfig
from grader.release.given_cells import GivenCell
from grader.sandbox.choose import Choice
from grader.sandbox.gpus import gpus_for

_PACKAGES = ("torch", "numpy", "matplotlib", "ipython", "pytest")
_HURRIED_S = 60.0
"""Most that the cells, and most that the suite may take on a notebook that is wrong on purpose."""


def batch_config(
    assignment: Assignment,
    choice: Choice,
    seed: int,
    *,
    slots: int | None = None,
    gpus: tuple[str, ...] = (),
) -> BatchConfig:
    """The setting of a batch; the hashes by which verdicts are used again are left out.

    Args:
        assignment: as the course has it.
        choice: where it runs.
        seed: of the batch.
        slots: how many at once; default: as many as the machine has cores for.
        gpus: the devices; a submission has one alone, so they decide how many run at once.
    """
    return BatchConfig(
        assignment=assignment.name,
        spec=assignment.spec,
        bundle_sha256="",
        hidden=str(assignment.hidden_dir),
        reference=str(assignment.reference_path),
        notebooks=tuple(
            NotebookConfig(name=name, reference=str(path))
            for name, path in assignment.reference_paths.items()
            if name
        ),
        data=str(assignment.data_dir) if assignment.data_files() else "",
        given=assignment.given_contents(),
        sandbox=choice.sandbox,
        isolation=choice.isolation,
        image=choice.image,
        hide=tuple(str(p) for p in choice.hide),
        seed=seed,
        seed_key=seeds_key(assignment.course_root),
        slots=len(gpus) or slots or default_slots(assignment.spec),
        grader_version=__version__,
        packages=installed_packages(),
        gpus=gpus,
        runtime=choice.runtime,
    )


def with_released_cells(config: BatchConfig, assignment: Assignment) -> BatchConfig:
    """Return the setting with the cells of the released notebook, where a person reads answers."""
    if assignment.spec.notebooks:
        cells_of = {part.notebook: released_cells(part) for part in assignment.notebooks}
        notebooks = (
            msgspec.structs.replace(n, released=cells_of[n.name]) for n in config.notebooks
        )
        return msgspec.structs.replace(config, notebooks=tuple(notebooks))
    cells = released_cells(assignment)
    return msgspec.structs.replace(config, released=cells) if cells else config


def released_cells(assignment: Assignment) -> tuple[GivenCell, ...]:
    """Return the cells of the released notebook, where a person reads answers.

    A reference that makes no notebook has released none: answers are then found by their marker.
    """
    if not assignment.spec.manual_points:
        return ()
    # jupytext takes a third of a second to import; most batches need no released notebook.
    from grader.release.questions import given_cells

    try:
        return given_cells(assignment)
    except SpecError:
        return ()


def trial_config(
    assignment: Assignment, choice: Choice, seed: int, *, slots: int = 2
) -> BatchConfig:
    """The setting of a batch whose verdicts nobody keeps; of wrong values nobody asks the kind."""
    gpus = gpus_for(assignment.spec.resources)
    config = batch_config(assignment, choice, seed, slots=slots, gpus=gpus)
    return msgspec.structs.replace(config, diagnoses=False)


def hurried(config: BatchConfig) -> BatchConfig:
    """Return the setting for notebooks that are wrong on purpose: neither may take long.

    What an attack earns it earns at once, and a mutant that loops for ever is noticed long before.
    """
    resources = config.spec.resources
    resources = msgspec.structs.replace(
        resources,
        notebook_s=min(resources.notebook_s, _HURRIED_S),
        suite_s=min(resources.suite_s, _HURRIED_S),
    )
    return msgspec.structs.replace(
        config, spec=msgspec.structs.replace(config.spec, resources=resources)
    )


def default_slots(spec: AssignmentSpec) -> int:
    """As many as there are cores for, at the threads that each submission may use."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, cores // max(spec.resources.threads, 1))


def installed_packages() -> dict[str, str]:
    """Versions on the judge's side."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
