"""Pictures beside a notebook that its text shows: taken into the cells that show them."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import unescape
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from grader.intake.attachments import MAX_PICTURE_BYTES
from grader.intake.notebook_cells import Cell, ReadNotebook

MAX_BYTES = 24 * 2**20
"""Of all linked pictures of one notebook together."""
MAX_LINKS = 200

MEDIA = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
# `![text](fig.png "title")`, `![](<my fig.png>)`, `![](my fig (1).png)`; possessive, so that a
# hostile line costs linear time.
_MARKDOWN = re.compile(
    r"!\[[^\]\n]{0,300}+\]\([ \t]*+(?:<(?P<in>[^<>\n]{1,500}+)>"
    r"|(?P<out>[^()\n]{0,300}+(?:\([^()\n]{0,100}+\)[^()\n]{0,100}+){0,9}+))"
)
_REFERENCE = re.compile(
    r"^[ ]{0,3}\[[^\]\n]{1,300}+\]:[ \t]*+<?(?P<in>[^\s<>]{1,500}+)", re.MULTILINE
)
_HTML = re.compile(
    r"<img\b[^<>]{0,500}?\bsrc[ \t]*=[ \t]*"
    r"(?:\"(?P<d>[^\"<>\n]{1,500})\"|'(?P<s>[^'<>\n]{1,500})'|(?P<n>[^\s\"'<>]{1,500}))",
    re.IGNORECASE,
)
_DATA = re.compile(
    r"data:(?P<media>image/[a-z+]{2,20}+);base64,(?P<data>[A-Za-z0-9+/]++=*+)", re.IGNORECASE
)
_TITLE = re.compile(r"\s+(?:\"[^\"]*\"|'[^']*')\s*$")


def is_picture(path: str) -> bool:
    """Say whether a file's name is that of a picture that a page can show."""
    return PurePosixPath(path).suffix.lower() in MEDIA


def plain_target(link: str) -> str:
    """Return the file that a link means, in one spelling of many; "" where it is none beside.

    `./Fig%201.PNG`, `fig 1.png` and `figs\\..\\fig 1.png` are the same file: browsers, systems and
    students differ in spaces, case, umlauts and separators.
    """
    name = unquote(unescape(link.strip())).replace("\\", "/").partition("#")[0].partition("?")[0]
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", name):
        return ""
    path = posixpath.normpath(name).lstrip("/")
    return "" if path.startswith("..") or path == "." else _folded(path)


def linked_targets(markdown: str) -> Iterator[str]:
    """Yield what a cell's pictures point to, as it is written there."""
    for match in _MARKDOWN.finditer(markdown):
        yield _TITLE.sub("", match["in"] or match["out"] or "").strip()
    for match in _REFERENCE.finditer(markdown):
        yield match["in"]
    for match in _HTML.finditer(markdown):
        yield match["d"] or match["s"] or match["n"]


def without_inline_pictures(markdown: str) -> tuple[str, dict[str, dict[str, str]]]:
    """Return the text with names in the place of pictures in it, and these as attachments."""
    found: dict[str, dict[str, str]] = {}

    def named(match: re.Match[str]) -> str:
        media, data = match["media"].lower(), match["data"]
        kind = next((suffix for suffix, known in MEDIA.items() if known == media), "")
        if not kind or len(data) > MAX_PICTURE_BYTES * 4 // 3:
            return match[0][:80]
        name = f"picture-{hashlib.sha256(data.encode()).hexdigest()[:12]}{kind}"
        found[name] = {media: data}
        return f"attachment:{name}"

    return (_DATA.sub(named, markdown) if "base64," in markdown else markdown), found


def with_quoted_links(markdown: str) -> str:
    """Return the text with spaces and brackets in its pictures' names as links write them.

    `![](attachment:image (1).png)`, as some editors write it, is no link for a Markdown reader.
    """
    return _MARKDOWN.sub(_quoted, markdown)


def _quoted(match: re.Match[str]) -> str:
    link = (match["out"] or "").strip()
    if not is_picture(link) or not re.search(r"[\s()]", link):
        return match[0]
    plain = quote(unquote(link), safe=":/\\.~-_#?&=+,;@!$'*")
    return f"{match[0][: match.start('out') - match.start()]}{plain}"


def with_linked_pictures(notebook: ReadNotebook, files: Mapping[str, bytes]) -> ReadNotebook:
    """Return the notebook with the pictures that its text links to, as if they were pasted.

    So are those that stand in the text itself as `data:` addresses, which Colab makes of a picture
    that is pasted: the text stays one that a person can read.

    Args:
        notebook: what was handed in.
        files: what lies beside it, by path there.
    """
    beside = {_folded(path): path for path in sorted(files) if is_picture(path)}
    by_name = {PurePosixPath(path).name: real for path, real in reversed(beside.items())}
    left = MAX_BYTES
    cells: list[Cell] = []
    for cell in notebook.cells:
        if cell.kind != "markdown":
            cells.append(cell)
            continue
        source, found = without_inline_pictures(cell.source)
        links = list(linked_targets(source))[:MAX_LINKS] if beside else []
        for target in map(plain_target, links):
            # A path of the student's own machine ends in the right name, too.
            path = beside.get(target) or by_name.get(PurePosixPath(target).name)
            if not target or path is None or target in found:
                continue
            data = files[path]
            if len(data) <= min(MAX_PICTURE_BYTES, left):
                left -= len(data)
                media = MEDIA[PurePosixPath(path).suffix.lower()]
                found[target] = {media: base64.b64encode(data).decode()}
        if found:
            attachments = {**found, **cell.attachments}
            cell = replace(cell, source=source, attachments=attachments)
        cells.append(cell)
    return replace(notebook, cells=tuple(cells))


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
