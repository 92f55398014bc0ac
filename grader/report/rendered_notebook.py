"""An executed notebook as a list of cells whose HTML may stand in a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import unescape
from itertools import groupby
from typing import Any, Literal

from markupsafe import Markup

from grader.intake.answers import AnswerPlace, shown_text
from grader.report.highlighting import highlight_code
from grader.report.markdown import markdown_html
from grader.report.pictures import raster_url, svg_url
from grader.report.sanitising import is_interactive, sanitise_html
from grader.report.text import clean, shorten, show_terminal

MAX_CELLS = 600
MAX_OUTPUTS = 60
MAX_SOURCE = 60_000
MAX_TEXT = 1_500_000
MAX_PICTURES = 24_000_000
INTERACTIVE_NOTE = "An interactive output is not shown here: pages run no scripts."
PICTURE_NOTE = "A picture is not shown: it is damaged, too large, or of a kind not shown."

FOLDED_LINES = 24
"""What a cell printed at one go and is longer folds: pip's retries, a bar for each epoch."""
_LAST_LINE = 90

_DEFINES = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w{1,80})|^(\w{1,80})[ \t]*(?::[^=\n]{1,80})?=(?!=)",
    re.M,
)
_TAG = re.compile(r"<[^<>]*>")
_PRINTED = ("text", "stderr")
_ACTIVE_TYPES = ("application/javascript", "text/javascript", "application/vnd.")
_RASTERS = ("image/png", "image/jpeg", "image/gif")


@dataclass(kw_only=True)
class OutputView:
    """One output: `kind` is for the style and for what a screen reader announces."""

    kind: Literal["text", "stderr", "error", "html", "picture", "note"]
    html: Markup
    lines: int = 0
    last: str = ""


@dataclass(kw_only=True)
class OutputGroup:
    """Outputs that stand together; where they are `folded`, under a line that says what they are.

    `lines` is how many they have, `last` the last one that is not blank.
    """

    outputs: list[OutputView]
    folded: bool = False
    lines: int = 0
    last: str = ""


@dataclass(kw_only=True)
class RenderedCell:
    """One cell; `number` is its place among all cells, from 1.

    `label` is what it is called everywhere: its place in its own notebook, which is `number` where
    there is one notebook alone. `begins` is the file of the notebook whose first cell it is, where
    there are several.
    """

    kind: Literal["code", "markdown", "raw"]
    number: int
    html: Markup
    outputs: list[OutputView] = field(default_factory=list)
    label: int = 0
    begins: str = ""

    def __post_init__(self) -> None:
        """Give it its own number where no other was given."""
        self.label = self.label or self.number

    @property
    def groups(self) -> list[OutputGroup]:
        """What it put out, with what was printed at one go together."""
        found: list[OutputGroup] = []
        for printed, run in groupby(self.outputs, key=lambda o: o.kind in _PRINTED):
            outputs = list(run)
            if printed:
                lines = sum(o.lines for o in outputs)
                folded = lines > FOLDED_LINES
                last = next((o.last for o in reversed(outputs) if o.last), "")
                found.append(OutputGroup(outputs=outputs, folded=folded, lines=lines, last=last))
            else:
                found += [OutputGroup(outputs=[output]) for output in outputs]
        return found


@dataclass(kw_only=True)
class RenderedPart:
    """One notebook of a document: the number of its first cell there, and how many it has.

    `defined` says of each name that a cell defines at its margin which one did last.
    """

    name: str
    first: int
    cells: int
    defined: dict[str, int] = field(default_factory=dict)

    def number_of(self, label: int) -> int:
        """The number in the document of a cell of this notebook."""
        return self.first + label - 1


@dataclass(kw_only=True)
class RenderedNotebook:
    """The cells that are shown, and a sentence where some are not.

    `parts` are the notebooks, where the document is made of several; else one without a name.
    """

    cells: list[RenderedCell]
    note: str = ""
    parts: list[RenderedPart] = field(default_factory=list)

    def part(self, name: str) -> RenderedPart:
        """The notebook of that name; an empty one where it did not run."""
        empty = RenderedPart(name=name, first=1, cells=0)
        return next((part for part in self.parts if part.name == name), empty)


