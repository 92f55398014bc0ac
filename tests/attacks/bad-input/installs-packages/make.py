from __future__ import annotations

import nbformat


def write(folder, student, notebooks):
    cell = nbformat.v4.new_code_cell("!pip install -q torch==2.99", id="case-0")
    (folder / f"{student}.ipynb").write_bytes(notebooks.mixed("solved", [cell], first=True))
