from __future__ import annotations

import zipfile


def write(folder, student, notebooks):
    with zipfile.ZipFile(folder / f"{student}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small.ipynb", notebooks.solved)
    path = folder / f"{student}.zip"
    path.write_bytes(path.read_bytes()[:-30])
