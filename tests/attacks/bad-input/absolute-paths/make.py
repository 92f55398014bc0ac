from __future__ import annotations

import nbformat


def write(folder, student, notebooks):
    source = "data = open('C:/Users/ada/Desktop/numbers.csv').read()"
    cell = nbformat.v4.new_code_cell(source, id="case-0")
    (folder / f"{student}.ipynb").write_bytes(notebooks.mixed("solved", [cell], first=True))
