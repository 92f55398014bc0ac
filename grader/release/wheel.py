"""This package as a wheel, made of what is installed: for a place that can't install it by name."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from grader import __version__
from grader.errors import GraderError
from grader.resources import Shipped, shipped_dir

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PACKAGE = Path(__file__).resolve().parents[1]
_KINDS: tuple[Shipped, ...] = ("templates",)
_NO_CODE = frozenset({"__pycache__", "_shipped"})


def requirements(*, without: frozenset[str] = frozenset()) -> list[str]:
    """What this package needs, in the versions that are installed here; sorted.

    Raises:
        GraderError: the package is not installed, so that nothing says what it needs.
    """
    pinned = []
    for line in _metadata().requires or []:
        if "extra ==" in line:
            continue
        name = _name_of(line)
        if name not in without:
            # A local part ("+cpu") names a build that no index has.
            pinned.append(f"{name}=={distribution(name).version.partition('+')[0]}")
    return sorted(pinned)


def wheel() -> tuple[str, bytes]:
    """The file name and the bytes of a wheel; the same installation gives the same bytes.

    Raises:
        GraderError: the package is not installed.
    """
    info = f"grader-{__version__}.dist-info"
    metadata = _metadata().metadata
    head = f"Metadata-Version: 2.1\nName: grader\nVersion: {__version__}\n"
    if "Requires-Python" in metadata:
        head += f"Requires-Python: {metadata['Requires-Python']}\n"
    files = dict(_package_files())
    files[f"{info}/METADATA"] = head.encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: grader\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/entry_points.txt"] = (
        b"[console_scripts]\ngrader = grader.cli:main\n\n[pytest11]\ngrader = grader.suite.plugin\n"
    )
    record = f"{info}/RECORD"
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in sorted(files.items())]
    files[record] = ("\n".join([*lines, f"{record},,"]) + "\n").encode()
    return f"grader-{__version__}-py3-none-any.whl", zipped(files)


def zipped(files: dict[str, bytes], *, executable: frozenset[str] = frozenset()) -> bytes:
    """Pack files with fixed times, modes and order: the same contents give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, data, compresslevel=9)
    return packed.getvalue()


def _metadata() -> Distribution:
    try:
        return distribution("grader")
    except PackageNotFoundError as error:
        raise GraderError(
            "grader is not installed as a package, so that nothing says what it needs",
            hint="Install it, for example with: pip install -e .",
        ) from error


def _package_files() -> Iterator[tuple[str, bytes]]:
    for path in sorted(_PACKAGE.rglob("*")):
        inner = path.relative_to(_PACKAGE)
        if path.is_file() and not _NO_CODE & set(inner.parts) and path.suffix != ".pyc":
            yield f"grader/{inner.as_posix()}", path.read_bytes()
    for kind in _KINDS:
        root = shipped_dir(kind)
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield (
                    f"grader/_shipped/{kind}/{path.relative_to(root).as_posix()}",
                    path.read_bytes(),
                )


def _name_of(requirement: str) -> str:
    name = requirement
    for sign in "[<>=!~; (":
        name = name.partition(sign)[0]
    return name.strip()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
