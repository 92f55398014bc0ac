"""The allow-list that all HTML from a student or a box goes through."""

from __future__ import annotations

import base64
import binascii
import re

import nh3
from markupsafe import Markup

from grader.report.pictures import raster_url, svg_url

MAX_HTML = 400_000

_TEXT_TAGS = {
    "a",
    "abbr",
    "b",
    "bdi",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
}
_MATH_TAGS = {
    "math",
    "mrow",
    "mi",
    "mo",
    "mn",
    "ms",
    "mtext",
    "mspace",
    "mfrac",
    "msqrt",
    "mroot",
    "mstyle",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mmultiscripts",
    "mprescripts",
    "mtable",
    "mtr",
    "mtd",
    "mpadded",
    "mphantom",
    "menclose",
}
# No style, id, name or on*: a student's CSS could cover the page, an id catch its links.
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "col": {"span"},
    "ol": {"start"},
    "details": {"open"},
    "abbr": {"title"},
    "math": {"display"},
    "mo": {"stretchy", "fence", "form", "minsize", "maxsize", "separator", "lspace", "rspace"},
    "mi": {"mathvariant"},
    "mspace": {"width"},
    "mfrac": {"linethickness"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mtable": {"displaystyle"},
    "mtd": {"columnalign"},
    "mover": {"accent"},
    "munder": {"accentunder"},
}
_HIGHLIGHT_CLASSES = {
    "k",
    "kc",
    "kd",
    "kn",
    "kp",
    "kr",
    "kt",
    "n",
    "na",
    "nb",
    "bp",
    "nc",
    "nd",
    "ne",
    "nf",
    "fm",
    "nn",
    "nv",
    "o",
    "ow",
    "p",
    "mi",
    "mf",
    "mh",
    "mo",
    "s",
    "s1",
    "s2",
    "sa",
    "sb",
    "sd",
    "se",
    "sf",
    "si",
    "sr",
    "c",
    "c1",
    "ch",
    "cm",
    "cs",
    "err",
}
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_PICTURE = re.compile(r"data:(image/[a-z+]+);base64,(.*)", re.DOTALL)
_LENGTH = re.compile(r"-?\d{0,2}(?:\.\d{0,4})?(?:em|ex|px|pt)")
_LENGTHS = {"width", "minsize", "maxsize", "lspace", "rspace", "linethickness"}
_COUNT = re.compile(r"\d{1,4}")
_INTERACTIVE = re.compile(
    r"<\s*(?:script|iframe|object|embed|applet|form|video|audio|canvas)\b", re.IGNORECASE
)


def _filter(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if _LINK.match(value) else None
    if name == "src":
        return _picture_source(value)
    if tag.startswith("m") and name in _LENGTHS:
        # A minus a thousand em would lift a symbol over the rest of the page.
        return value if _LENGTH.fullmatch(value) else None
    if name in ("width", "height", "colspan", "rowspan", "span", "start", "scriptlevel"):
        return value if _COUNT.fullmatch(value) else None
    return value


def _picture_source(value: str) -> str | None:
    match = _PICTURE.fullmatch(value)
    if match is None:
        return None
    # An SVG in a data URL is decoded only to be checked as any other SVG would be.
    if match[1] == "image/svg+xml":
        return _svg_source(match[2])
    return raster_url(match[1], match[2])


def _svg_source(encoded: str) -> str | None:
    try:
        return svg_url(base64.b64decode(encoded, validate=True).decode("utf-8", "replace"))
    except (binascii.Error, ValueError):
        return None


_CLEANER = nh3.Cleaner(
    tags=_TEXT_TAGS | _MATH_TAGS,
    clean_content_tags={"script", "style", "template", "noscript", "title", "textarea", "xmp"},
    attributes=_ATTRIBUTES,
    attribute_filter=_filter,
    allowed_classes={"table": {"dataframe"}, "span": _HIGHLIGHT_CLASSES},
    url_schemes={"http", "https", "mailto", "data"},
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def sanitise_html(untrusted_html: str, *, limit: int = MAX_HTML) -> Markup:
    """Return what of the HTML may stand in a page: text, tables, formulas, pictures, links.

    Args:
        untrusted_html: cut off at `limit` characters.
        limit: more than the default only for what is bounded already.
    """
    return Markup(_CLEANER.clean(untrusted_html[:limit]))  # noqa: S704 - nh3's result


def is_interactive(untrusted_html: str) -> bool:
    """Whether the HTML wants to run or load something that a page does not."""
    return _INTERACTIVE.search(untrusted_html) is not None
