from __future__ import annotations

import os


def write(folder, student, notebooks):
    (folder / student).mkdir()
    os.mkfifo(folder / student / "small.ipynb")
