from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    for cell in document["cells"]:
        cell.pop("id")
    document["nbformat_minor"] = 4
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
