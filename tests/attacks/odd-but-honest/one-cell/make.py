from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    sources = ["".join(c["source"]) for c in document["cells"] if c["cell_type"] == "code"]
    cell = {"cell_type": "code", "source": "\n\n".join(sources), "metadata": {}, "outputs": []}
    document["cells"] = [cell | {"execution_count": None, "id": "all"}]
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