class _Budget:
    """What one page may hold, so that a flood of outputs can't choke the reader's browser."""

    def __init__(self) -> None:
        self.text = MAX_TEXT
        self.pictures = MAX_PICTURES

    def take_text(self, size: int) -> bool:
        self.text -= min(size, 20_000)
        return self.text >= 0

    def take_picture(self, size: int) -> bool:
        self.pictures -= size
        return self.pictures >= 0


def view_notebook(untrusted_notebook: bytes) -> RenderedNotebook:
    """Read an executed notebook (nbformat 4 JSON); whatever it holds, the result is safe to show.

    A notebook that can't be read gives no cells, and a note that says so.
    """
    try:
        document = json.loads(untrusted_notebook)
        cells = [c for c in document["cells"] if isinstance(c, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return RenderedNotebook(cells=[], note="The executed notebook cannot be shown.")
    budget = _Budget()
    shown = [_view_cell(cell, i, budget) for i, cell in enumerate(cells[:MAX_CELLS], 1)]
    left_out = len(cells) - len(shown)
    parts = _parts(document, cells[:MAX_CELLS])
    _label(shown, parts)
    return RenderedNotebook(
        cells=shown, note=f"{left_out:,} more cells are not shown." * bool(left_out), parts=parts
    )


def _parts(document: dict[str, Any], cells: list[dict[str, Any]]) -> list[RenderedPart]:
    """The notebooks of which the document is made, as its metadata say; one where they don't."""
    try:
        told = document["metadata"]["grader"]["notebooks"]
        counts = [(str(one["name"])[:64], int(one["cells"])) for one in told]
    except (KeyError, TypeError, ValueError):
        counts = []
    parts, first = [], 1
    for name, count in counts or [("", len(cells))]:
        own = cells[first - 1 : first - 1 + count]
        parts.append(
            RenderedPart(name=name, first=first, cells=count, defined=_defined(own, first))
        )
        first += count
    return parts


def _label(cells: Iterable[RenderedCell], parts: list[RenderedPart]) -> None:
    """Number cells within their own notebook, and name the notebook that each first one begins."""
    for cell in cells:
        part = next((p for p in reversed(parts) if p.name and p.first <= cell.number), None)
        if part is not None:
            cell.label = cell.number - part.first + 1
            cell.begins = f"{part.name}.ipynb" if cell.label == 1 else ""


def view_answer(untrusted_notebook: bytes | None, place: AnswerPlace | None) -> RenderedNotebook:
    """Show an answer as it stands in the executed notebook: its text, pictures, code and outputs.

    Without cells where nothing is known of its place; then its text is all there is.
    """
    if not untrusted_notebook or place is None:
        return RenderedNotebook(cells=[])
    try:
        document = json.loads(untrusted_notebook)
        cells = document["cells"]
        budget = _Budget()
        shown = []
        for piece in place.pieces[:MAX_CELLS]:
            cell = cells[piece.cell]
            source = shown_text(_text(cell.get("source"))[piece.begin : piece.end])
            if source or cell.get("outputs"):
                part = {**cell, "source": source}
                shown.append(_view_cell(part, piece.cell + 1, budget))
        _label(shown, _parts(document, cells))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return RenderedNotebook(cells=[], note="The executed notebook cannot be shown.")
    left_out = len(place.pieces) - MAX_CELLS
    return RenderedNotebook(
        cells=shown, note=f"{left_out:,} more cells are not shown." if left_out > 0 else ""
    )


def _defined(cells: list[dict[str, Any]], first: int) -> dict[str, int]:
    return {
        match[1] or match[2]: number
        for number, cell in enumerate(cells, first)
        if cell.get("cell_type") == "code"
        for match in _DEFINES.finditer(_text(cell.get("source"))[:MAX_SOURCE])
    }


def _view_cell(cell: dict[str, Any], number: int, budget: _Budget) -> RenderedCell:
    source = _text(cell.get("source"))
    kind = cell.get("cell_type")
    if not budget.take_text(len(source)):
        html = Markup("<p>Not shown: the page is full.</p>")
        return RenderedCell(kind="raw", number=number, html=html)
    if kind == "markdown":
        html = markdown_html(source, _attachments(cell))
        return RenderedCell(kind="markdown", number=number, html=html)
    if kind != "code":
        html = Markup("<pre>{}</pre>").format(clean(source))
        return RenderedCell(kind="raw", number=number, html=html)
    return RenderedCell(
        kind="code",
        number=number,
        html=highlight_code(clean(source.rstrip("\n"), MAX_SOURCE)),
        outputs=list(_view_outputs(cell.get("outputs"), budget)),
    )


def _view_outputs(untrusted: Any, budget: _Budget) -> Iterable[OutputView]:
    outputs = untrusted if isinstance(untrusted, list) else []
    for output in outputs[:MAX_OUTPUTS]:
        if isinstance(output, dict):
            yield _view_output(output, budget)
    if len(outputs) > MAX_OUTPUTS:
        yield _note(f"{len(outputs) - MAX_OUTPUTS:,} more outputs of this cell are not shown.")


def _view_output(output: dict[str, Any], budget: _Budget) -> OutputView:
    kind = output.get("output_type")
    if kind == "stream":
        name: Literal["stderr", "text"] = "stderr" if output.get("name") == "stderr" else "text"
        return _terminal(name, _text(output.get("text")), budget)
    if kind == "error":
        lines = output.get("traceback")
        trace = "\n".join(map(_text, lines)) if isinstance(lines, list) else ""
        plain = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
        return _terminal("error", trace or plain, budget)
    data = output.get("data")
    return _view_bundle(data if isinstance(data, dict) else {}, budget)


def _view_bundle(data: Mapping[str, Any], budget: _Budget) -> OutputView:
    """The richest form of an output that a page without scripts can show."""
    html = _text(data.get("text/html"))
    if html and not is_interactive(html) and budget.take_text(len(html)):
        return OutputView(kind="html", html=sanitise_html(html))
    picture = _view_picture(data, budget)
    if picture is not None:
        return picture
    for mime in ("text/latex", "text/markdown"):
        source = _text(data.get(mime))
        if source and budget.take_text(len(source)):
            return OutputView(kind="html", html=markdown_html(source))
    if html or any(str(mime).startswith(_ACTIVE_TYPES) for mime in data):
        return _note(INTERACTIVE_NOTE)
    if "text/plain" in data:
        return _terminal("text", _text(data["text/plain"]), budget)
    if "application/json" in data:
        return _terminal("text", json.dumps(data["application/json"], indent=1), budget)
    return _note("An output of a kind that is not shown here.")


def _view_picture(data: Mapping[str, Any], budget: _Budget) -> OutputView | None:
    urls = [svg_url(_text(data["image/svg+xml"]))] if "image/svg+xml" in data else []
    urls += [raster_url(mime, _text(data[mime])) for mime in _RASTERS if mime in data]
    if not urls:
        return None
    url = next((u for u in urls if u), None)
    if url is None or not budget.take_picture(len(url)):
        return _note(PICTURE_NOTE)
    label = shorten(clean(_text(data.get("text/plain")), 200) or "Picture made by this cell", 200)
    html = Markup('<img src="{}" alt="{}">').format(url, label)
    return OutputView(kind="picture", html=html)


def _terminal(kind: Literal["text", "stderr", "error"], text: str, budget: _Budget) -> OutputView:
    if not budget.take_text(len(text)):
        return _note("Text is not shown: the page is full.")
    shown = show_terminal(text)
    # Counted as they are shown: a progress bar that overwrites itself is one line.
    lines = _plain_lines(shown)
    return OutputView(
        kind=kind,
        html=Markup("<pre>{}</pre>").format(shown),
        lines=len(lines),
        last=_beginning(lines[-1].strip()) if lines else "",
    )


def _beginning(line: str) -> str:
    return line if len(line) <= _LAST_LINE else f"{line[: _LAST_LINE - 1]}…"


def _plain_lines(html: Markup) -> list[str]:
    """The lines of a terminal's text without its colours, and without blank ones at the end."""
    return unescape(_TAG.sub("", html)).rstrip().splitlines()


def _note(sentence: str) -> OutputView:
    return OutputView(kind="note", html=Markup("<p>{}</p>").format(sentence))


def _attachments(cell: dict[str, Any]) -> dict[str, dict[str, str]]:
    raw = cell.get("attachments")
    if not isinstance(raw, dict):
        return {}
    return {str(name): bundle for name, bundle in raw.items() if isinstance(bundle, dict)}


def _text(value: Any) -> str:
    """nbformat's text: a string, or a list of strings to be joined."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
