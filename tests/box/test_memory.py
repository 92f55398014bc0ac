"""What a control group tells of a session's memory, in both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.box.memory import ControlGroup

MB = 1 << 20


def version_2(root: Path) -> None:
    (root / "memory.current").write_text(f"{500 * MB}\n")
    (root / "memory.stat").write_text(
        f"anon {100 * MB}\nfile {300 * MB}\nshmem {80 * MB}\nslab_reclaimable {20 * MB}\n"
    )


def version_1(root: Path) -> None:
    folder = root / "memory"
    folder.mkdir()
    (folder / "memory.usage_in_bytes").write_text(f"{500 * MB}\n")
    (folder / "memory.stat").write_text(
        f"cache 1\nshmem 2\ntotal_cache {300 * MB}\ntotal_shmem {80 * MB}\ntotal_rss {100 * MB}\n"
    )


@pytest.mark.parametrize(("write", "kernels"), [(version_2, 20), (version_1, 0)])
def test_pages_of_files_can_be_dropped_and_shared_memory_can_not(
    tmp_path: Path, write: object, kernels: int
) -> None:
    write(tmp_path)  # type: ignore[operator]
    assert ControlGroup(tmp_path).held() == (500 - (300 - 80) - kernels) * MB


def test_where_nothing_counts_it_says_so(tmp_path: Path) -> None:
    assert ControlGroup(tmp_path).held() is None
    (tmp_path / "memory.current").write_text("no number\n")
    assert ControlGroup(tmp_path).held() is None
