"""Pictures that students paste into written answers, for the person who marks them."""

from __future__ import annotations

import re

import msgspec

MAX_ATTACHMENT_BYTES = 4 * 2**20

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]++={0,2}\s*+")


def pasted_pictures(raw: msgspec.Raw) -> dict[str, dict[str, str]]:
    """Return a cell's attachments that are bitmaps in base64; drop everything else.

    SVG and HTML are dropped: they can carry script to whoever reads the page.
    """
    if len(memoryview(raw)) > 2 * MAX_ATTACHMENT_BYTES:
        return {}
    try:
        files = msgspec.json.decode(raw, type=dict[str, dict[str, str]] | None) or {}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    kept = {
        name: {media: data for media, data in kinds.items() if _is_picture(media, data)}
        for name, kinds in files.items()
        if re.fullmatch(r"[\w. ()-]{1,200}", name)
    }
    return {name: kinds for name, kinds in kept.items() if kinds}


def _is_picture(media: str, data: str) -> bool:
    return media in _PICTURES and _BASE64.fullmatch(data) is not None
