from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    cell = next(c for c in document["cells"] if c["cell_type"] == "code")
    cell["metadata"] = {"loss": float("nan"), "best": float("inf")}
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
