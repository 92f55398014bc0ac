from __future__ import annotations

import zipfile


def write(folder, student, notebooks):
    with zipfile.ZipFile(folder / f"{student}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small.ipynb", notebooks.solved)
        with archive.open("zeros.ipynb", "w", force_zip64=True) as member:
            for _ in range(300):
                member.write(bytes(1 << 20))
