from __future__ import annotations


def write(folder, student, notebooks):
    (folder / student).mkdir()
    (folder / student / "small <img src=x onerror=file()>.ipynb").write_bytes(notebooks.released)
