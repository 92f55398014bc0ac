from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    error = {
        "output_type": "error",
        "ename": "E",
        "evalue": "old",
        "traceback": ["kept " + "error"],
    }
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [error]
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
