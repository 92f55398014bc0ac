from __future__ import annotations


def write(folder, student, notebooks):
    (folder / f"{student}.ipynb").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj")
