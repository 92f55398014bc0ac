from __future__ import annotations


def write(folder, student, notebooks):
    (folder / student).mkdir()
    (folder / student / "small.ipynb").symlink_to("/etc/passwd")
