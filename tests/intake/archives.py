"""Archives for tests, the hostile ones made by hand."""

from __future__ import annotations

import io
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

from grader.intake.archive import ArchiveLimits, Member, RefusedMember, read_archive

NOTEBOOK = b'{"cells": [{"cell_type": "code", "source": "x = 1"}], "nbformat": 4}'


def zip_info(
    name: str, *, mode: int = stat.S_IFREG | 0o644, method: int = zipfile.ZIP_DEFLATED
) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x", date_time=(2024, 10, 30, 12, 0, 0))
    info.filename = info.orig_filename = name  # past ZipInfo's own cleaning
    info.external_attr = mode << 16
    info.create_system = 3
    info.compress_type = method
    return info


def make_zip(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # "Duplicate name" is what some tests are about
        for name, data in members:
            info = zip_info(name) if isinstance(name, str) else name
            archive.writestr(info, data)
    return buffer.getvalue()


def tar_info(name: str, *, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.mtime = 1_730_000_000
    return info


def make_tar(
    *members: tuple[str | tarfile.TarInfo, bytes], gz: bool = False, form: int = tarfile.PAX_FORMAT
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if gz else "w", format=form) as archive:
        for name, data in members:
            info = tar_info(name) if isinstance(name, str) else name
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def items(
    data: bytes, folder: Path, name: str = "class.zip", limits: ArchiveLimits | None = None
) -> list[Member | RefusedMember]:
    path = folder / name
    path.write_bytes(data)
    return list(read_archive(path, limits=limits or ArchiveLimits()))


def good(found: Iterable[Member | RefusedMember]) -> dict[str, bytes]:
    return {m.path: m.content.read() for m in found if isinstance(m, Member) and m.content}


def refused(found: Iterable[Member | RefusedMember]) -> dict[str, str]:
    return {m.name: m.reason for m in found if isinstance(m, RefusedMember)}
