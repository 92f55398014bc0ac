"""Coverage-guided fuzzing, where atheris is installed (`pip install -e '.[fuzz]'`).

    python -m tests.fuzz TARGET [-max_total_time=60] [CORPUS…]

A finding is written to a file `crash-…` in the working directory; put its bytes into a test.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Fuzz one target; what follows its name goes to libFuzzer."""
    import atheris

    with atheris.instrument_imports(include=["grader"]):
        from tests.fuzz.targets import TARGETS, seeds
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"Name a target: {', '.join(TARGETS)}")
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for number, data in enumerate(seeds()[name]):
        Path(folder, f"seed-{number}").write_bytes(data)
    limits = ["-timeout=10", "-rss_limit_mb=3000", "-max_len=65536"]
    atheris.Setup([sys.argv[0], *limits, *sys.argv[2:], str(folder)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
