"""The same cells through nbclient with a real ipykernel, and through our box."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client import KernelManager
from nbclient import NotebookClient

from grader.sandbox.base import Slot
from grader.wire import messages as m

CellOutputs = list[dict[str, Any]]
MB = 1 << 20
_FRESH = """%reset -f
_ip = get_ipython()
_ip.compile.flags = type(_ip.compile)().flags
_ip.history_manager.reset()
_ip.execution_count = 1
import matplotlib.pyplot as _p; _p.close('all')
del _p, _ip
"""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_SUBSTITUTIONS = (
    (re.compile(r"0x[0-9a-f]{6,}"), "0x…"),
    (re.compile(r"/tmp/ipykernel_\d+/\d+\.py|<ipython-input-\d+-\w+>|\b\d+\.py"), "<cell>"),
    (re.compile(r"display_id=[0-9a-f]{32}"), "display_id=…"),
    (re.compile(r"\r\n"), "\n"),
    # To see whether a cell awaits, a kernel compiles it twice more, and shows each time, without
    # the line, what the compiler warns of. The box shows it once.
    (re.compile(r"^<>:\d+: \w+Warning: .*\n", re.MULTILINE), ""),
    (re.compile(r"Thread-\d+"), "Thread"),
    # The box shows the libraries elsewhere when they lie below a folder that it hides, as /tmp.
    (re.compile(r"/\S*/site-packages/"), "…/site-packages/"),
    (re.compile(r"/\S*/lib/python3"), "…/lib/python3"),
)


class Kernel:
    """One ipykernel; each notebook gets it with its names reset."""

    def __init__(self, folder: Path) -> None:
        self._manager = KernelManager(kernel_name="python3")
        # Where it sees that a test is running, ipykernel leaves descriptors 1 and 2 alone.
        environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
        self._manager.start_kernel(env={**environment, "OMP_NUM_THREADS": "1"}, cwd=folder)
        self._client = self._manager.client()
        self._client.start_channels(stdin=False)
        self._client.wait_for_ready(timeout=240)

    def run(self, cells: Sequence[str]) -> list[CellOutputs]:
        """The outputs of each cell, as nbclient would store them."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in (_FRESH, *cells)]
        )
        client = NotebookClient(notebook, allow_errors=True, timeout=240)
        client.km, client.kc = self._manager, self._client
        client.reset_execution_trackers()
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        assert not any(o.output_type == "error" for o in notebook.cells[0].outputs)
        return [_joined(cell.outputs) for cell in notebook.cells[1:]]

    def stop(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


def run_in_box(slot: Slot, cells: Sequence[str]) -> list[CellOutputs]:
    """The outputs of each cell, as our session gives them."""
    session = slot.open(seed=1, limits=m.Limits())
    try:
        results = [
            session.run_cell(source, index=i, timeout_s=60, output_bytes=8 * MB)
            if source.strip()
            else None
            for i, source in enumerate(cells, start=1)
        ]
    finally:
        session.close()
    return [_joined(result.outputs) if result else [] for result in results]


def _joined(outputs: list[Any]) -> CellOutputs:
    """The outputs, what follows on one stream as one text, as Jupyter shows it."""
    joined: CellOutputs = []
    for output in map(_plain, outputs):
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            joined.append(output)
    # In a kernel two threads decide in what order stdout and stderr come, and in how many parts.
    if {"stdout", "stderr"} <= {output.get("name") for output in joined}:
        return [
            *({"name": n, "text": _said(joined, n)} for n in ("stdout", "stderr")),
            *(output for output in joined if "text" not in output),
        ]
    return joined


def _said(outputs: CellOutputs, name: str) -> str:
    return "".join(o["text"] for o in outputs if o.get("name") == name)


def _plain(output: Any) -> dict[str, Any]:
    """An output without what may differ: addresses, names of files, colours of tracebacks."""
    plain: dict[str, Any] = dict(output)
    plain.pop("execution_count", None)
    for key in ("text", "evalue"):
        if key in plain:
            plain[key] = _neutral(plain[key])
    if "traceback" in plain:
        plain["traceback"] = _neutral(_ANSI.sub("", "\n".join(plain["traceback"]))).splitlines()[
            -1:
        ]
    if "data" in plain:
        plain["data"] = {
            mime: "an image" if mime.startswith("image/") else _neutral(value)
            for mime, value in plain["data"].items()
        }
        plain["metadata"] = dict(plain["metadata"])
    return plain


def _neutral(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    for pattern, instead in _SUBSTITUTIONS:
        text = pattern.sub(instead, text)
    return text
