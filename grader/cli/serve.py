"""`grader serve`"""

from __future__ import annotations

from pathlib import Path

import click

from grader.errors import UsageError
from grader.installation import install_extra
from grader.printable import printable_line


@click.command("serve")
@click.argument("courses", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8000, show_default=True, help="0: any that is free.")
@click.option("--url", default="", help="The address that browsers use, behind another server.")
@click.option("--instructor", help="Who signs in first; default: your login.")
@click.option(
    "--accounts", default="", help="Database of the accounts; default: the first gradebook."
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A desk.toml; default: the one in the first course, where there is one.",
)
@click.option(
    "--proxy",
    default="127.0.0.1",
    show_default=True,
    help="With --url: from where the server before this one comes; it says who asks.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many web processes; several need PostgreSQL.",
)
@click.option("--no-engine", is_flag=True, help="Only the web server; an engine runs elsewhere.")
@click.option("--no-web", is_flag=True, help="Only the engines; a web server runs elsewhere.")
@click.option("--sandbox", default="auto", help="As in `grader grade`.")
@click.option("--isolation", default="auto", help="As in `grader grade`.")
@click.option("--slots", type=click.IntRange(1), help="How many notebooks run at once.")
@click.option("--cluster", help="As in `grader grade`: its machines judge.")
@click.option("--max-upload", default=100, show_default=True, help="MB that one upload may have.")
def command(
    courses: tuple[Path, ...],
    host: str,
    port: int,
    url: str,
    instructor: str | None,
    accounts: str,
    config: Path | None,
    proxy: str,
    workers: int,
    no_engine: bool,
    no_web: bool,
    sandbox: str,
    isolation: str,
    slots: int | None,
    cluster: str | None,
    max_upload: int,
) -> None:
    """Serve a course: students hand in and read, staff mark and publish, in a browser.

    COURSES are course directories; by default the one that you are in. An engine judges what is
    handed in. The command line keeps working beside it, on the same record.

    It prints a sign-in link for you; from there you make those of the class. Before the whole
    university can reach it, put a server with TLS before it, see docs/how-to/run-the-desk.md.

    With PostgreSQL several web processes and several engines, also on several machines, serve one
    course.

    \b
    Example:
      grader serve
      grader serve --port 8080 --sandbox docker
      grader serve --workers 3 --no-engine
      grader serve --no-web
    """
    try:
        from grader.desk.server import Serving, serve
        from grader.desk.settings import DESK_FILE, DeskSettings, load_settings
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the desk needs {error.name}, which is not installed",
            hint=f"Run {install_extra('desk')}.",
        ) from error
    from grader.api.marking import marker
    from grader.cli.options import find

    options = ["--sandbox", sandbox, "--isolation", isolation]
    options += ["--slots", str(slots)] if slots else []
    options += ["--cluster", cluster] if cluster else []
    settings = load_settings(config) if config else DeskSettings()
    roots = list(courses) or settings.courses() or [find(None).root]
    if config is None and (roots[0] / DESK_FILE).is_file():
        config = roots[0] / DESK_FILE
        settings = load_settings(config)
        roots = roots if courses else settings.courses() or roots
    serve(
        roots,
        Serving(
            host=host,
            port=port,
            url=url or settings.file.url,
            proxy=proxy,
            accounts_url=accounts,
            config=config,
            web=0 if no_web else workers,
            engine=not no_engine,
            engine_options=options,
            max_upload_mb=max_upload,
        ),
        instructor=marker(instructor),
        say=lambda line: click.echo(printable_line(line)),
    )
