"""What a cell put out, gathered from the box's events into nbformat outputs."""

from __future__ import annotations

import json
from typing import Any

from grader.errors import WireError
from grader.wire.messages import Output

_DISPLAY_LIMIT = 2_000
_TEXT_LIMIT = 64 << 20


class Displays:
    """Applies output events to a cell's outputs; remembers displays for updates by later cells."""

    def __init__(self) -> None:
        self._shown: dict[str, list[dict[str, Any]]] = {}

    def apply(self, event: Output, outputs: list[dict[str, Any]]) -> None:
        """Do to the running cell's outputs what the event says.

        Raises:
            WireError: the event holds no output.
        """
        if event.action == "clear":
            outputs.clear()
            return
        body = clean_output(event.body)
        if event.action == "update":
            for shown in self._shown.get(event.display_id, ()):
                shown.update(data=body.get("data", {}), metadata=body.get("metadata", {}))
            return
        last = outputs[-1] if outputs else {}
        if body["output_type"] == "stream" == last.get("output_type") and (
            last["name"] == body["name"]
        ):
            last["text"] += body["text"]
            return
        outputs.append(body)
        if event.display_id and len(self._shown) < _DISPLAY_LIMIT:
            self._shown.setdefault(event.display_id, []).append(body)


def clean_output(body: bytes) -> dict[str, Any]:
    """Read an output as the nbformat output that it must be, dropping what does not belong.

    Raises:
        WireError: it is none.
    """
    try:
        raw = json.loads(body[:_TEXT_LIMIT])
    except (ValueError, RecursionError) as error:
        raise WireError("an output that is no JSON") from error
    if not isinstance(raw, dict):
        raise WireError("an output that is no object")
    kind = raw.get("output_type")
    if kind == "stream" and raw.get("name") in ("stdout", "stderr"):
        return {"output_type": kind, "name": raw["name"], "text": _text(raw.get("text"))}
    if kind in ("display_data", "execute_result") and isinstance(raw.get("data"), dict):
        clean = {"output_type": kind, "data": raw["data"], "metadata": _object(raw.get("metadata"))}
        if kind == "execute_result":
            count = raw.get("execution_count")
            clean["execution_count"] = count if type(count) is int else None
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


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
