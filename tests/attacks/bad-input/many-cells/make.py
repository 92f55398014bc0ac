from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    cell = {"cell_type": "code", "source": "", "metadata": {}, "outputs": []}
    document["cells"] += [cell] * 20_000
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
