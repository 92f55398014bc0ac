from __future__ import annotations


def write(folder, student, notebooks):
    text = notebooks.solved.decode().replace("# Small", "# Kleine Übung")
    (folder / f"{student}.ipynb").write_bytes(text.encode("latin-1"))
