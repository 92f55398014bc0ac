"""An assignment's bundle by value: all that can change a mark, for a machine that shares no files.

What travels is the spec, the hidden suite, the reference and the data, as bytes with names.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from grader.course.directory import Assignment
from grader.errors import InfrastructureError
from grader.grading.job import BatchConfig

_PREFIX = "grader-bundle-"


class PackedBundle(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a bundle, named from the course's root."""

    sha256: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class UnpackedBundle:
    """A bundle in a folder that only its owner can read; `setting` names its files."""

    config: BatchConfig
    folder: Path


def pack(assignment: Assignment) -> bytes:
    """Return the bundle as bytes."""
    root = assignment.course_root
    files = {p.relative_to(root).as_posix(): p.read_bytes() for p in assignment.bundle_files()}
    return msgspec.msgpack.encode(PackedBundle(sha256=assignment.bundle_sha256(), files=files))


def unpack(data: bytes, config: BatchConfig, *, below: Path) -> UnpackedBundle:
    """Write a bundle into a new folder, and name its files in the setting.

    Args:
        data: what `pack` returned.
        setting: of the batch.
        below: where the folder is made.

    Raises:
        InfrastructureError: it is damaged, or not the one that the setting means.
    """
    try:
        packed = msgspec.msgpack.decode(data, type=PackedBundle)
    except msgspec.MsgspecError as error:
        raise InfrastructureError("the assignment's bundle arrived damaged") from error
    below.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{packed.sha256[:12]}-", dir=below))
    for name, content in packed.files.items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise InfrastructureError("a name in the bundle leads out of its folder", where=name)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assignment = Assignment(name=config.assignment, course_root=folder, spec=config.spec)
    if assignment.bundle_sha256() != config.bundle_sha256:
        raise InfrastructureError("the assignment's bundle is not the one of this batch")
    return UnpackedBundle(
        config=msgspec.structs.replace(
            config,
            hidden=str(assignment.hidden_dir),
            reference=str(assignment.reference_path),
            notebooks=tuple(
                msgspec.structs.replace(n, reference=str(assignment.reference_paths[n.name]))
                for n in config.notebooks
            ),
            data=str(assignment.data_dir) if assignment.data_files() else "",
            hide=(*config.hide, str(folder)),
        ),
        folder=folder,
    )
