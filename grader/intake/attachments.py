"""Pictures that students paste into written answers, for the person who marks them."""

from __future__ import annotations

import re

import msgspec

from grader.intake.json_values import value_or_none

MAX_PICTURE_BYTES = 8 * 2**20
MAX_ATTACHMENT_BYTES = 24 * 2**20
"""Of one cell; a picture larger than what a browser should be sent is made smaller when shown."""

_PICTURES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]++={0,2}\s*+")
# Any name that a system gives a file, but nothing that ends an attribute of HTML.
_NAME = re.compile(r"[^\x00-\x1f\x7f\"<>]{1,255}")


def pasted_pictures(raw: msgspec.Raw) -> dict[str, dict[str, str]]:
    """Return a cell's attachments that are bitmaps in base64; drop everything else.

    SVG and HTML are dropped: they can carry script to whoever reads the page.
    """
    if len(memoryview(raw)) > 2 * MAX_ATTACHMENT_BYTES:
        return {}
    kept = {}
    for name, bundle in (value_or_none(raw, dict[str, msgspec.Raw]) or {}).items():
        kinds = value_or_none(bundle, dict[str, msgspec.Raw]) or {}
        pictures = {
            media: "".join(data)
            for media, one in kinds.items()
            if (data := value_or_none(one, str | list[str])) is not None
            and _is_picture(media, "".join(data))
        }
        if pictures and _NAME.fullmatch(name):
            kept[name] = pictures
    return kept


def _is_picture(media: str, data: str) -> bool:
    return (
        media in _PICTURES
        and len(data) <= MAX_PICTURE_BYTES * 4 // 3 + 4096
        and _BASE64.fullmatch(data) is not None
    )
