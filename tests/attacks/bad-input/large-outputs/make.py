from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    text = "x" * 20_000_000
    cell = next(c for c in document["cells"] if c["cell_type"] == "code")
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
