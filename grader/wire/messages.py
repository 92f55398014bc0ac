"""What judge and box say to each other: one request, any number of events, one reply.

Values inside a message (`WireTree`) are trees of `grader.wire.values`; what they hold is plain
data. The judge decodes every message into these structs, so a field of another type or name is an
error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

TREE_DEPTH = 40
"""Lists in lists; more than `grader.wire.values` nests."""


def _tree_type() -> Any:
    """Scalars and lists of lists: a map could be sent with keys that all have one hash."""
    kind: Any = None | bool | int | float | str
    for _ in range(TREE_DEPTH):
        kind = None | bool | int | float | str | list[kind]
    return kind


if TYPE_CHECKING:
    WireTree = Any
else:
    WireTree = _tree_type()

# -- judge to box: control of a slot ---------------------------------------------------------


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one session may use. Bytes, seconds, counts. 0 of a GPU's memory: all that it has.

    `cuda_as_cpu`: without a GPU, the CPU takes its place.
    """

    memory_bytes: int = 1 << 30
    disk_bytes: int = 256 << 20
    file_bytes: int = 256 << 20
    output_bytes: int = 8 << 20
    reply_bytes: int = 256 << 20
    processes: int = 128
    open_files: int = 256
    cpu_s: int = 600
    threads: int = 1
    gpu_memory_bytes: int = 0
    cuda_as_cpu: bool = False


class Spawn(msgspec.Struct, frozen=True, kw_only=True, tag="spawn", tag_field="kind"):
    """Fork and jail a child for one submission. Answered by `Started` or `Refused`."""

    session: int
    seed: int
    limits: Limits


class Kill(msgspec.Struct, frozen=True, kw_only=True, tag="kill", tag_field="kind"):
    """End the session now; answered by `Ended`."""

    session: int
    reason: str = ""


Control = Spawn | Kill


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello", tag_field="kind"):
    """The zygote is warm: what it has loaded and what its jail can do."""

    pid: int
    isolation: Literal["warm", "single-use", "unsafe"]
    packages: dict[str, str]
    jail: dict[str, str]
    warm_s: float
    resident_bytes: int
    stream: Literal["socket", "standard"] = "standard"
    """Whether it speaks over the judge's socket, or over its stdin and stdout."""


class Started(msgspec.Struct, frozen=True, kw_only=True, tag="started", tag_field="kind"):
    """The child is jailed and waits for its first request."""

    session: int
    jail_ms: float


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused", tag_field="kind"):
    """A part of the jail failed; the session was not started. Fail closed."""

    session: int
    reason: str


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended", tag_field="kind"):
    """The session is gone, with all that it started."""

    session: int
    cause: Literal["closed", "killed", "exited", "signal", "memory", "disk"]
    detail: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_memory_bytes: int = 0


Status = Hello | Started | Refused | Ended

# -- judge to box: inside a session ----------------------------------------------------------


class PutFile(msgspec.Struct, frozen=True, kw_only=True, tag="put_file", tag_field="kind"):
    """Write a file beside the notebook, before it is run; its bytes are the message's blob."""

    path: str


class RunCell(msgspec.Struct, frozen=True, kw_only=True, tag="run_cell", tag_field="kind"):
    """Run the cell number `index`, from 1, of all cells; `Output` events, then `CellDone`."""

    index: int
    source: str
    timeout_s: float
    stop_output_at: int


class Fetch(msgspec.Struct, frozen=True, kw_only=True, tag="fetch", tag_field="kind"):
    """The value of a name of the notebook."""

    name: str
    timeout_s: float


class Act(msgspec.Struct, frozen=True, kw_only=True, tag="act", tag_field="kind"):
    """Do something to an object that stays in the box.

    `target` is a value tree (a `Remote` or plain). `args` and `kwargs` are value trees.
    """

    verb: Literal[
        "call",
        "getattr",
        "setattr",
        "getitem",
        "setitem",
        "len",
        "iter",
        "repr",
        "contains",
        "hasattr",
    ]
    target: WireTree
    args: list[WireTree] = []
    kwargs: dict[str, WireTree] = {}
    timeout_s: float = 10.0


class RunFunction(msgspec.Struct, frozen=True, kw_only=True, tag="run_function", tag_field="kind"):
    """Define a suite's function from its source and call it next to the student's objects."""

    function: WireTree
    args: list[WireTree] = []
    kwargs: dict[str, WireTree] = {}
    timeout_s: float = 10.0


class Seed(msgspec.Struct, frozen=True, kw_only=True, tag="seed", tag_field="kind"):
    """Seed python, numpy and torch."""

    seed: int


class Names(msgspec.Struct, frozen=True, kw_only=True, tag="names", tag_field="kind"):
    """The public names that the notebook defines."""


