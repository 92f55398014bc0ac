from __future__ import annotations

import zipfile


def write(folder, student, notebooks):
    with zipfile.ZipFile(folder / f"{student}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small.ipynb", notebooks.solved)
        link = zipfile.ZipInfo("mine.ipynb")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
