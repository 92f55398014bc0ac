"""What a batch needs to know when an assignment is only tried: nothing of it is recorded."""

from __future__ import annotations

from grader import __version__
from grader.api.grading import installed_packages
from grader.course.directory import Assignment
from grader.grading.job import Setting
from grader.sandbox.choose import Choice
from grader.sandbox.gpus import gpus_for


def trial_setting(assignment: Assignment, choice: Choice, seed: int) -> Setting:
    """The setting of a batch whose verdicts nobody keeps."""
    gpus = gpus_for(assignment.spec.resources.gpu, ())
    return Setting(
        assignment=assignment.name,
        spec=assignment.spec,
        bundle_sha256="",
        hidden=str(assignment.hidden_dir),
        reference=str(assignment.reference_path),
        data=str(assignment.data_dir) if assignment.data_files() else "",
        sandbox=choice.sandbox,
        isolation=choice.isolation,
        image=choice.image,
        hide=tuple(str(p) for p in choice.hide),
        seed=seed,
        slots=len(gpus) or 2,
        gpus=gpus,
        runtime=choice.runtime,
        grader_version=__version__,
        packages=installed_packages(),
    )
