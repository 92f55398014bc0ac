from __future__ import annotations


def write(folder, student, notebooks):
    (folder / student).mkdir()
    (folder / student / "readme.txt").write_text("see my other mail")
