from __future__ import annotations


def write(folder, student, notebooks):
    (folder / f"{student}.ipynb").write_bytes(notebooks.solved.replace(b"import", b"imp\x00rt"))
