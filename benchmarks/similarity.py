"""How long `grader similarity` takes for a large class: python -m benchmarks.similarity [STUDENTS]

Everybody has made-up code of about 150 lines; ten pairs are copies with other names.
"""

from __future__ import annotations

import re
import resource
import sys
import time

from grader.similarity.comparison import compare
from grader.similarity.fingerprints import fingerprinted
from tests.similarity.disguises import random_solution

STATEMENTS = 140
COPIES = 10


def main(students: int = 1000) -> None:
    """Print CPU seconds of each step, what was found, and memory."""
    sources = {f"s{i:04}": random_solution(i, STATEMENTS) for i in range(students - COPIES)}
    for i in range(COPIES):
        sources[f"copy{i}"] = re.sub(r"\b([xyw])\b", r"renamed_\1", sources[f"s{i:04}"])
    began = time.process_time()
    codes = {s: fingerprinted([(1, source)]) for s, source in sources.items()}
    read = time.process_time()
    found = compare(codes)
    done = time.process_time()
    expected = {(f"copy{i}", f"s{i:04}") for i in range(COPIES)}
    named = {pair.students for pair in found.pairs}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{students} submissions: read {read - began:.1f} s, compared {done - read:.1f} s (CPU)")
    print(f"copies found {len(named & expected)} of {COPIES}, others named {len(named - expected)}")
    print(f"median {found.median:.3f}, listed from {found.least:.2f}, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
