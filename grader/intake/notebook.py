"""Read a notebook that a student handed in: everything that can be read, and nothing more.

The shape is checked here and not with nbformat, whose validation walks every output: only the text
of the cells counts, so the rest is skipped without being built in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from grader.errors import SubmissionError
from grader.intake.answers import written_answers
from grader.intake.attachments import pasted_pictures
from grader.intake.encoding import (
    DOWNLOAD_HINT,
    refuse_conflict,
    refuse_text_of_another_kind,
    to_utf8,
)
from grader.intake.json_values import value_or_none
from grader.intake.notebook_cells import Cell, CellKind, ReadNotebook

__all__ = ["Cell", "ReadNotebook", "read_notebook", "written_answers"]

MAX_FILE_BYTES = 64 * 2**20
MAX_CELLS = 5_000
MAX_SOURCE_BYTES = 4 * 2**20 - 2**16
"""Less than a message into the box holds, so that a cell fits into one with what is said of it."""

# In JSON a byte of source takes up to six (\\u0000); what is longer is refused before it is built.
_MAX_RAW_SOURCE_BYTES = 6 * MAX_SOURCE_BYTES

_CLEAR_OUTPUTS_HINT = "In Jupyter choose Edit > Clear Outputs of All Cells, save, hand it in again."

_KINDS: dict[str, CellKind] = {
    "code": "code",
    "markdown": "markdown",
    "raw": "raw",
    "heading": "markdown",
    "html": "markdown",
}

_OTHER_LANGUAGES = re.compile(
    r"r|julia|javascript|typescript|scala|c|c\+\+\d*|c#|f#|java|kotlin|rust|go|ruby|matlab|octave|sql"
    r"|bash|haskell|powershell|perl|php|lua|stata|sas|ocaml"
)

_NULL = msgspec.Raw(b"null")


class _RawCell(msgspec.Struct, gc=False):
    """What is read of a cell; msgspec skips `outputs` without building them."""

    cell_type: str
    source: msgspec.Raw = _NULL
    input: msgspec.Raw = _NULL  # nbformat 2 and 3 call a code cell's source so
    id: msgspec.Raw = _NULL
    metadata: msgspec.Raw = _NULL
    attachments: msgspec.Raw = _NULL
    execution_count: msgspec.Raw = _NULL
    level: msgspec.Raw = _NULL
    language: msgspec.Raw = _NULL


class _Worksheet(msgspec.Struct):
    cells: list[_RawCell] = []


class _RawNotebook(msgspec.Struct):
    nbformat: msgspec.Raw = _NULL
    nbformat_minor: msgspec.Raw = _NULL
    metadata: msgspec.Raw = _NULL
    cells: list[_RawCell] | None = None
    worksheets: list[_Worksheet] | None = None


class _Language(msgspec.Struct):
    name: str = ""
    language: str = ""


class _NotebookMetadata(msgspec.Struct):
    kernelspec: _Language | None = None
    language_info: _Language | None = None


class _CellMetadata(msgspec.Struct):
    tags: list[str] = []


_Name = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")]


class _Release(msgspec.Struct, frozen=True):
    assignment: _Name = ""
    notebook: _Name = ""


class _ReleasedMetadata(msgspec.Struct):
    grader: _Release = _Release()


_DECODER = msgspec.json.Decoder(_RawNotebook)


def read_notebook(data: bytes, *, name: str) -> ReadNotebook:
    """Read a notebook of nbformat 2 to 4 (or later, where its cells have the shape of 4).

    Args:
        data: the bytes of the file, at most 64 MB.
        name: what to call the file in an error.

    Raises:
        SubmissionError: it cannot be read; says why and what the student can do.
    """
    if len(data) > MAX_FILE_BYTES:
        raise SubmissionError(
            f"The file has {len(data) / 2**20:.0f} MB; the limit is {MAX_FILE_BYTES >> 20} MB.",
            where=name,
            hint="Outputs make a notebook this large. " + _CLEAR_OUTPUTS_HINT,
        )
    text, repairs = to_utf8(data, name=name)
    refuse_text_of_another_kind(text, name=name)
    mended = list(repairs)
    raw = _decode_shape(text, name, mended)
    cells = _cells_of(raw, name)
    version = _version_of(raw, name, mended)
    _refuse_other_language(raw, cells, name)
    release = (value_or_none(raw.metadata, _ReleasedMetadata) or _ReleasedMetadata()).grader
    return ReadNotebook(
        cells=tuple(_NotebookReading(version, mended, name).cells(cells)),
        repairs=tuple(mended),
        nbformat=version,
        assignment=release.assignment,
        notebook=release.notebook,
    )


def _decode_shape(text: bytes, name: str, repairs: list[str]) -> _RawNotebook:
    # Counted before decoding, so that a file of millions of tiny cells costs no memory.
    if text.count(b'"cell_type"') > 2 * MAX_CELLS:
        raise _too_many_cells(name)
    try:
        try:
            return _DECODER.decode(text)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            tolerant = _without_python_only_json(text)
            if tolerant is None:
                raise
            raw = _DECODER.decode(tolerant)
            repairs.append("The file held values that JSON does not have (NaN, half characters).")
            return raw
    except RecursionError:
        raise SubmissionError(
            "The notebook is nested too deeply to be read.", where=name, hint=_CLEAR_OUTPUTS_HINT
        ) from None
    except msgspec.ValidationError as error:
        refuse_conflict(text, name=name)
        raise SubmissionError(
            f"The file holds JSON, but not a notebook's: {error}.", where=name, hint=DOWNLOAD_HINT
        ) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _not_json(text, name, error) from None


def _not_json(text: bytes, name: str, error: Exception) -> SubmissionError:
    refuse_conflict(text, name=name)
    if b"\x00" in text:
        what = "The file holds NUL bytes: it was damaged on the way."
    elif not text.rstrip().endswith(b"}"):
        what = "The file ends in the middle: it was cut off while it was saved or uploaded."
    else:
        what = f"The file is not a notebook that can be read: {str(error).rstrip('.')}."
    return SubmissionError(what, where=name, hint="Open it in Jupyter to see. " + DOWNLOAD_HINT)


# The closing quote is optional: a string that never ends must not be scanned once per quote in it.
_NOT_JSON = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|(NaN|-?Infinity)', re.DOTALL)
_ESCAPE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F]"
    rb"[0-9a-fA-F]{2})"
)


def _without_python_only_json(text: bytes) -> bytes | None:
    """Replace what Python's json module writes and JSON does not know; None if there is none.

    NaN and Infinity (in outputs) become 0, unpaired surrogates U+FFFD. Patched in place, so a
    hostile file costs time in proportion to its length and no memory per value.
    """
    patched = bytearray(text)
    if b"NaN" in text or b"Infinity" in text:
        for match in _NOT_JSON.finditer(text):
            if match.group(1):
                start, end = match.span(1)
                patched[start:end] = b"0".ljust(end - start)
    if b"\\u" in text:
        for match in _ESCAPE.finditer(text):
            if match.group(1):
                start, end = match.span(1)
                patched[start:end] = b"\\ufffd"
    return None if patched == text else bytes(patched)


def _cells_of(raw: _RawNotebook, name: str) -> list[_RawCell]:
    if raw.cells is not None:
        cells = raw.cells
    elif raw.worksheets is not None:
        cells = [cell for sheet in raw.worksheets for cell in sheet.cells]
    else:
        raise SubmissionError(
            "The file holds JSON, but no cells: it is not a notebook.",
            where=name,
            hint=DOWNLOAD_HINT,
        )
    if len(cells) > MAX_CELLS:
        raise _too_many_cells(name)
    if sum(len(memoryview(c.source)) + len(memoryview(c.input)) for c in cells) > (
        _MAX_RAW_SOURCE_BYTES
    ):
        raise _too_much_source(name)
    return cells


def _version_of(raw: _RawNotebook, name: str, repairs: list[str]) -> tuple[int, int]:
    shape = 4 if raw.cells is not None else 3
    major = value_or_none(raw.nbformat, int)
    minor = value_or_none(raw.nbformat_minor, int) or 0
    if major is None:
        repairs.append(f"The file does not state its format; it was read as nbformat {shape}.")
        return shape, minor
    if major == 4 and shape == 3:
        repairs.append("The file says nbformat 4, but has the shape of nbformat 3.")
        return 3, minor
    if major < 2 or (major < 4 and shape == 4):
        raise SubmissionError(
            f"The notebook says nbformat {major}, and its cells do not have that version's shape.",
            where=name,
            hint="Open it in a current Jupyter, save it and hand it in again.",
        )
    if major > 4 and shape == 3:
        raise SubmissionError(
            f"The notebook has nbformat {major}, which is not supported.",
            where=name,
            hint="Save it as nbformat 4 (every current Jupyter does) and hand it in again.",
        )
    if major > 4:
        repairs.append(f"The file says nbformat {major}; it was read as nbformat 4.")
    if major < 4:
        repairs.append(f"The notebook was of nbformat {major} and was read as such.")
    return major, minor


def _refuse_other_language(raw: _RawNotebook, cells: list[_RawCell], name: str) -> None:
    """Refuse a notebook that says it is written in another language, and nowhere in Python."""
    metadata = value_or_none(raw.metadata, _NotebookMetadata) or _NotebookMetadata()
    kernel, info = metadata.kernelspec or _Language(), metadata.language_info or _Language()
    by_kernel_name = {"ir": "r"}.get(kernel.name.lower(), kernel.name.lower().split("-")[0])
    of_cells = {
        str(value_or_none(c.language, str) or "").lower() for c in cells if c.cell_type == "code"
    }
    stated = {info.name.lower(), kernel.language.lower(), *of_cells} - {""}
    if not stated and by_kernel_name in {"r", "julia"}:
        stated = {by_kernel_name}
    if stated and all(_OTHER_LANGUAGES.fullmatch(language) for language in stated):
        raise SubmissionError(
            f"The notebook is written in {'/'.join(sorted(stated))}, not in Python.",
            where=name,
            hint="Choose a Python kernel (Kernel > Change Kernel), save it and hand it in again.",
        )


class _NotebookReading:
    """The pass over the cells of one notebook; notes in `repairs` what it had to mend."""

    def __init__(self, version: tuple[int, int], repairs: list[str], name: str) -> None:
        self._has_ids = version >= (4, 5)
        self._repairs = repairs
        self._name = name
        self._ids: set[str] = set()
        self._source_bytes = 0
        self._new_ids = 0

    def cells(self, raw_cells: list[_RawCell]) -> Iterator[Cell]:
        taken = [value_or_none(raw.id, str) for raw in raw_cells]
        self._ids_in_file = {identifier for identifier in taken if identifier}
        for number, raw in enumerate(raw_cells, start=1):
            kind = _KINDS.get(raw.cell_type)
            source = self._source_of(raw)
            if kind is None:
                shown = repr(raw.cell_type[:40])
                self._repairs.append(f"Cell {number} was ignored: unknown type {shown}.")
            elif source is None:
                self._repairs.append(f"Cell {number} was ignored: its source is not text.")
            else:
                yield self._cell(number, raw, kind, self._clean(number, source))
        if self._new_ids and self._has_ids:
            self._repairs.append(
                f"{self._new_ids} missing, wrong or repeated cell ids were replaced."
            )

    def _cell(self, number: int, raw: _RawCell, kind: CellKind, source: str) -> Cell:
        if raw.cell_type == "heading":
            level = min(max(value_or_none(raw.level, int) or 1, 1), 6)
            source = f"{'#' * level} {source}"
        metadata = value_or_none(raw.metadata, _CellMetadata) or _CellMetadata()
        return Cell(
            kind=kind,
            source=source,
            id=self._id(number, value_or_none(raw.id, str)),
            tags=tuple(tag[:100] for tag in metadata.tags[:20]),
            executed=kind == "code" and value_or_none(raw.execution_count, int) is not None,
            attachments=pasted_pictures(raw.attachments) if kind == "markdown" else {},
        )

    def _source_of(self, raw: _RawCell) -> str | None:
        """Return a cell's text ("" where it has none), or None where it is not text."""
        for part in (raw.source, raw.input):
            if bytes(part) != b"null":
                text = value_or_none(part, str | list[str])
                return "".join(text) if isinstance(text, list) else text
        return ""

    def _clean(self, number: int, source: str) -> str:
        self._source_bytes += len(source.encode())
        if self._source_bytes > MAX_SOURCE_BYTES:
            raise _too_much_source(self._name)
        if "\x00" in source:
            source = source.replace("\x00", "")
            self._repairs.append(f"NUL characters were removed from cell {number}.")
        return source.replace("\r\n", "\n").replace("\r", "\n")

    def _id(self, number: int, stated: str | None) -> str:
        if stated and stated not in self._ids and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", stated):
            self._ids.add(stated)
            return stated
        self._new_ids += 1
        identifier = f"cell-{number}"
        while identifier in self._ids or identifier in self._ids_in_file:
            identifier += "-x"
        self._ids.add(identifier)
        return identifier


def _too_many_cells(name: str) -> SubmissionError:
    return SubmissionError(
        f"The notebook has more than {MAX_CELLS} cells.",
        where=name,
        hint="Delete the cells that are not part of the assignment and hand it in again.",
    )


def _too_much_source(name: str) -> SubmissionError:
    return SubmissionError(
        f"The cells of the notebook hold more than {MAX_SOURCE_BYTES // 10**6} MB of text.",
        where=name,
        hint="Delete pasted data from the cells; load it from a file and hand it in again.",
    )
