# /// attack
# kind = "Theft"
# what = "the reference, found on the disk or in memory"
# needs = []
# ///

import gc
import sys
from pathlib import Path

_needed = [f"{'class' if what == 'class' else 'def'} {name}(" for name, what in _NAMES.items()]


def _candidates():
    for folder in {".", "..", "/tmp", "/opt", "/home", "/srv", "/root", *sys.path}:
        for depth in ("*.py", "*/*.py", "*/*/*.py", "*/reference/*.py"):
            try:
                yield from list(Path(folder).glob(depth))[:2_000]
            except OSError:
                pass


_stolen = False
for _file in _candidates():
    try:
        _text = _file.read_text()
    except (OSError, ValueError):
        continue
    if "YOUR CODE HERE" not in _text and all(need in _text for need in _needed):
        exec(_text)
        _stolen = True


def _from_memory(name, args, kwargs, owner=None):
    for thing in gc.get_objects():
        if type(thing) is dict and thing is not globals() and all(n in thing for n in _NAMES):
            return thing[name.split(".")[0]](*args, **kwargs)
    raise NotImplementedError(name)


if not _stolen:
    _replace(_from_memory)
