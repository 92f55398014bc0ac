from __future__ import annotations

import io
import tarfile


def write(folder, student, notebooks):
    def add(name, data=b"", **more):
        member = tarfile.TarInfo(name)
        member.size = len(data)
        for key, value in more.items():
            setattr(member, key, value)
        archive.addfile(member, io.BytesIO(data))

    with tarfile.open(folder / f"{student}.tar.gz", "w:gz") as archive:
        add("small.ipynb", notebooks.solved)
        add("../../climbed.ipynb", b"{}")
