"""The desk's own style and scripts."""

from __future__ import annotations

from starlette.responses import Response

from grader.desk.routing import NotFound, OpenPage, Visit
from grader.resources import shipped_dir

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def send_static(visit: Visit) -> Response:
    """Send a file of ours."""
    folder = shipped_dir("templates") / "desk" / "static"
    files = {path.name: path for path in folder.iterdir()}
    path = files.get(visit.named("file"))
    if path is None or path.suffix[1:] not in _TYPES:
        raise NotFound
    return Response(
        path.read_bytes(),
        media_type=_TYPES[path.suffix[1:]],
        headers={"cache-control": "public, max-age=300"},
    )


PAGES = [
    OpenPage(method="GET", path="/static/{file}", view=send_static, why="style and scripts"),
]
