"""The executed notebook as a suite reads it, on the judge's side."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from grader.suite.failures import MissingName, NotPlain
from grader.suite.notebook_code import NotebookCode

MAX_TEXT = 1_000_000
MAX_IMAGES = 50
MAX_IMAGE = 20_000_000


@dataclass(frozen=True)
class ExecutedCell:
    """One cell. What it put out is untrusted: text and bytes, nothing of it is run."""

    id: str
    tags: tuple[str, ...]
    kind: str
    source: str
    outputs: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """What it printed and displayed as text, in order, at most a million characters."""
        parts = []
        for output in self.outputs:
            if output.get("output_type") == "stream":
                parts.append(_text(output.get("text")))
            elif output.get("output_type") != "error":
                parts.append(_text(_data(output).get("text/plain")))
        return "\n".join(part.rstrip("\n") for part in parts if part)[:MAX_TEXT]

    @property
    def images(self) -> list[bytes]:
        """The PNG and JPEG images that it displayed, as bytes, at most fifty."""
        images = []
        for output in self.outputs:
            for kind in ("image/png", "image/jpeg"):
                encoded = _text(_data(output).get(kind))
                try:
                    image = base64.b64decode(encoded[:MAX_IMAGE], validate=False)
                except (binascii.Error, ValueError):
                    continue
                if image:
                    images.append(image)
        return images[:MAX_IMAGES]

    @property
    def error(self) -> str | None:
        """The exception that ended it, as `ValueError: text`, or None."""
        for output in self.outputs:
            if output.get("output_type") == "error":
                name, value = _text(output.get("ename")), _text(output.get("evalue"))
                return f"{name}: {value}"[:MAX_TEXT]
        return None


class ExecutedNotebook:
    """The executed notebook: cells, source, calls, written answers.

    Args:
        notebook: nbformat 4 as a dict; nothing about it is taken for granted.
        answers: question id → text of the written answer.
    """

    def __init__(self, notebook: Mapping[str, Any], answers: Mapping[str, str]) -> None:
        cells = notebook.get("cells")
        raw = cells if isinstance(cells, list) else []
        self.cells: tuple[ExecutedCell, ...] = tuple(
            _cell(c) for c in raw if isinstance(c, Mapping)
        )
        self.answers: dict[str, str] = dict(answers)

    def cell(self, id_or_tag: str) -> ExecutedCell:
        """Return the cell with this id, else the last one with this tag.

        Students lose both when they copy cells: give no points for them that a function or an
        answer could give.

        Raises:
            NotPlain: there is none; the student reads so.
        """
        for cell in self.cells:
            if cell.id == id_or_tag:
                return cell
        for cell in reversed(self.cells):
            if id_or_tag in cell.tags:
                return cell
        raise NotPlain(f"The notebook has no cell {id_or_tag}.")

    @property
    def code_cells(self) -> tuple[ExecutedCell, ...]:
        """The code cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @property
    def sources(self) -> tuple[str, ...]:
        """The code of each cell, empty where it is not code: a cell's place is its number."""
        return tuple(cell.source if cell.kind == "code" else "" for cell in self.cells)

    def defines(self, name: str) -> bool:
        """Say whether the notebook's source defines the name at its top level."""
        return self._code.defines(name)

    def source(self, name: str) -> str:
        """Return the source of a function, class or assignment; the last definition counts.

        Raises:
            MissingName: no readable cell defines it.
        """
        found = self._code.source(name)
        if found is None:
            raise MissingName(name)
        return found

    def calls(self, name: str) -> set[str]:
        """Return the dotted names that a definition calls, imports resolved.

        `F.softmax(x)` is "torch.nn.functional.softmax", `x.sum()` is "x.sum", a method of an
        expression begins with "?". Names of the notebook that it uses are followed, so are aliases,
        `getattr`, `eval` and the like as far as they are fixed texts. What is put together when it
        runs is not found out: see `[rules]` in assignment.toml, which also look at what ran.

        Raises:
            MissingName: no readable cell defines it.
        """
        self.source(name)
        return self._code.calls(name)

    def uses(self, name: str) -> set[str]:
        """Return the dotted names that a definition mentions, called or not; see `calls`."""
        self.source(name)
        return self._code.uses(name)

    @cached_property
    def _code(self) -> NotebookCode:
        return NotebookCode(cell.source for cell in self.code_cells)


def _cell(raw: Mapping[str, Any]) -> ExecutedCell:
    metadata = raw.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    outputs = raw.get("outputs")
    return ExecutedCell(
        id=_text(raw.get("id")),
        tags=tuple(tag for tag in _items(tags) if isinstance(tag, str)),
        kind=_text(raw.get("cell_type")),
        source=_text(raw.get("source")),
        outputs=tuple(output for output in _items(outputs) if isinstance(output, Mapping)),
    )


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def _data(output: Mapping[str, Any]) -> Mapping[str, Any]:
    data = output.get("data")
    return data if isinstance(data, Mapping) else {}


def _text(value: object) -> str:
    """nbformat's multiline string: one text, or a list of lines."""
    if isinstance(value, str):
        return value
    return "".join(part for part in _items(value) if isinstance(part, str))
