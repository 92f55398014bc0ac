"""What lies beside a notebook of another system: files, pictures, and what text links to."""

from __future__ import annotations

import ast
import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from grader.conversion.draft import Draft, DraftCell, DraftTest, Remark
from grader.conversion.notebook_file import ForeignCell
from grader.course.given_files import MAX_BYTES, not_beside
from grader.source.cells import parse_cell

_PICTURES = "pictures"
_ATTACHED = re.compile(r"attachment:(?P<name>[^)\s\"'>]+)")
_LINKED = re.compile(
    r"""!?\[[^\]]*\]\(\s*<?(?P<markdown>[^)\s>]+)|<(?:img|a|source|video)\b[^>]*?(?:src|href)\s*=\s*["'](?P<html>[^"']+)""",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class CompanionFiles:
    """Where the files of a source go.

    Attributes:
        given: path beside the notebook → file; students and box have it at that place.
        data: path within `data/` → file.
        made: path beside the notebook → bytes of a picture that was pasted into text.
        remarks: what a person must know of it.
    """

    given: Mapping[str, Path] = field(default_factory=dict)
    data: Mapping[str, Path] = field(default_factory=dict)
    made: Mapping[str, bytes] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()

    @property
    def modules(self) -> set[str]:
        """What can be imported because it lies beside the notebook."""
        return {PurePosixPath(name).parts[0].removesuffix(".py") for name in self.given}

    @property
    def patterns(self) -> list[str]:
        """What `[box] files` must name."""
        return [glob.escape(name) for name in sorted({*self.given, *self.made})]


def with_pictures(cell: ForeignCell, made: dict[str, bytes]) -> ForeignCell:
    """Let the text of a cell show its pasted pictures as files, which are added to `made`."""

    def link(match: re.Match[str]) -> str:
        wanted = unquote(match["name"])
        data = cell.attachments.get(wanted, cell.attachments.get(match["name"]))
        if data is None:
            return match[0]
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip(".-")[-60:] or "picture.png"
        name = f"{_PICTURES}/cell-{cell.place.cell}-{plain}"
        made[name] = data
        return name

    if not cell.attachments:
        return cell
    return replace(cell, source=_ATTACHED.sub(link, cell.source))


def mentioned(draft: Draft, root: Path) -> list[Path]:
    """The files below `root` that text shows or links to, and that code and tests name."""
    found = []
    for cell in draft.cells:
        for name in _names_in(cell):
            file = _inside(root, name)
            if file is not None and file.is_file() and file.suffix != ".ipynb":
                found.append(file)
    return list(dict.fromkeys(found))


def _names_in(cell: DraftCell | DraftTest) -> Iterator[str]:
    if isinstance(cell, DraftCell) and cell.kind == "markdown":
        for match in _LINKED.finditer(cell.source):
            yield unquote((match["markdown"] or match["html"]).partition("#")[0])
    tree = parse_cell(cell.source) if isinstance(cell, DraftTest) or cell.kind == "code" else None
    for node in ast.walk(tree) if tree else ():
        match node:
            case ast.Constant(value=str(name)) if len(name.encode("utf-8", "replace")) <= 255:
                yield name


def named(names: object, root: Path) -> list[Path]:
    """The files and folders of a list of names that lie below `root`."""
    found = [_inside(root, str(name)) for name in names] if isinstance(names, list) else []
    return [file for file in found if file is not None and file.exists()]


def sorted_out(draft: Draft, files: Sequence[Path], root: Path) -> CompanionFiles:
    """Say where each file goes: where the notebook finds it, or into `data/` if it may not."""
    given: dict[str, Path] = {}
    data: dict[str, Path] = {}
    remarks: list[Remark] = []
    size = sum(map(len, draft.pictures.values()))
    for file in dict.fromkeys(f for path in files for f in _files(path)):
        name = file.relative_to(root).as_posix()
        if name.startswith("data/"):
            data[name.removeprefix("data/")] = file
            continue
        why = not_beside(name)
        size += 0 if why else file.stat().st_size
        if why is None and size <= MAX_BYTES:
            given[name] = file
            continue
        data[name] = file
        moved = f"{name} lies at data/{name} now: {why or 'it is too large to be next to it'}"
        remarks.append(Remark("look", _reader(draft, file.name), f"{moved}; change what reads it"))
    return CompanionFiles(given, data, draft.pictures, tuple(remarks))


def lacking(modules: Iterable[str]) -> list[str]:
    """Those of the modules that the judge's own Python does not have."""
    from importlib.util import find_spec

    return sorted({m for m in modules if m not in sys.stdlib_module_names and find_spec(m) is None})


def _reader(draft: Draft, name: str) -> str:
    cells = [cell for cell in draft.shown if name in cell.source] or list(draft.shown[:1])
    return str(cells[0].place) if cells else name


def _inside(root: Path, name: str) -> Path | None:
    """The path of a name below `root`; None where it leads elsewhere, or through a link."""
    if not name or "\0" in name or re.match(r"[a-z][a-z0-9+.-]*:", name, re.IGNORECASE):
        return None
    path = Path(os.path.normpath(root / PurePosixPath(name)))
    if not path.is_relative_to(root) or path == root:
        return None
    inner = path.relative_to(root).parts
    links = any(root.joinpath(*inner[: n + 1]).is_symlink() for n in range(len(inner)))
    return None if links else path


def _files(path: Path) -> list[Path]:
    """A file, or all of a folder, without links, dotfiles and caches."""
    if path.is_symlink() or path.name.startswith((".", "__")):
        return []
    if path.is_dir():
        return [file for inner in sorted(path.iterdir()) for file in _files(inner)]
    return [path] if path.is_file() else []
