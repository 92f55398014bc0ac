from __future__ import annotations


def write(folder, student, notebooks):
    name = f"{student}<img src=x onerror=name()>.ipynb"
    (folder / name).write_bytes(notebooks.released)
