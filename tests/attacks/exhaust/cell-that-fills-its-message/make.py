from __future__ import annotations

import nbformat

from grader.wire.frames import MAX_TREE


def write(folder, student, notebooks):
    cell = nbformat.v4.new_code_cell("#" * MAX_TREE, id="long")
    data = notebooks.mixed("none", [cell], first=False)
    (folder / f"{student}.ipynb").write_bytes(data)
