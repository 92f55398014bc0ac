"""The weakenings, by name: what a sandbox or a judge would be without one of its walls.

Each takes away one thing, so that an attack which succeeds there shows that this thing is what
holds it. Nothing here is reachable from the product.
"""

from __future__ import annotations

import atexit
import json
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tests.attacks.weakened import peer


@dataclass(frozen=True, kw_only=True)
class Weakening:
    """One wall that is not there."""

    what: str
    peer: frozenset[str] | None = None
    """The hidden tests run in the student's process, by these rules."""
    reader: bool = False
    """Files are opened by whoever trusts them."""
    sandbox: str = "local"
    box: tuple[tuple[str, str, str], ...] = ()
    """Changes to the code of the box: file, text, what stands there instead."""
    judge: Callable[[], None] | None = None
    """Changes the judge's process."""
    page: Callable[[], Any] | None = None
    """Changes how pages are written, as a context manager."""
    resources: tuple[tuple[str, float], ...] = ()
    """Other limits in the spec."""


class MissingPatchError(Exception):
    """The code of the box has changed: the weakening must be written again."""


def weaken_judge(name: str) -> None:
    """Take the wall away in this process (a judge's, before it starts)."""
    weakening = WEAKENINGS[name]
    if weakening.box:
        _send_other_code(weakening.box)
    if weakening.judge is not None:
        weakening.judge()


