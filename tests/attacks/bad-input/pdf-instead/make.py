from __future__ import annotations


def write(folder, student, notebooks):
    (folder / f"{student}.pdf").write_bytes(b"%PDF-1.7 ...")
