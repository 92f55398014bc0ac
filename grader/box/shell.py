"""An IPython shell in the student's own process, with outputs as a real kernel would give them.

It is built once, in the zygote, before any submission exists; a child only attaches it to its
channel. `tests/box/test_conformance.py` holds it against nbclient with ipykernel.
"""

from __future__ import annotations

import asyncio
import base64
import builtins
import getpass
import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.page import as_hook
from traitlets import Type
from traitlets.config import Config

from grader.box import colab
from grader.box.capture import OutputLimitReached, Outputs
from grader.box.installing import answer_to_install
from grader.box.working_directory import look_again
from grader.wire.messages import CellDone
from grader.wire.values import type_name
from grader.wire.waiting import waited_s

_IMAGES = ("image/png", "image/jpeg", "application/pdf")
_NO_INPUT = "{} was called, but this frontend does not support input requests."
MAX_FRAMES = 1_000


class CellTimeout(KeyboardInterrupt):
    """The cell ran longer than it may. A KeyboardInterrupt, so that loops end."""


class _Publisher(DisplayPublisher):  # type: ignore[misc]
    """Sends what `display()` shows."""

    outputs: Outputs

    def publish(  # type: ignore[no-untyped-def]
        self, data, metadata=None, *, transient=None, update=False, **_ignored
    ) -> None:
        self._validate_data(data, metadata or {})
        display_id = str((transient or {}).get("display_id") or "")
        output = {
            "output_type": "display_data",
            "data": _plain_images(data),
            "metadata": metadata or {},
        }
        self.outputs.add(output, display_id=display_id, update=update)

    def clear_output(self, wait: bool = False) -> None:
        self.outputs.clear(wait=wait)


class _Hook(DisplayHook):  # type: ignore[misc]
    """Sends the value of a cell's last expression."""

    outputs: Outputs
    _pending: dict[str, Any] | None = None

    def write_output_prompt(self) -> None:
        """A kernel writes no prompt."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self._pending = {
            "output_type": "execute_result",
            "execution_count": self.prompt_count,
            "data": _plain_images(format_dict),
            "metadata": md_dict or {},
        }

    def finish_displayhook(self) -> None:
        if self._pending is not None and self._pending["data"]:
            self.outputs.add(self._pending)
        self._pending = None
        self._is_active = False


class _Compiler(CachingCompiler):  # type: ignore[misc]
    """Knows to which module the code of a cell belongs."""

    def cache(self, transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
        """Take in a cell's source and return the file name that stands for it."""
        name: str = super().cache(transformed_code, number, raw_code)
        # Else `inspect.getmodule` looks through every module for each frame of a traceback: with
        # torch loaded that is 25 s for an endless recursion.
        inspect.modulesbyfile[str(Path(name).absolute())] = "__main__"
        return name


class Shell(InteractiveShell):  # type: ignore[misc]
    """IPython without a terminal, a history file or a way to ask questions."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)
    compiler_class = Type(_Compiler)
    outputs: Outputs
    loop: asyncio.AbstractEventLoop
    failed = False
    muted = False

    def init_virtualenv(self) -> None:
        """Never look for a virtual environment: the box has what it has."""

    def enable_gui(self, gui: Any = None) -> None:
        """There are no windows in a box."""

    def ask_exit(self) -> None:
        """`exit()` in a cell is not a reason to lose the cells after it."""

    def system_piped(self, cmd: str) -> None:
        """Run a `!command`, its output into the cell."""
        line = self.var_expand(cmd, depth=1)
        if (answer := answer_to_install(line)) is not None:
            sys.stdout.write(answer)
            self.user_ns["_exit_code"] = 0
            return
        shell = os.environ.get("SHELL") or "/bin/sh"
        with subprocess.Popen(
            [shell, "-c", line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            stream = process.stdout
            while stream is not None and (chunk := stream.read1(65_536)):  # type: ignore[attr-defined]
                sys.stdout.write(chunk.decode("utf-8", "replace"))
            self.user_ns["_exit_code"] = process.wait()

    system = system_piped

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """Show an error; it has left the student's code, so the time limit has done its work."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().showtraceback(*args, **kwargs)

    def _get_exc_info(self, exc_tuple: Any = None) -> tuple[Any, Any, Any]:
        kind, error, trace = super()._get_exc_info(exc_tuple)
        return kind, error, _shortened(trace)

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.failed = True
        if self.muted:
            return
        try:
            text = str(evalue)
        except Exception as error:  # noqa: BLE001 - a student's __str__ may raise anything
            text = f"<its text can't be shown: {type(error).__name__}>"
        self.outputs.add(
            {
                "output_type": "error",
                "ename": str(etype.__name__),
                "evalue": text,
                "traceback": stb,
            }
        )


