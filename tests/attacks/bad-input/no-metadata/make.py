from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    del document["metadata"], document["nbformat_minor"]
    for cell in document["cells"]:
        cell.pop("metadata"), cell.pop("outputs", None), cell.pop("execution_count", None)
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
