from __future__ import annotations


def write(folder, student, notebooks):
    (folder / student).mkdir()
    (folder / student / "small (2).ipynb").write_bytes(notebooks.solved)
