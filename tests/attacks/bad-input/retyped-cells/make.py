from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    document["cells"] += [
        {"cell_type": "widget", "source": "x"},
        {"cell_type": "markdown", "source": ["a", "b"], "outputs": [1]},
        {"cell_type": "code", "source": {"a": 1}},
    ]
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
