from __future__ import annotations


def write(folder, student, notebooks):
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    (folder / f"{student}.ipynb").write_bytes(
        notebooks.solved.replace(b'"metadata": {', b'"metadata": {"deep": ' + deep + b",", 1)
    )
