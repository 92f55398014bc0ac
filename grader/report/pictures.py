"""Pictures from a box as data URLs: only what a browser shows safely in an <img>."""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:  # most pages hold no picture
    import xml.etree.ElementTree as ET

    from PIL import Image

MAX_BYTES = 4 << 20
MAX_PIXELS = 40_000_000
MAX_SOURCE_BYTES = 8 << 20
"""Of a picture of which the page gets a smaller copy."""
MAX_SVG_PARTS = 100_000

# Of a pasted picture that is larger, the page gets a smaller copy.
SHOWN_BYTES = 600_000
SHOWN_PIXELS_A_SIDE = 1600

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/jpg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_DATA = re.compile(r"data:(?P<mime>image/[a-z+]+);base64,(?P<data>.*)", re.DOTALL | re.IGNORECASE)
_DAMAGED = (
    binascii.Error,
    ValueError,
    OSError,
    SyntaxError,
    EOFError,
    MemoryError,
)
_REFERENCE = re.compile(r"^#([^\s)]+)$|url\(\s*['\"]?#([^)'\"]+)")


def raster_url(mime: str, data: str) -> str | None:
    """Return a data URL for a PNG, JPEG or GIF in base64; None where it isn't a sound one.

    The header is read, not the pixels: a picture of a gigapixel in a few bytes ("decompression
    bomb") must not reach the reader's browser.
    """
    if mime not in _FORMATS or len(data) > MAX_BYTES * 4 // 3 + 4096:
        return None
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
        with _opened(mime, raw) as image:
            width, height = image.size
    except _DAMAGED:
        return None
    if width * height > MAX_PIXELS:
        return None
    mime = "image/jpeg" if mime == "image/jpg" else mime
    return f"data:{mime};base64,{base64.b64encode(raw).decode()}"


@contextmanager
def _opened(mime: str, raw: bytes) -> Iterator[Image.Image]:
    """Read a picture's header; a bomb is a ValueError."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(raw), formats=[_FORMATS[mime]]) as image:
            yield image
    except Image.DecompressionBombError as error:
        raise ValueError("a picture of too many pixels") from error


def sound_url(url: str) -> str | None:
    """Return the data URL of a picture in a text, as it may be shown; None where it isn't sound.

    A photograph of twelve megapixels from a telephone becomes a copy that a page of a whole class
    can hold.
    """
    match = _DATA.fullmatch(url)
    if match is None:
        return None
    mime, data = match["mime"].lower(), "".join(unquote(match["data"]).split())
    if mime == "image/svg+xml":
        try:
            return svg_url(base64.b64decode(data, validate=True).decode("utf-8", "replace"))
        except (binascii.Error, ValueError):
            return None
    if len(data) > MAX_SOURCE_BYTES * 4 // 3 + 4096:
        return None
    if len(data) > SHOWN_BYTES * 4 // 3:
        return _smaller(mime, data)
    return raster_url(mime, data)


def _smaller(mime: str, data: str) -> str | None:
    if mime not in _FORMATS:
        return None
    from PIL import ImageOps

    try:
        with _opened(mime, base64.b64decode(data, validate=True)) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            # A photograph says in its EXIF data which side is up; the copy has none.
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((SHOWN_PIXELS_A_SIDE, SHOWN_PIXELS_A_SIDE))
            plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            buffer = io.BytesIO()
            plain.save(buffer, "WEBP", quality=85)
    except _DAMAGED:
        return None
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def svg_url(text: str) -> str | None:
    """Return a data URL for an SVG, to be used in <img> only: scripts and loads are dead there.

    None where it is no SVG, or would grow without end by referring to itself.
    """
    import xml.etree.ElementTree as ET

    raw = text.encode("utf-8", "replace")
    # Entities are the "billion laughs" attack; no plotting library writes them.
    if len(raw) > MAX_BYTES or b"<!ENTITY" in raw:
        return None
    try:
        root = ET.fromstring(raw)  # noqa: S314 - no entities; expat loads nothing from outside
        if not root.tag.endswith("svg") or _expanded_size(root) > MAX_SVG_PARTS:
            return None
    except (ET.ParseError, ValueError, RecursionError):
        return None
    return f"data:image/svg+xml;base64,{base64.b64encode(raw).decode()}"


def _expanded_size(root: ET.Element) -> int:
    """How many elements a browser would draw once every reference is followed."""
    identified = {e.get("id"): e for e in root.iter() if e.get("id")}
    references: dict[str, list[str]] = defaultdict(list)
    sizes: dict[str, int] = {}

    def targets(element: ET.Element) -> list[str]:
        found = [
            a or b
            for part in element.iter()
            for value in part.attrib.values()
            for a, b in _REFERENCE.findall(value)
        ]
        return [name for name in found if name in identified]

    def size(name: str, depth: int) -> int:
        if depth > 64:
            return MAX_SVG_PARTS + 1
        if name not in sizes:
            sizes[name] = MAX_SVG_PARTS + 1  # what refers to itself has no end
            element = identified[name]
            references[name] = targets(element)
            inner = sum(size(target, depth + 1) for target in references[name])
            sizes[name] = min(sum(1 for _ in element.iter()) + inner, MAX_SVG_PARTS + 1)
        return sizes[name]

    return sum(1 for _ in root.iter()) + sum(
        size(target, 0)
        for part in root.iter()
        for value in part.attrib.values()
        for target in (a or b for a, b in _REFERENCE.findall(value))
        if target in identified
    )
