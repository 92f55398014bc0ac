"""The jinja2 templates of the pages: autoescaped, strict, with a course's own ones first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from grader.errors import GraderError
from grader.gradebook.totals.rounding import show_fraction
from grader.points import show, signed
from grader.report.markdown import markdown_html
from grader.report.text import clean
from grader.resources import shipped_dir

if TYPE_CHECKING:
    from jinja2 import Environment


def render(name: str, context: dict[str, Any], template_dirs: Sequence[Path] = ()) -> str:
    """Fill in a template.

    Args:
        name: below `templates/`, such as "report/student.html.j2".
        context: its variables; plain text is cleaned and escaped where it is put out.
        template_dirs: a course's own folders, looked at before ours.

    Raises:
        GraderError: a course's own template is wrong: file, line and what jinja2 says.
    """
    # Loaded with the first page: most commands that read the record write none.
    from jinja2.exceptions import TemplateError

    try:
        return _environment(tuple(template_dirs)).get_template(name).render(context)
    except TemplateError as error:
        place = getattr(error, "filename", None) or name
        line = getattr(error, "lineno", None)
        raise GraderError(
            f"the template cannot be used: {error.message}",
            where=f"{place}:{line}" if line else place,
            hint="Fix it, or remove it from the course's templates/ folder to get ours.",
        ) from error


@lru_cache(maxsize=8)
def _environment(template_dirs: tuple[Path, ...]) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from grader.report.compiled_templates import compiled_templates

    folders = [*map(str, template_dirs), str(shipped_dir("templates"))]
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=compiled_templates(),
    )
    environment.filters |= {"points": show, "percent": _percent, "moment": _moment, "size": _size}
    environment.filters |= {"prose": _prose, "fraction": show_fraction, "short": _short}
    environment.filters |= {"signed": signed, "markdown": markdown_html}
    return environment


def _printable(value: Any) -> Any:
    """Clean whatever text is put out: a template can't forget it."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean(value)
    return value


def _prose(text: str) -> Markup:
    """Text with `code` between backticks; all of it escaped."""
    parts = enumerate(clean(text).split("`"))
    return Markup().join(
        Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in parts
    )


def _percent(share: float | Decimal) -> str:
    return f"{round(float(share) * 100)}"


def _moment(time: dt.datetime | None) -> str:
    if time is None:
        return "unknown"
    return f"{time:%-d %B %Y, %H:%M} {zone_name(time)}".strip()


def _short(time: dt.datetime) -> str:
    return f"{time:%-d %b, %H:%M}"


def zone_name(time: dt.datetime) -> str:
    """The offset of a time, as pages tell it."""
    offset = time.strftime("%z")
    return "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}" if offset else ""


def _size(count: int) -> str:
    return f"{count / (1 << 20):,.0f} MB"
