from __future__ import annotations


def write(folder, student, notebooks):
    (folder / f"{student}.ipynb").write_bytes(notebooks.solved.decode().encode("utf-16"))
