from __future__ import annotations


def write(folder, student, notebooks):
    (folder / f"{student}.py").write_text("print(1)")
