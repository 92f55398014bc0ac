from __future__ import annotations

import nbformat

READ = """\
from pathlib import Path

print("size:", sum(p.stat().st_size for p in Path().glob("helper.py")))
"""


def write(folder, student, notebooks):
    (folder / student).mkdir()
    cell = nbformat.v4.new_code_cell(READ, id="read")
    (folder / student / "small.ipynb").write_bytes(notebooks.mixed("released", [cell], first=False))
    (folder / student / "helper.py").write_bytes(b"#" * 3_000_000)
