from __future__ import annotations

import nbformat

READ = """\
try:
    with open("helper.py") as file:
        print("read:", file.readline()[:4])
except OSError as error:
    print(error)
"""


def write(folder, student, notebooks):
    (folder / student).mkdir()
    cell = nbformat.v4.new_code_cell(READ, id="read")
    (folder / student / "small.ipynb").write_bytes(notebooks.mixed("released", [cell], first=False))
    (folder / student / "helper.py").symlink_to("/etc/passwd")
