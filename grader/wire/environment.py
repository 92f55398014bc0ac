"""What a process is started with that loads everything once and then only forks."""

from __future__ import annotations

BEFORE_FORKS = {
    # No thread pool may exist before a fork.
    "OMP_NUM_THREADS": "1",
    # Large pages where the kernel has them: half of what a fork and its end cost is the page table.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
