"""The `grader` command: one thin module per verb, loaded when it is called."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import traceback
from importlib import import_module

import click

from grader import __version__
from grader.cli.former_names import with_new_name
from grader.errors import GraderError
from grader.printable import printable_line, printing_safely

_SECTIONS = {
    "Write assignments": {
        "init": "Make a course directory.",
        "import": "Take over an assignment of another system.",
        "list": "List the assignments of the course.",
        "validate": "Try an assignment before its release.",
        "audit": "Find out whether a suite can be trusted.",
        "release": "Write what students get.",
    },
    "In the browser": {
        "serve": "Serve a course: hand in, mark, publish.",
    },
    "Hand in": {
        "check": "Run the public tests on a notebook.",
        "inbox": "Let students of this machine hand in.",
        "submit": "Hand in a notebook.",
        "receipt": "Look at receipts.",
    },
    "Collect and grade": {
        "roster": "Keep the list of who takes the course.",
        "collect": "Take in what students handed in.",
        "grade": "Run the tests on submissions.",
        "report": "Write the pages again.",
        "similarity": "Find submissions that are closer than the class.",
    },
    "Mark by hand": {
        "mark": "Mark a student by a rubric, or add points to a question.",
        "mark-answers": "Mark written answers, question by question.",
        "import-marks": "Take marks from a table.",
        "show-marks": "Show marks.",
        "history": "Show who changed which mark, when and why.",
        "excuse": "Excuse a student from an item.",
        "extend": "Give a student more time.",
        "move-marks": "Move marks to what has a new name.",
    },
    "Give back": {
        "totals": "Compute totals from all marks.",
        "export": "Write marks into a system's own file.",
        "feedback": "Pack students' pages for a system's bulk upload.",
        "publish": "Lay out students' pages for a web server.",
        "gradescope-bundle": "Write an autograder for Gradescope.",
    },
    "Look after": {
        "gradebook": "Look after the gradebook's database.",
        "sandbox": "Build and look after the sandbox image.",
        "doctor": "Try every promise of the sandbox here.",
    },
}
_COMMANDS = [name for section in _SECTIONS.values() for name in section]
_MODULES = {"list": "list_", "import": "import_"}
INTERRUPTED = 130
_COLLECT_AFTER = 500_000
TRACEBACK_VARIABLE = "GRADER_TRACEBACK"


class LazyGroup(click.Group):
    """Loads a command's module when it is called, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order in which a course needs them."""
        return _COMMANDS

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, with the name that a command has now."""
        return super().parse_args(ctx, with_new_name(args))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in _COMMANDS:
            return None
        name = _MODULES.get(cmd_name, cmd_name.replace("-", "_"))
        module = import_module(f"grader.cli.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without loading their modules."""
        width = max(map(len, _COMMANDS))
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{width}}", does) for name, does in commands.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="grader")
def cli() -> None:
    """Grade PyTorch notebooks in a sandbox, judged from outside.

    The judge and the student's code never share a process, a container or a file system: the
    hidden tests can't be read, and a result can't be forged.

    \b
    Example:
      grader init comp541 --course koc-comp541 && cd comp541
      grader release mlp-backprop
      grader grade mlp-backprop submissions/
    """


def main() -> None:
    """Run the command and turn errors into a sentence and an exit code."""
    # A command imports much and soon ends: the collector's default would go through it 50 times.
    gc.set_threshold(_COLLECT_AFTER)
    # Python looks for garbage once more when it ends: a third of what most commands take.
    atexit.register(gc.freeze)
    with printing_safely():
        _run()


def _run() -> None:
    try:
        # https://no-color.org; click itself only looks at whether it writes to a terminal
        code = cli.main(
            prog_name="grader",
            standalone_mode=False,
            color=False if os.environ.get("NO_COLOR") else None,
        )
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. What was graded is kept; run it again to continue.", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        _show(error)
        sys.exit(error.exit_code)
    except GraderError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `grader list | head`: who reads us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {where}{error.strerror or error}", err=True)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - a student must not be shown our traceback
        _confess(error)
        sys.exit(1)


def _show(error: click.ClickException) -> None:
    """Show what click found wrong as click does, on one line whatever was typed."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        if error.ctx.command.get_help_option(error.ctx) is not None:
            path, option = error.ctx.command_path, error.ctx.help_option_names[0]
            click.echo(f"Try '{path} {option}' for help.\n", err=True)
    click.echo(f"Error: {printable_line(error.format_message())}", err=True)


def _confess(error: Exception) -> None:
    if os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exception(error)  # here, where what it quotes is made printable
        return
    text = " ".join(str(error).split())[:500]
    click.echo(
        f"Error: a fault of grader itself: {type(error).__name__}: {text}\n"
        f"  Nothing that was graded or handed in is lost. Please report it, with what "
        f"{TRACEBACK_VARIABLE}=1 shows when the command is run again.",
        err=True,
    )
