from __future__ import annotations

import json


def write(folder, student, notebooks):
    cells = json.loads(notebooks.solved)["cells"]
    sheet = [
        {"cell_type": "code", "language": "python", "input": c["source"], "outputs": []}
        for c in cells
        if c["cell_type"] == "code"
    ]
    document = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": sheet}]}
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
