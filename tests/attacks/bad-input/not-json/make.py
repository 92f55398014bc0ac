from __future__ import annotations


def write(folder, student, notebooks):
    (folder / f"{student}.ipynb").write_bytes(b"I could not finish this.")
