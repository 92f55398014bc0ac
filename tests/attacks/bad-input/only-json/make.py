from __future__ import annotations


def write(folder, student, notebooks):
    (folder / f"{student}.ipynb").write_bytes(b'{"answers": [1, 2, 3]}')
