"""The zygote's stream to the judge."""

from __future__ import annotations

import os
import socket
from typing import Literal, NamedTuple


class JudgeStream(NamedTuple):
    """Descriptors to read from the judge and to write to it; neither blocks."""

    read: int
    write: int
    kind: Literal["socket", "standard"]


def to_judge(path: str) -> JudgeStream:
    """The socket at `path` where it can be connected, else what stdin and stdout were.

    From then on these two lead nowhere: what an import prints goes to the stderr.
    """
    stream = _connected(path) or JudgeStream(os.dup(0), os.dup(1), "standard")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    for end in (stream.read, stream.write):
        os.set_blocking(end, False)
    return stream


def _connected(path: str) -> JudgeStream | None:
    if not path:
        return None
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        return None
    end = sock.detach()
    return JudgeStream(end, os.dup(end), "socket")
