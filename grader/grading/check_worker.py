"""The worker of `grader check`: the public suite against one notebook, without a mark."""

from __future__ import annotations

from typing import Any

from grader.errors import InfrastructureError
from grader.grading.job import CellStarted, Checked, Job, Judged, WorkerError
from grader.grading.make_verdict import not_judged
from grader.grading.suite_children import SuiteChildren
from grader.grading.worker import Worker
from grader.intake.answers import written_answers
from grader.intake.notebook import ReadNotebook, read_notebook
from grader.sandbox.executed import executed_notebook
from grader.sandbox.limits import run_limits
from grader.sandbox.notebook_box import NotebookBox
from grader.suite.causes import causes
from grader.suite.randomness import Seeds


class CheckWorker(Worker):
    """Serves notebooks that their authors check; what goes wrong is said, not recorded."""

    def _judge(self, job: Job) -> Judged | Checked | WorkerError:
        try:
            return self._check(job, read_notebook(job.data, name=job.file))
        except InfrastructureError as error:
            self._slot.stop()
            return not_judged(job, self._config, error)

    def _check(self, job: Job, notebook: ReadNotebook) -> Checked:
        config = self._config
        suite = self._parts[job.notebook] if job.notebook else self._suite

        def on_cell(cell: int, cells: int) -> None:
            self._say(CellStarted(student=job.student, cell=cell, cells=cells))

        box = NotebookBox(
            self._slot,
            notebook.sources,
            files={**job.files, **config.given},
            limits=run_limits(config.spec),
            seed=Seeds(config.seed, config.seed_key).of_notebook(),
            on_cell=on_cell,
        )
        try:
            run = box.run()
            executed: dict[str, Any] = executed_notebook(notebook, run)
            results = SuiteChildren(
                suite, config, box, executed, written_answers(notebook)
            ).results()
        finally:
            box.close()
        said = causes(notebook.sources, run.cells, results, not_taken=job.unused)
        return Checked(
            results=tuple(results),
            cells=tuple(run.cells),
            notes=(*said.notes, *job.notes, *notebook.repairs, *run.notes),
            missing_modules=said.missing_modules,
        )
