from __future__ import annotations

import zipfile


def write(folder, student, notebooks):
    with zipfile.ZipFile(folder / f"{student}.zip", "w") as archive:
        archive.writestr("small.ipynb", notebooks.solved)
        archive.writestr("../../climbed.ipynb", b"{}")
