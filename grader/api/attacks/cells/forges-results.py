# /// attack
# kind = "No answer at all"
# what = "results files, printed scores and what is written at the end"
# needs = []
# ///

import atexit
import os
from pathlib import Path

_SCORE = '{"score": 1000, "tests": [], "points": 1000, "outcome": "graded"}'


def _forge():
    for _file in ("results.json", "verdict.json", "../results.json", "/tmp/results.json"):
        try:
            Path(_file).write_text(_SCORE)
        except OSError:
            pass
    for _descriptor in (1, 2):
        os.write(_descriptor, (_SCORE + "\n").encode())


_forge()
atexit.register(_forge)
Path("conftest.py").write_text("def pytest_pyfunc_call(pyfuncitem):\n    return True\n")


def answer(*args):
    _forge()
    raise SystemExit(0)


_replace(answer)
