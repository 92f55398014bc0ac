from __future__ import annotations

import nbformat

READ = """\
from pathlib import Path

print("files:", len(list(Path().glob("part*.py"))))
"""


def write(folder, student, notebooks):
    (folder / student).mkdir()
    cell = nbformat.v4.new_code_cell(READ, id="read")
    (folder / student / "small.ipynb").write_bytes(notebooks.mixed("released", [cell], first=False))
    for number in range(300):
        (folder / student / f"part{number:03}.py").write_text("")