class Watch(msgspec.Struct, frozen=True, kw_only=True, tag="watch", tag_field="kind"):
    """Note from now on which of these student code runs when it is called; none: note nothing.

    `names` are last parts of names of torch functions and operators, `prefixes` beginnings of full
    names of library functions.
    """

    names: list[str] = []
    prefixes: list[str] = []


class Replace(msgspec.Struct, frozen=True, kw_only=True, tag="replace", tag_field="kind"):
    """From now on calls of these names of the notebook are answered by the judge, and no others."""

    names: list[str] = []


class Give(msgspec.Struct, frozen=True, kw_only=True, tag="give", tag_field="kind"):
    """The answer to a `Wanted`: a value tree, or why there is none; the call goes on with it.

    It is followed by the reply to the call, or by another `Wanted`.
    """

    value: WireTree = None
    error: str = ""
    timeout_s: float = 10.0


class Forget(msgspec.Struct, frozen=True, kw_only=True, tag="forget", tag_field="kind"):
    """Drop every object held for a `Remote` of the judge."""


class Close(msgspec.Struct, frozen=True, kw_only=True, tag="close", tag_field="kind"):
    """End the session in good order."""


Request = (
    PutFile
    | RunCell
    | Fetch
    | Act
    | RunFunction
    | Seed
    | Names
    | Watch
    | Replace
    | Give
    | Forget
    | Close
)

# -- box to judge: inside a session (all of it untrusted) ------------------------------------


class Output(msgspec.Struct, frozen=True, kw_only=True, tag="output", tag_field="kind"):
    """One nbformat output of the running cell, as JSON.

    `action` says what it does to the cell's outputs: one more (`append`; the judge joins what
    follows on the same stream), new data for every display of that id, or none kept (`clear`).
    """

    action: Literal["append", "update", "clear"]
    body: bytes = b""
    display_id: str = ""


class CellDone(msgspec.Struct, frozen=True, kw_only=True, tag="cell_done", tag_field="kind"):
    """The cell ended; `line` is the one of the cell at which it raised, 0 where that is unknown.

    `waited_s` are the seconds of `duration_s` for which it was ready to run and had no processor.
    """

    status: Literal["ok", "error", "timeout", "output_limit"]
    execution_count: int
    duration_s: float
    waited_s: float = 0.0
    error: str = ""
    line: int = 0


class TracebackLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the student's traceback."""

    file: str
    line: int
    function: str
    text: str


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """Something watched for that ran in a call.

    `name` is a torch function's, or an operator's as `aten::_softmax`; `through` are the library
    functions between it and the student's code, outermost first; `by` the student's functions
    on the stack, innermost first; `cell` and `line` of the innermost, 0 where it is in no cell.
    """

    name: str
    through: list[str] = []
    by: list[str] = []
    cell: int = 0
    line: int = 0


class Value(msgspec.Struct, frozen=True, kw_only=True, tag="value", tag_field="kind"):
    """The result, as a value tree.

    Here as in the other replies to a call: `ran` is what was watched for, `waited_s` the seconds
    for which the box was ready to run and had no processor.
    """

    value: WireTree
    ran: list[Ran] = []
    waited_s: float = 0.0


class Raised(msgspec.Struct, frozen=True, kw_only=True, tag="raised", tag_field="kind"):
    """The student's code raised."""

    type: str
    text: str
    frames: list[TracebackLine] = []
    ran: list[Ran] = []
    waited_s: float = 0.0


class Missing(msgspec.Struct, frozen=True, kw_only=True, tag="missing", tag_field="kind"):
    """The notebook does not define the name."""

    name: str
    similar: list[str] = []


class Unsendable(msgspec.Struct, frozen=True, kw_only=True, tag="unsendable", tag_field="kind"):
    """There is a result, but it can't be sent by value: why."""

    reason: str
    ran: list[Ran] = []
    waited_s: float = 0.0


class OutOfTime(msgspec.Struct, frozen=True, kw_only=True, tag="out_of_time", tag_field="kind"):
    """The call was interrupted at its limit; the session goes on."""

    seconds: float
    frames: list[TracebackLine] = []
    ran: list[Ran] = []
    waited_s: float = 0.0


class Wanted(msgspec.Struct, frozen=True, kw_only=True, tag="wanted", tag_field="kind"):
    """Within a call: the student's code calls a name that the judge answers for, see `Replace`."""

    name: str
    args: list[WireTree] = []
    kwargs: dict[str, WireTree] = {}


Reply = CellDone | Value | Raised | Missing | Unsendable | OutOfTime | Wanted
FromBox = Output | CellDone | Value | Raised | Missing | Unsendable | OutOfTime | Wanted
