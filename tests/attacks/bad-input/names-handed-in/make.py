from __future__ import annotations

import zipfile


def write(folder, student, notebooks):
    with zipfile.ZipFile(folder / f"{student}.zip", "w") as archive:
        archive.writestr("small.ipynb", notebooks.solved)
        for name in ("helper.py", "HELPER.py", ".hidden.py", "n" * 200 + ".py"):
            archive.writestr(name, "x = 1")
        archive.writestr("../../climbed.py", "x = 1")
