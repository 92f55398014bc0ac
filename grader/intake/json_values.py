"""Single values of JSON that somebody else wrote."""

from __future__ import annotations

from typing import Any

import msgspec


def value_or_none(raw: bytes | msgspec.Raw, kind: Any) -> Any:
    """Return a value of this kind; None if it is no JSON, or of another kind.

    One odd value must not take the others with it.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
