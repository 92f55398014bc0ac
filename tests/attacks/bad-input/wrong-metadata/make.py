from __future__ import annotations

import json


def write(folder, student, notebooks):
    document = json.loads(notebooks.solved)
    kernel = {"name": "evil", "display_name": "x", "argv": ["/bin/sh", "-c", "id"]}
    document["metadata"] = {"kernelspec": kernel, "grader": {"points": 10}, "language_info": 3}
    for cell in document["cells"]:
        cell["metadata"] = {"nbgrader": {"grade": True, "points": 99, "locked": True}, "tags": 7}
    (folder / f"{student}.ipynb").write_bytes(json.dumps(document).encode())
