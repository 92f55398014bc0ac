"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from grader.course.directory import Course

by_option = click.option(
    "--by", metavar="NAME", help="Who marks. Default: GRADER_MARKER, else the account's name."
)
course_option = click.option(
    "--course",
    "course_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The course directory; default: the one around the working directory.",
)
student_option = click.option("--student", metavar="STUDENT", default="", help="One student.")
item_option = click.option("--item", metavar="ITEM", default="", help="One item.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
sandbox_option = click.option(
    "--sandbox",
    type=click.Choice(["auto", "docker", "local", "unsafe"]),
    default="auto",
    show_default=True,
    help="Where notebooks run. auto: docker when an engine answers and the image is built, else "
    "local. unsafe: no sandbox at all.",
)
isolation_option = click.option(
    "--isolation",
    type=click.Choice(["auto", "warm", "single-use"]),
    default="auto",
    show_default=True,
    help="warm: a jailed fork for each submission. single-use: a container for each. auto: warm "
    "where every part of the jail holds.",
)

runtime_option = click.option(
    "--runtime",
    metavar="NAME",
    default="",
    envvar="GRADER_RUNTIME",
    help="The container engine's runtime, such as runsc (gVisor); default: the engine's own.",
)

keep_option = click.option(
    "--keep/--no-keep",
    default=True,
    envvar="GRADER_KEEP",
    help="Of a single notebook: leave the sandbox warm for ten minutes, for the next command of "
    "yours that is the same. GRADER_KEEP=0 does it never.",
)


def find(course_dir: Path | None) -> Course:
    """The course directory that was named, or the one around."""
    from grader.api import find_course

    return find_course(course_dir)


def print_json(document: Any) -> None:
    """Print one document on stdout."""
    import json

    from grader.printable import printable_json

    text = json.dumps(document, indent=2, default=_plain, ensure_ascii=False)
    click.echo(printable_json(text))


def _plain(value: object) -> Any:
    from decimal import Decimal

    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def say_recorded(count: int) -> None:
    """Say whether anything new was recorded."""
    click.echo("Recorded." if count else "That was known already.", err=True)
