"""What a cell put out, gathered from the box's events into nbformat outputs."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from grader.errors import WireError
from grader.wire.messages import Output

_DISPLAY_LIMIT = 2_000
_SHOWN_LIMIT = 64 << 20
_DEPTH = 24
_JSON_TYPE = re.compile(r"application/(.*\+)?json")
"""Of any other type nbformat takes text alone; the expression is its schema's."""


class OutputRoom:
    """How much more of what a notebook puts out is kept, over all of its cells.

    A limit for each cell alone lets a notebook of thousands of cells put out gigabytes. What comes
    when there is no room left is dropped unread; the code runs on, so it costs nobody a mark.
    """

    def __init__(self, size: int, outputs: int) -> None:
        self._size = size
        self._outputs = outputs
        self.is_full = False

    def has(self, size: int) -> bool:
        """Whether an output of so many bytes is kept; the first that is not fills the room."""
        self.is_full |= size > self._size or self._outputs <= 0
        return not self.is_full

    def take(self, size: int, outputs: int) -> None:
        """An output of so many bytes has been kept, and made that many more."""
        self._size -= size
        self._outputs -= max(outputs, 0)


class Displays:
    """Applies output events to a cell's outputs; remembers displays for updates by later cells."""

    def __init__(self) -> None:
        self._shown: dict[str, list[dict[str, Any]]] = {}
        self._bytes: dict[str, int] = {}
        self._total = 0

    def apply(self, event: Output, outputs: list[dict[str, Any]]) -> None:
        """Do to the running cell's outputs what the event says.

        Raises:
            WireError: the event holds no output.
        """
        if event.action == "clear":
            outputs.clear()
            return
        body = clean_output(event.body)
        if event.display_id and "data" in body:
            self._update(event.display_id, body, len(event.body))
        if event.action == "update":
            return
        last = outputs[-1] if outputs else {}
        if body["output_type"] == "stream" == last.get("output_type") and (
            last["name"] == body["name"]
        ):
            # Held by one name alone it grows in place: else a text of many small pieces, as a
            # notebook can forge them, is copied whole for each.
            text, last["text"] = last["text"], ""
            text += body["text"]
            last["text"] = text
            return
        outputs.append(body)
        if event.display_id and len(self._shown) < _DISPLAY_LIMIT:
            self._shown.setdefault(event.display_id, []).append(body)
            self._count(event.display_id, self._bytes.get(event.display_id, 0) + len(event.body))

    def _update(self, display_id: str, body: dict[str, Any], size: int) -> None:
        """Give every display of that id the new data, as Jupyter does.

        A small display shown a thousand times and then updated with megabytes would make a
        notebook of gigabytes; past a limit of all of them together the old data stays.
        """
        shown = self._shown.get(display_id, ())
        after = len(shown) * size
        if self._total - self._bytes.get(display_id, 0) + after > _SHOWN_LIMIT:
            return
        self._count(display_id, after)
        for output in shown:
            output.update(data=body["data"], metadata=body["metadata"])

    def _count(self, display_id: str, size: int) -> None:
        self._total += size - self._bytes.get(display_id, 0)
        self._bytes[display_id] = size


def clean_output(body: bytes) -> dict[str, Any]:
    """Read an output as the nbformat output that it must be, dropping what does not belong.

    Raises:
        WireError: it is none.
    """
    try:
        raw = json.loads(body, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise WireError("an output that is no JSON") from error
    if not isinstance(raw, dict):
        raise WireError("an output that is no object")
    kind = raw.get("output_type")
    if kind == "stream" and raw.get("name") in ("stdout", "stderr"):
        return {"output_type": kind, "name": raw["name"], "text": _text(raw.get("text"))}
    if kind in ("display_data", "execute_result") and isinstance(raw.get("data"), dict):
        clean = {
            "output_type": kind,
            "data": _data(raw["data"]),
            "metadata": _object(raw.get("metadata")),
        }
        if kind == "execute_result":
            count = raw.get("execution_count")
            clean["execution_count"] = count if type(count) is int and count >= 0 else None
        return clean
    if kind == "error":
        lines = raw.get("traceback")
        trace = [_text(line) for line in lines] if isinstance(lines, list) else []
        return {
            "output_type": kind,
            "ename": _text(raw.get("ename")),
            "evalue": _text(raw.get("evalue")),
            "traceback": trace,
        }
    raise WireError("an output of no known type")


def _data(bundle: dict[str, Any]) -> dict[str, Any]:
    """A mime bundle: text for each type, any JSON for those that are JSON, as nbformat asks."""
    clean: dict[str, Any] = {}
    for mime, value in bundle.items():
        if _JSON_TYPE.fullmatch(mime):
            clean[_text(mime)] = _json(value, _DEPTH)
        elif isinstance(value, str):
            clean[_text(mime)] = _text(value)
        elif isinstance(value, list) and all(isinstance(line, str) for line in value):
            clean[_text(mime)] = _text("".join(value))
    return clean


def _json(value: Any, depth: int) -> Any:
    """JSON that any reader can take: bounded in depth, its texts clean."""
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {_text(key): _json(part, depth - 1) for key, part in value.items()}
    if isinstance(value, list):
        return [_json(part, depth - 1) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return _text(value) if isinstance(value, str) else value


def _text(value: object) -> str:
    """Text that has bytes in UTF-8: a lone surrogate would fail where the notebook is written."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _object(value: object) -> dict[str, Any]:
    clean = _json(value, _DEPTH)
    return clean if isinstance(clean, dict) else {}
