"""What a slot for one notebook alone loads ahead, by what the notebook could use.

A warm process that serves many loads all that notebooks commonly need. Whoever waits for one waits
for what it needs alone. This only decides when something is imported, never whether it can be.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

from grader.sandbox.base import ALL_PRELOADS, Preload

_IMPORTED = re.compile(rb"^[ \t>\"]*(?:from|import)[ \t]+([\w, .]+)", re.M)
_KNOWN = {*sys.stdlib_module_names, "torch", "numpy", "matplotlib", "tqdm"}
_TRAINING = (
    *(b"optim", b"checkpoint", b"compile", b"dynamo", b"torch.func", b"functorch", b"export"),
    *(b"torch.library", b"distributed"),
)
_PICTURES = (b"matplotlib", b"plt", b"pylab")


def preloads_for(texts: Iterable[bytes], *, own: Iterable[str] = ()) -> tuple[Preload, ...]:
    """What is worth loading ahead for these texts: a notebook and what lies beside it.

    Args:
        texts: as bytes, as they are stored.
        own: modules whose source is among the texts.

    Returns:
        all of it where a module is imported of which nothing is known here.
    """
    text = b"\n".join(texts)
    known = _KNOWN | set(own)
    for found in _IMPORTED.finditer(text):
        for name in found[1].decode().split(" import ")[0].split(","):
            if name.split() and name.split()[0].partition(".")[0] not in known:
                return _without_errors(ALL_PRELOADS)
    wanted: list[Preload] = []
    if any(word in text for word in _TRAINING):
        wanted.append("training")
    if any(word in text for word in _PICTURES):
        wanted.append("pictures")
    return tuple(wanted)


def _without_errors(preloads: tuple[Preload, ...]) -> tuple[Preload, ...]:
    """What shows a traceback is loaded where one is to be shown."""
    return tuple(name for name in preloads if name != "errors")
