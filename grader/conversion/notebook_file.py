"""A notebook of another system, read as data with its metadata and outputs."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from grader.conversion.draft import CellKind, CellPlace
from grader.errors import SpecError

MAX_BYTES = 64 * 2**20
_KINDS = ("code", "markdown", "raw")


@dataclass(frozen=True)
class ForeignCell:
    """One cell as it lies in the file; nothing about its metadata is taken for granted."""

    place: CellPlace
    kind: CellKind
    source: str
    metadata: dict[str, Any] = field(default_factory=dict)
    outputs: tuple[dict[str, Any], ...] = ()
    attachments: Mapping[str, bytes] = field(default_factory=dict)


def read_cells(path: Path) -> list[ForeignCell]:
    """Read the cells of an nbformat 4 notebook.

    Raises:
        SpecError: it is no notebook, too large, or of an older format.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(
                "the notebook is larger than 64 MiB",
                where=path,
                hint="Clear its outputs and save it again.",
            )
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(
            f"this can't be read as a notebook: {error}",
            where=path,
            hint="Open it in Jupyter and save it again.",
        ) from error
    if not isinstance(document, dict) or document.get("nbformat") != 4:
        raise SpecError(
            "this is no notebook of format 4",
            where=path,
            hint="Convert it with: jupyter nbconvert --to notebook --nbformat 4",
        )
    language = _language(document.get("metadata"))
    if language != "python":
        raise SpecError(
            f"the notebook is written in {language[:40]}, and only Python can be graded here",
            where=path,
            hint="Write its tests and its solution in Python.",
        )
    raw = document.get("cells")
    cells = raw if isinstance(raw, list) else []
    # The name gets into comments of the suites: it must not end one.
    name = "".join(c if c.isprintable() else "?" for c in path.name)
    return [_cell(name, number, cell) for number, cell in enumerate(cells, 1)]


def _cell(file: str, number: int, raw: Any) -> ForeignCell:
    place = CellPlace(file, number)
    if not isinstance(raw, dict) or raw.get("cell_type") not in _KINDS:
        raise SpecError("this is no cell of a notebook", where=place, hint="Save it with Jupyter.")
    metadata, outputs, attached = (raw.get(key) for key in ("metadata", "outputs", "attachments"))
    return ForeignCell(
        place=place,
        kind=cast(CellKind, raw["cell_type"]),
        source=_lines_of(text_of(raw.get("source"))),
        metadata=metadata if isinstance(metadata, dict) else {},
        outputs=tuple(o for o in outputs if isinstance(o, dict))
        if isinstance(outputs, list)
        else (),
        attachments=dict(_pictures(attached)) if isinstance(attached, dict) else {},
    )


def _language(metadata: Any) -> str:
    """The language that a notebook says it is written in, in lower case."""
    found: Any = None
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        inner = metadata.get(part) if isinstance(metadata, dict) else None
        found = found or (inner.get(key) if isinstance(inner, dict) else None)
    return found.lower() if isinstance(found, str) and found else "python"


def _pictures(attached: dict[Any, Any]) -> Iterator[tuple[str, bytes]]:
    """The pictures pasted into a cell, by the names that its text calls them."""
    for name, kinds in attached.items():
        for kind, data in kinds.items() if isinstance(kinds, dict) else ():
            if str(kind).startswith("image/"):
                with contextlib.suppress(binascii.Error, ValueError):
                    text = text_of(data)
                    svg = text.lstrip().startswith("<")
                    yield str(name), text.encode() if svg else base64.b64decode(text)
                    break


def _lines_of(text: str) -> str:
    """One kind of line end: a lone carriage return ends a comment, and code would follow it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def text_of(value: object) -> str:
    """nbformat's multiline string: one text, or a list of lines."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return ""