def _shortened(trace: TracebackType | None) -> TracebackType | None:
    """The first and the last part of a traceback that would take seconds to be written."""
    parts: list[TracebackType] = []
    part = trace
    while part is not None:
        parts.append(part)
        part = part.tb_next
    if len(parts) <= MAX_FRAMES:
        return trace
    short: TracebackType | None = None
    for part in reversed(parts[: MAX_FRAMES // 2] + parts[-MAX_FRAMES // 2 :]):
        short = TracebackType(short, part.tb_frame, part.tb_lasti, part.tb_lineno)
    return short


def build(*, pictures: bool = True) -> Shell:
    """Build the one shell of this process, with matplotlib's inline backend ready.

    Without pictures matplotlib is not loaded yet: its own variable names the backend then.
    """
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.autoindent = False
    config.IPKernelApp.tqdm = "tqdm asks for this name to know a notebook"
    shell: Shell = Shell.instance(config=config)
    shell.user_module.__dict__["__name__"] = "__main__"
    if pictures:
        # Matplotlib is loaded by now and has chosen a backend without pictures; in a kernel a
        # figure is shown without any `%matplotlib inline`.
        shell.enable_matplotlib("inline")
    # `name?` opens a pager, which is no output of a cell.
    shell.set_hook("show_in_pager", as_hook(lambda *_page, **_how: None), 99)
    sys.meta_path.append(
        colab.Finder(lambda file: shell.compile.format_code_name(file) is not None)
    )
    return shell


def attach(shell: Shell, outputs: Outputs) -> None:
    """Bind the shell to a session's outputs and refuse input as a batch run does."""
    shell.outputs = shell.display_pub.outputs = shell.displayhook.outputs = outputs
    shell.loop = asyncio.new_event_loop()
    asyncio.set_event_loop(shell.loop)
    builtins.input = _refuse_input
    getpass.getpass = _refuse_password


def _refuse_input(*_args: object, **_kwargs: object) -> NoReturn:
    raise StdinNotImplementedError(_NO_INPUT.format("raw_input"))


def _refuse_password(*_args: object, **_kwargs: object) -> NoReturn:
    raise StdinNotImplementedError(_NO_INPUT.format("getpass"))


def run_cell(shell: Shell, source: str, *, settle: Callable[[], None]) -> CellDone:
    """Run one cell; everything that it shows has been taken in when this returns."""
    began, waited = time.monotonic(), waited_s()
    look_again()
    shell.failed = False
    status: Any = "ok"
    error, line = "", 0
    try:
        raised = run_in_loop(shell, source)
        line = _line_of(shell, raised)
        if raised is not None or shell.failed:
            status, error = "error", type_name(type(raised)) if raised is not None else "Error"
        if isinstance(raised, CellTimeout):
            status = "timeout"
        elif isinstance(raised, OutputLimitReached):
            status = "output_limit"
    except CellTimeout:
        status, error = "timeout", "CellTimeout"
    except OutputLimitReached:
        status, error = "output_limit", "OutputLimitReached"
    except BaseException as unexpected:  # noqa: BLE001 - SystemExit, or hooks that cells put in
        status, error = "error", type_name(type(unexpected))
    signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        settle()
    except OutputLimitReached:
        pass
    if shell.outputs.exceeded:
        status = "output_limit"
    duration = time.monotonic() - began
    return CellDone(
        status=status,
        execution_count=int(shell.execution_count) - 1,
        duration_s=duration,
        waited_s=waited_s() - waited,
        error=error.rsplit(".", 1)[-1][:200],
        line=line,
    )


def _line_of(shell: Shell, raised: BaseException | None) -> int:
    """The line of the cell at which it raised, of the code that IPython made of it."""
    trace = raised.__traceback__ if raised is not None else None
    while trace is not None:
        if shell.compile.format_code_name(trace.tb_frame.f_code.co_filename) is not None:
            return trace.tb_lineno or 0
        trace = trace.tb_next
    return 0


def run_in_loop(shell: Shell, source: str) -> BaseException | None:
    """Run a cell inside this process's event loop, as a kernel does, so that tasks live on."""
    task = shell.loop.create_task(_run(shell, source))
    try:
        return shell.loop.run_until_complete(task)
    except KeyboardInterrupt as interrupt:
        if task.done():
            raise
        # The alarm rang while the cell waited for something: end it, or it goes on in the next.
        shell.muted = True
        try:
            task.cancel()
            shell.loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            shell.muted = False
        shell.showtraceback((type(interrupt), interrupt, None))
        return interrupt


async def _run(shell: Shell, source: str) -> BaseException | None:
    """What ipykernel does with a cell (`IPythonKernel.do_execute`), but compiled once."""
    broken = None
    try:
        cell = shell.transform_cell(source)
    except Exception:  # noqa: BLE001 - of a transformer that a cell put in
        cell, broken = source, sys.exc_info()
    result = None
    try:
        result = await shell.run_cell_async(
            source, store_history=True, transformed_cell=cell, preprocessing_exc_tuple=broken
        )
    finally:
        shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", result)
    raised: BaseException | None = result.error_before_exec or result.error_in_exec
    return raised


def _plain_images(data: dict[str, Any]) -> dict[str, Any]:
    """Encode raw image bytes as base64 text, as a kernel does."""
    plain = dict(data)
    for mime in _IMAGES:
        if isinstance(plain.get(mime), bytes):
            plain[mime] = base64.encodebytes(plain[mime]).decode("ascii")
    return plain
