"""Where a browser may be led, after signing in or a form: a path of ours, and nothing else."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.types import Scope


def own_path(wanted: str) -> str:
    """Return where somebody wanted to go: a path of ours, else the start.

    A browser takes `//host` and `/\\host` for other sites, and drops tabs and newlines first.
    """
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    if not ours or len(wanted) > 2000 or not wanted.isascii() or not wanted.isprintable():
        return "/"
    return wanted if not urlsplit(wanted).netloc and "\\" not in wanted else "/"


def came_from(request: Request) -> str:
    """Return the page of ours from which a form was sent, query and all; empty: it does not say."""
    page = urlsplit(request.headers.get("referer", ""))
    path = f"{page.path}?{page.query}".rstrip("?")
    ours = page.netloc == request.headers.get("host", "") and own_path(path) == path
    return path if ours else ""


def is_led_here(request: Request) -> bool:
    """Say whether a page of ours led a browser here: no other site, mail or typed address did.

    Browsers say so where the connection is encrypted; elsewhere they name the page itself.
    """
    site = request.headers.get("sec-fetch-site")
    return site == "same-origin" if site is not None else bool(came_from(request))


def sign_in_before(scope: Scope) -> str:
    """Return the address of the sign-in that leads on to where somebody was, query and all.

    A query that a browser may not be led to is left out, and then the path.
    """
    path = quote(scope["path"])
    whole = f"{path}?{scope['query_string'].decode('latin-1')}".rstrip("?")
    wanted = whole if own_path(whole) == whole else own_path(path)
    return f"/sign-in?next={quote(wanted)}"
