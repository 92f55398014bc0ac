"""Whoever opens what students hand in as it comes: unpacks, looks for one name, trusts the JSON."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
from pathlib import Path

import nbformat

from tests.attacks.batches import Weak
from tests.attacks.corpus import Case, Notebooks, hand_in

LIMIT = 200 << 20
NAME = "student"


def run(case: Case, root: Path, notebooks: Notebooks) -> Weak:
    """Open what the case hands in; tell what came of it."""
    folder, inner = root / "in", root / "a" / "b" / "out"
    folder.mkdir(parents=True)
    inner.mkdir(parents=True)
    Path("/tmp/grader-test-secret").write_text("x")
    hand_in(case, folder, NAME, notebooks)
    try:
        text = _open(folder, inner)
    except Exception as error:  # noqa: BLE001 - whatever a careless reader ends with
        return Weak(score=None, text=repr(error), broke=True)
    finally:
        left = [Path("/tmp/grader-test-absolute.ipynb"), Path("/tmp/grader-test-secret")]
        for path in left:
            path.unlink(missing_ok=True)
    found = [p for p in root.rglob("*") if p.is_file() and p.is_relative_to(root / "a")]
    found = [p for p in found if not p.is_relative_to(inner)]
    text += "".join(f"outside: {p.name}\n" for p in found)
    shutil.rmtree(root)
    return Weak(score=10.0, text=text)


def _open(folder: Path, inner: Path) -> str:
    for archive in (folder / f"{NAME}.zip", folder / f"{NAME}.tar.gz"):
        if archive.exists():
            return (_unzip if archive.suffix == ".zip" else _untar)(archive, inner)
    notebook = folder / f"{NAME}.ipynb"
    nbformat.validate(nbformat.read(notebook, as_version=4))
    return ""


def _unzip(archive: Path, inner: Path) -> str:
    said, unpacked = "", 0
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            target = inner / member.filename
            mode = member.external_attr >> 16
            if stat.S_ISLNK(mode):
                target.symlink_to(opened.read(member).decode())
                said += f"link to {target.readlink()}\n"
                continue
            unpacked += member.file_size
            if unpacked > LIMIT:
                return f"{said}unpacked more than {LIMIT >> 20} MB\n"
            target.write_bytes(opened.read(member))
            if not target.resolve().is_relative_to(inner.resolve()):
                said += f"outside: {target.name}\n"
    return said


def _untar(archive: Path, inner: Path) -> str:
    said = ""
    with tarfile.open(archive) as opened:
        opened.extractall(inner, filter="fully_trusted")
    secret = Path("/tmp/grader-test-secret")
    for path in inner.iterdir():
        mode = path.lstat().st_mode
        said += f"link to {path.readlink()}\n" if stat.S_ISLNK(mode) else ""
        said += f"a pipe: {path.name}\n" if stat.S_ISFIFO(mode) else ""
        said += f"a device: {path.name}\n" if stat.S_ISCHR(mode) else ""
        if stat.S_ISREG(mode) and path.samefile(secret):
            said += f"hard link to {secret}\n"
    return said
