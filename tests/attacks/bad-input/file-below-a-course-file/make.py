from __future__ import annotations


def write(folder, student, notebooks):
    below = folder / student / "given.py"
    below.mkdir(parents=True)
    (below / "helper.py").write_bytes(b"")
    (folder / student / "small.ipynb").write_bytes(notebooks.solved)
