from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    for cell, wrong in zip(document["cells"], [1, None, {}, [], "", "a b"] * 9, strict=False):
        cell["id"] = wrong
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