def _send_other_code(patches: tuple[tuple[str, str, str], ...]) -> None:
    import grader
    from grader.sandbox.local_slot import LocalSlot
    from grader.sandbox.unsafe_slot import UnsafeSlot

    package = Path(grader.__file__).parent
    folder = Path(tempfile.mkdtemp(prefix="grader-weakened-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = folder / "grader"
    for room in ("wire", "box"):
        shutil.copytree(package / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(package / "__init__.py", copy / "__init__.py")
    for file, old, new in patches:
        path = copy / file
        text = path.read_text()
        if text.count(old) != 1:
            raise MissingPatchError(f"{file} holds {text.count(old)} times: {old}")
        path.write_text(text.replace(old, new))
    for kind in (LocalSlot, UnsafeSlot):
        _replace_code(kind, copy)


def _replace_code(kind: Any, copy: Path) -> None:
    honest = kind.command

    def command(self: Any, folder: Path) -> tuple[list[str], dict[str, str]]:
        arguments, environment = honest(self, folder)
        environment["PYTHONPATH"] = str(copy.parent)
        if arguments[-1].startswith("{"):
            config = json.loads(arguments[-1]) | {"code": str(copy)}
            arguments = [*arguments[:-1], json.dumps(config)]
        return arguments, environment

    kind.command = command


def _unpickle() -> None:
    from grader.suite import box_link

    honest = box_link.values.decode

    def decode(tree: Any, blobs: Any, **more: Any) -> Any:
        if len(blobs) == 1 and bytes(blobs[0][:7]) == b"PICKLED":
            return pickle.loads(bytes(blobs[0][7:]))
        return honest(tree, blobs, **more)

    box_link.values.decode = decode  # type: ignore[assignment]


def _no_rules() -> None:
    from grader.grading import worker

    worker.rulebook = lambda spec: None  # type: ignore[attr-defined]


def _shared_seed() -> None:
    from grader.suite.randomness import Seeds

    Seeds.of_box = Seeds.of_judge  # type: ignore[method-assign]


def _no_strictness() -> None:
    from grader.suite import strictness

    strictness._check = lambda *_: None  # type: ignore[assignment]


def _trusted_objects() -> None:
    from grader.grading import baseline

    baseline.pretender = lambda *_, **__: None  # type: ignore[assignment]


def _much_output() -> None:
    from grader.sandbox import stream

    stream.OUTPUT_SLACK = 1 << 40


def _unlimited_cells() -> None:
    from grader.sandbox import notebook_box

    notebook_box.CELLS_OF_OUTPUT = 1 << 40


def _no_groups() -> None:
    from grader.sandbox import local_slot

    local_slot.make_group = lambda bounds: local_slot.SlotGroup(places={})
    local_slot.scope_controllers = frozenset  # type: ignore[assignment]


def _no_processors() -> None:
    from grader.sandbox import local_slot

    _no_groups()
    honest = local_slot.Processors
    local_slot.Processors = lambda number: honest(1 << 20)  # type: ignore[assignment,misc]


def _frames_anywhere() -> None:
    """Read on wherever the reader stopped, in a slot that is kept, for sessions that are counted."""
    from itertools import count

    from grader.sandbox import conversation, link, stream
    from grader.wire import messages as m

    careful = link.FrameLink.next_frame
    numbers = count(1)

    def careless(self: Any, deadline: float) -> Any:
        self._frame.left = 0
        return careful(self, deadline)

    def of_session(self: Any, deadline: float) -> Any:
        while True:
            frame = self.link.next_frame(deadline)
            if frame.session == self._number:
                return frame
            frame.drop(deadline)

    def begun(self: Any, deadline: float) -> Any:
        while True:
            frame = of_session(self, deadline)
            if frame.kind == stream.frames.STATUS:
                status = frame.status(deadline)
                if isinstance(status, m.Started | m.Refused):
                    return status

    def ended(self: Any, *, orderly: bool) -> None:
        self._session = None

    link.FrameLink.next_frame = careless  # type: ignore[method-assign]
    conversation.Conversation._next = of_session  # type: ignore[method-assign]
    conversation.Conversation.begun = begun  # type: ignore[method-assign]
    stream.StreamSlot.ended = ended  # type: ignore[method-assign]
    stream.secrets.randbelow = lambda below: next(numbers)


def _one_bound_for_all() -> None:
    from grader.grading import relay
    from grader.intake import notebook
    from grader.wire import frames

    honest = relay.Pipe.send

    def send(self: Any, tree: Any, blobs: Any = ()) -> None:
        try:
            honest(self, tree, blobs)
        except frames.Malformed as error:
            raise RuntimeError from error

    relay.BOUNDS = frames.OF_BOX
    notebook.MAX_SOURCE_BYTES = frames.MAX_TREE
    relay.Pipe.send = send  # type: ignore[method-assign]


@contextmanager
def _takes_all_files() -> Iterator[None]:
    """Files beside the notebook of any size, in the place of any other."""
    from grader.intake import accepted_files

    with (
        mock.patch.object(accepted_files.AcceptedFiles, "_too_much", lambda *_: ""),
        mock.patch.object(accepted_files, "_fault", lambda *_: ""),
    ):
        yield


@contextmanager
def _as_it_comes() -> Iterator[None]:
    """Pages that show what the box sent as it is."""
    import jinja2
    from markupsafe import Markup

    from grader.report import markdown, rendered_notebook, student_page, templates

    def as_it_is(text: Any, *_: Any, **__: Any) -> Markup:
        return Markup(text)

    with ExitStack() as stack:
        for module in (rendered_notebook, markdown, student_page):
            for name in ("sanitise_html", "show_terminal", "markdown_html", "highlight_code"):
                if hasattr(module, name):
                    stack.enter_context(mock.patch.object(module, name, as_it_is))
        stack.enter_context(mock.patch.object(rendered_notebook, "is_interactive", lambda _: False))
        environment = templates._environment
        environment.cache_clear()
        options = {"autoescape": False, "finalize": lambda value: value}
        real = jinja2.Environment

        def careless(*args: Any, **kwargs: Any) -> Any:
            return real(*args, **(kwargs | options))

        stack.enter_context(mock.patch.object(jinja2, "Environment", careless))
        try:
            yield
        finally:
            environment.cache_clear()


def _peer(what: str, *rules: str) -> Weakening:
    return Weakening(what=what, peer=frozenset(rules))


def _box(what: str, *patches: tuple[str, str, str], **more: Any) -> Weakening:
    return Weakening(what=what, box=patches, **more)


_PICKLING = """\
try:
            import pickle
            if callable(result) or type(result) in (torch.Tensor, tuple, dict):
                raise TypeError
            out.append(b"PICKLED" + pickle.dumps(result))
            tree = ["y", 0]
        except Exception:
            out.clear()
            tree = values.encode(result, out, other=self._keep)
        try:
            pass"""

_TO_ITS_END = (("cell_s", 300), ("notebook_s", 1_200))
"""Where a limit is missing the attack ends by itself once it has what it may not have, be the
machine as busy as it likes: else a cell's own time would be the wall that holds it."""

_ONE_LOOPBACK = (
    ("box/jail.py", "    | linux.CLONE_NEWNET\n", ""),
    ("box/child.py", "        linux.bring_up_loopback()\n", ""),
)

WEAKENINGS: dict[str, Weakening] = {
    "shared-process": _peer("the hidden suite runs in the student's process"),
    "stops-at-error": _peer("the first error ends the notebook", peer.STOPS_AT_ERROR),
    "stderr-fails": _peer("whatever is written to stderr is a failure", peer.STDERR_FAILS),
    "exact": _peer("types, strides and dtypes are compared too", peer.EXACT),
    "as-script": _peer("the notebook is run as a script", peer.AS_SCRIPT),
    "functions-only": _peer("first definitions are cut out by syntax", peer.FUNCTIONS_ONLY),
    "last-line": _peer("the last line of the output is the score", peer.LAST_LINE),
    "in-count-order": _peer("cells are run as they were numbered", peer.IN_COUNT_ORDER),
    "cells-by-id": _peer("only the cells that were released are run", peer.CELLS_BY_ID),
    "known-kernel": _peer("the kernel must be one of this machine", peer.KNOWN_KERNEL),
    "strict-format": _peer("the notebook must be valid nbformat", peer.STRICT_FORMAT),
    "distrusts-prints": _peer("printed text spoils the results", peer.DISTRUSTS_PRINTS),
    "tests-inline": _peer("the tests are cells of the notebook", peer.TESTS_INLINE),
    "failures-count": _peer("what is skipped has not failed", peer.FAILURES_COUNT),
    "fixed-seed": _peer("each test draws the same inputs again", peer.FIXED_SEED),
    "sloppy": _peer("what is not larger is close, NaN too; shapes are broadcast", peer.SLOPPY),
    "small-files": _peer("large files are refused", peer.SMALL_FILES),
    "strict-json": _peer("JSON that is not quite JSON is refused", peer.STRICT_JSON),
    "plain-json": _peer("every file has the shape of nbformat 4", peer.PLAIN_JSON),
    "ascii": _peer("text is ASCII", peer.ASCII),
    "exact-numbers": _peer("a number must be Python's own float", peer.EXACT_NUMBERS),
    "known-outputs": _peer("the outputs that were handed in are believed", peer.KNOWN_OUTPUTS),
    "searches-text": _peer("a word that a rule forbids may stand nowhere", peer.SEARCHES_TEXT),
    "in-its-folder": _peer("the tests are started in the notebook's folder", peer.IN_ITS_FOLDER),
    "no-rules": Weakening(what="no rule is held against a submission", judge=_no_rules),
    "shared-seed": Weakening(
        what="the box is given the seed from which the judge draws", judge=_shared_seed
    ),
    "lenient-comparisons": Weakening(
        what="an empty value, one number for many and NaN are compared as torch does",
        judge=_no_strictness,
    ),
    "trusted-objects": Weakening(
        what="an object is asked whether it is right", judge=_trusted_objects
    ),
    "no-trace": _box(
        "rules are held against the source alone",
        ("box/trace.py", "if self._names or self._prefixes:", "if False:"),
    ),
    "trusting-reader": Weakening(what="files are opened as they come", reader=True),
    "no-walls": Weakening(what="a plain child process", sandbox="unsafe"),
    "no-walls-as-root": _box(
        "a plain child process with its user's rights",
        ("box/jail.py", "    linux.drop_capabilities()\n", ""),
        sandbox="unsafe",
    ),
    "shared-tmp": _box(
        "sessions share /tmp and the work directory",
        ("box/jail.py", '    linux.mount("tmpfs", "/tmp", "tmpfs", _PRIVATE, options)\n', ""),
    ),
    "shared-shm": _box(
        "sessions share /dev/shm",
        ("box/jail.py", 'if Path("/dev/shm").is_dir():', "if False:"),
    ),
    "shared-proc": _box(
        "a session sees the processes of its slot",
        (
            "box/jail.py",
            '    linux.mount("proc", "/proc", "proc", _PRIVATE | linux.MS_NOEXEC)\n',
            "",
        ),
    ),
    "shared-pids": _box(
        "a session has no process numbers of its own",
        ("box/jail.py", "    | linux.CLONE_NEWPID\n", ""),
        (
            "box/jail.py",
            '    linux.mount("proc", "/proc", "proc", _PRIVATE | linux.MS_NOEXEC)\n',
            "",
        ),
        # Else what is left keeps the end waiting, and the slot goes with it.
        (
            "box/zygote.py",
            "        until = time.monotonic() + 10.0\n",
            "        until = time.monotonic() + 0.05\n",
        ),
        judge=_no_groups,
    ),
    "shared-ipc": _box(
        "sessions share System V memory and message queues",
        ("box/jail.py", "    | linux.CLONE_NEWIPC\n", ""),
        ("box/jail.py", "uncounted=not nest.counted, ", ""),
    ),
    "shared-network": _box(
        "the box is on the machine's network",
        ("box/enclosure.py", "linux.CLONE_NEWUTS | linux.CLONE_NEWNET", "linux.CLONE_NEWUTS"),
        *_ONE_LOOPBACK,
    ),
    "shared-loopback": _box("sessions share the network of their slot", *_ONE_LOOPBACK),
    "kept-descriptors": _box(
        "a session inherits what its slot has open",
        ("box/jail.py", "    os.closerange(CHANNEL + 2, 65_536)\n", ""),
    ),
    "writable-data": _box(
        "the data can be written",
        (
            "box/enclosure.py",
            '        linux.mount(None, f"{root}/box-data", None, '
            "_RO | linux.MS_NODEV | linux.MS_NOEXEC)\n",
            "",
        ),
        (
            "box/jail.py",
            "            if not os.statvfs(data).f_flag & os.ST_RDONLY:",
            "            if False:",
        ),
    ),
    "no-filter": _box(
        "no system call is refused",
        ("box/jail.py", "        seccomp.install(", "        _ = dict("),
    ),
    "no-memory-limit": _box(
        "memory is not watched",
        ("box/memory.py", "return total > self._limit", "return False"),
        ("box/jail.py", "bounds[resource.RLIMIT_AS] = address", "pass"),
        ("box/jail.py", 'options = f"size={disk_bytes}', 'options = f"size=4g'),
        (
            "box/jail.py",
            "resource.RLIMIT_FSIZE: limits.file_bytes",
            "resource.RLIMIT_FSIZE: 1 << 40",
        ),
        ("box/jail.py", "uncounted=not nest.counted, ", ""),
        judge=_no_groups,
        resources=_TO_ITS_END,
    ),
    "no-process-limit": _box(
        "processes are not counted",
        ("box/jail.py", "bounds[resource.RLIMIT_NPROC] = limits.processes", "pass"),
        judge=_no_groups,
        resources=_TO_ITS_END,
    ),
    "no-processor-limit": Weakening(
        what="a submission takes as many processors as there are",
        judge=_no_processors,
        resources=_TO_ITS_END,
    ),
    "no-disk-limit": _box(
        "disk space is not limited",
        ("box/jail.py", 'options = f"size={disk_bytes},nr_inodes={_INODES}', 'options = f"size=2g'),
        (
            "box/jail.py",
            "resource.RLIMIT_FSIZE: limits.file_bytes",
            "resource.RLIMIT_FSIZE: 1 << 40",
        ),
        resources=_TO_ITS_END,
    ),
    "no-descriptor-limit": _box(
        "open files are not counted",
        (
            "box/jail.py",
            "resource.RLIMIT_NOFILE: limits.open_files",
            "resource.RLIMIT_NOFILE: 4096",
        ),
        resources=_TO_ITS_END,
    ),
    "no-output-limit": _box(
        "output is not limited",
        ("box/capture.py", "        if self._left >= 0:", "        if True:"),
        judge=_much_output,
        resources=_TO_ITS_END,
    ),
    "no-limit-on-all-outputs": Weakening(
        what="what each cell puts out is limited, and not what all do", judge=_unlimited_cells
    ),
    "forgeable-frames": _box(
        "a session's bytes are passed on as they come",
        (
            "box/zygote.py",
            "        if data:\n            self._send(frames.DATA, session.number, data)\n",
            "        if data[:1] == b'\\x03':\n"
            "            self._outbox.append(memoryview(data))\n"
            "            self._outbox_size += len(data)\n"
            "            self._write_judge()\n"
            "        elif data:\n            self._send(frames.DATA, session.number, data)\n",
        ),
    ),
    "frames-anywhere": Weakening(
        what="frames are read wherever the reader stopped, whatever sessions they name",
        judge=_frames_anywhere,
    ),
    "one-bound-for-all": Weakening(
        what="what is within bounds alone may be over them inside another message, uncaught",
        judge=_one_bound_for_all,
    ),
    "judge-unpickles": _box(
        "values come as pickles",
        (
            "box/calls.py",
            "try:\n            tree = values.encode(result, out, other=self._keep)",
            _PICKLING,
        ),
        judge=_unpickle,
    ),
    "takes-all-files": Weakening(
        what="what is handed in beside the notebook is taken as it comes", page=_takes_all_files
    ),
    "unsanitised-page": Weakening(what="pages show what comes as it comes", page=_as_it_comes),
}
