from __future__ import annotations

import zipfile


def write(folder, student, notebooks):
    with zipfile.ZipFile(folder / f"{student}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small.ipynb", notebooks.solved)
        archive.writestr("a\nb.ipynb", b"{}")
        archive.writestr("n" * 5_000 + ".ipynb", b"{}")
