"""Executed notebooks, cell by cell, and a realistic one from a file."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def realistic_notebook() -> bytes:
    """A notebook with text, formulas, code, a table, a plot, a warning and an error."""
    return (Path(__file__).parent / "executed.ipynb").read_bytes()


def notebook(cells: Sequence[dict[str, Any]]) -> bytes:
    """An executed notebook as nbformat JSON."""
    return json.dumps(
        {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


def code(source: str, *outputs: dict[str, Any], count: int | None = None) -> dict[str, Any]:
    """A code cell with its outputs."""
    return {
        "cell_type": "code",
        "source": source,
        "outputs": list(outputs),
        "execution_count": count,
        "metadata": {},
    }


def markdown(source: str, **more: Any) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "source": source, "metadata": {}, **more}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    """Text that was printed."""
    return {"output_type": "stream", "name": name, "text": text}


def display(**data: Any) -> dict[str, Any]:
    """Rich output; `text_html=` means text/html, `image_svg_xml=` means image/svg+xml."""
    named = {"image_svg_xml": "image/svg+xml"}
    bundle = {named.get(k, k.replace("_", "/", 1)): v for k, v in data.items()}
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


def error(name: str, value: str, traceback: Sequence[str]) -> dict[str, Any]:
    """An exception that ended a cell."""
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": list(traceback)}


def png(width: int = 480, height: int = 240) -> str:
    """A picture of a falling curve as base64, made without a plotting library."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            level = height * (0.1 + 0.8 * (1 - 2.718 ** (-4 * x / width)))
            rows += b"\x2b\x5f\x9e" if abs(y - level) < 2 else b"\xff\xff\xff"

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    data += chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()
