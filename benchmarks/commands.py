"""What a command takes that only says something: the median of many processes.

python benchmarks/commands.py
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

GRADER = Path(sys.executable).with_name("grader")
COURSE = Path(__file__).parent.parent
COMMANDS = (["--help"], ["list"], ["grade", "--help"])
TIMES = 21


def seconds(arguments: list[str]) -> list[float]:
    """Of each of so many runs, the first one left out: it reads the files from the disk."""
    found = []
    # As it is installed: with compiled modules.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [GRADER, *arguments]
    for _ in range(TIMES):
        began = time.perf_counter()
        subprocess.run(command, cwd=COURSE, env=environment, check=True, capture_output=True)
        found.append(time.perf_counter() - began)
    return sorted(found[1:])


def main() -> None:
    """Measure and print one line of JSON for each command."""
    for arguments in COMMANDS:
        found = seconds(arguments)
        command = " ".join(["grader", *arguments])
        median, most = statistics.median(found), found[-1]
        print(json.dumps({"command": command, "s": round(median, 3), "most_s": round(most, 3)}))


if __name__ == "__main__":
    main()
