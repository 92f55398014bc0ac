"""`grader sandbox`"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from grader.cli.options import course_option, find


@click.group("sandbox")
def command() -> None:
    """Build and look after the sandbox image.

    \b
    Example:
      grader sandbox build
    """


@command.command("build")
@click.option(
    "--base", help="An image to build on; default: a Python image, or a Debian made here."
)
@click.option(
    "--for", "assignment", metavar="ASSIGNMENT", help="With this one's libraries and packages."
)
@click.option("--rebuild", is_flag=True, help="Also when it is up to date.")
@course_option
def build(base: str | None, assignment: str | None, rebuild: bool, course_dir: Path | None) -> None:
    """Build the image that notebooks run in.

    The base comes from a registry, or is made with debootstrap where none answers. Libraries come
    as wheels that the host's own pip downloads, and are installed without network; the Debian
    packages of an assignment that asks for some are installed by the image's apt. Nothing is done
    when the image is up to date.

    \b
    Example:
      grader sandbox build --for transformers-gnns
    """
    from grader.api import end_kept_judges
    from grader.sandbox.image import BASE, build_image

    box = find(course_dir).assignment(assignment).spec.box if assignment else BASE
    state = build_image(
        box, base=base, rebuild=rebuild, tell=lambda text: click.echo(text, err=True)
    )
    end_kept_judges()  # they may have slots of an image that is none of today's
    click.echo(f"{state.tag} {state.image_id}")


@command.command("status")
@course_option
def status(course_dir: Path | None) -> None:
    """Say which images there are, and whether they are fresh. Exit code 1 if one isn't.

    \b
    Example:
      grader sandbox status
    """
    from grader.course.spec import BoxSpec
    from grader.errors import GraderError
    from grader.sandbox.engine import connect
    from grader.sandbox.image import BASE, find_image

    engine = connect()
    wanted: dict[BoxSpec, list[str]] = {BASE: []}
    try:
        course = find(course_dir)
        for name in course.names():
            box = course.assignment(name).spec.box
            same = BoxSpec(libraries=box.libraries, packages=box.packages)
            wanted.setdefault(same, []).append(name)
    except GraderError as error:
        if course_dir is not None:
            raise
        click.echo(f"Only the base image: {error.what}", err=True)
    click.echo(f"engine {engine.version}, cgroup v{engine.cgroup_version}")
    fresh = True
    for box, names in wanted.items():
        state = find_image(box, engine=engine)
        fresh = fresh and state.status == "ready"
        users = f"  for {', '.join(names)}" if names else ""
        click.echo(f"{state.tag:<40} {state.status}{users}")
        if state.reason:
            click.echo(f"  {state.reason}. {state.fix}", err=True)
    if not fresh:
        raise click.exceptions.Exit(1)


@command.command("prune")
@click.option(
    "--images",
    type=click.Choice(["none", "old", "all"]),
    default="none",
    help="Remove sandbox images as well: of other versions of the grader, or all.",
)
def prune(images: Literal["none", "old", "all"]) -> None:
    """Remove containers and volumes that a killed batch has left.

    Those of a batch that still runs on this machine are kept.

    \b
    Example:
      grader sandbox prune --images old
    """
    from grader.api import end_kept_judges
    from grader.sandbox.prune import prune as remove

    if images != "none":
        end_kept_judges()
    for name in remove(images=images):
        click.echo(name)


@command.command("stop")
def stop() -> None:
    """End the judges that stay, each with its warm sandbox, for the next command of yours.

    After `grader check`, and `grader grade` of a single notebook, one stays for ten minutes. One
    that is at work ends when it is through. `grader doctor` says which there are.

    \b
    Example:
      grader sandbox stop
    """
    from grader.api import end_kept_judges

    count = end_kept_judges()
    click.echo(f"{count} ended." if count else "None was kept.")
