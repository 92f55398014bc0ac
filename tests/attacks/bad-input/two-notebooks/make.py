from __future__ import annotations


def write(folder, student, notebooks):
    (folder / student).mkdir()
    (folder / student / "scratch.ipynb").write_bytes(notebooks.released)
    (folder / student / "small.ipynb").write_bytes(notebooks.solved)
