"""Where a browser may be led after signing in: a path of ours, and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit


def own_path(wanted: str) -> str:
    """Return where somebody wanted to go: a path of ours, else the start.

    A browser takes `//host` and `/\\host` for other sites, and drops tabs and newlines first.
    """
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    if not ours or len(wanted) > 2000 or not wanted.isascii() or not wanted.isprintable():
        return "/"
    return wanted if not urlsplit(wanted).netloc and "\\" not in wanted else "/"
