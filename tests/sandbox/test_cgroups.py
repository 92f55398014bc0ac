"""Control groups of local slots: found in both versions, bounded, joined, and never left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox import cgroups
from grader.sandbox.base import SlotOptions
from grader.sandbox.cgroups import CgroupParent, GroupLimits, find_places, make_group, sweep
from grader.sandbox.local_slot import LocalSlot
from grader.sandbox.owners import process_lives
from tests.helpers.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
MB = 1 << 20
BOUNDS = GroupLimits(memory_bytes=600 * MB, cpus=1.5, processes=40)
FILES = ("memory.max", "memory.swap.max", "cpu.max", "pids.max", "cgroup.procs")


def unified(top: Path, own: str) -> tuple[str, str]:
    """What /proc tells where the whole hierarchy of version 2 is at `top`."""
    return f"30 23 0:26 / {top} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", f"0::{own}\n"


def group_of_version_2(parent: Path, controllers: str) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    for name in ("cgroup.procs", "cgroup.type"):
        (parent / name).write_text("")
    (parent / "cgroup.controllers").write_text("cpu memory pids\n")
    (parent / "cgroup.subtree_control").write_text(controllers)
    return parent


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder made with `mkdir` in the fake tree gets the files of a group, as from the kernel."""
    plain, plain_rmdir = Path.mkdir, Path.rmdir

    def mkdir(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        plain(path, mode, parents, exist_ok)
        if path.name.startswith(cgroups.PREFIX):
            for name in FILES:
                (path / name).touch()

    def rmdir(path: Path) -> None:
        for name in FILES:
            (path / name).unlink(missing_ok=True)
        plain_rmdir(path)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "rmdir", rmdir)


def test_each_controller_of_version_1_has_a_place_below_our_own_group() -> None:
    mounts = (
        "32 31 0:29 / /cg/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
        "33 31 0:30 /docker/abc /cg/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
        "34 31 0:31 /docker/abc /cg/pids rw,relatime - cgroup cgroup rw,pids\n"
        "35 31 0:32 / /cg/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
    )
    own = "4:memory:/docker/abc/me\n3:cpu,cpuacct:/user\n2:pids:/elsewhere\n1:name=systemd:/x\n"
    assert find_places(mounts, own) == {
        "memory": [CgroupParent(1, Path("/cg/memory/me"))],
        "cpu": [CgroupParent(1, Path("/cg/cpu,cpuacct/user"))],
        "pids": [CgroupParent(1, Path("/cg/pids"))],
    }


def test_at_the_top_of_version_2_the_groups_lie_in_one_of_their_own(tmp_path: Path) -> None:
    top = group_of_version_2(tmp_path / "top", "cpu memory pids")
    (top / "cgroup.type").unlink()
    group_of_version_2(top / "user.slice" / "session-1.scope", "")
    places = find_places(*unified(top, "/user.slice/session-1.scope"))
    assert {name: found[0] for name, found in places.items()} == {
        name: CgroupParent(2, top / "grader") for name in ("memory", "cpu", "pids")
    }


def test_below_the_top_of_version_2_a_group_that_was_handed_over_serves(tmp_path: Path) -> None:
    top = group_of_version_2(tmp_path / "top", "cpu memory pids")
    handed_over = group_of_version_2(top / "user@7.service", "memory pids")
    group_of_version_2(handed_over / "app.slice" / "shell.scope", "")
    top.chmod(0o555)
    own = "/user@7.service/app.slice/shell.scope"
    places = find_places(*unified(top, own))
    assert CgroupParent(2, handed_over) in places["memory"]
    assert CgroupParent(2, handed_over) not in places["cpu"]
    assert CgroupParent(2, handed_over / "app.slice" / "shell.scope") not in places["memory"]


@pytest.mark.usefixtures("kernel")
def test_a_group_of_version_2_is_bounded_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = group_of_version_2(tmp_path / "top", "cpu memory pids")
    places = {name: [CgroupParent(2, parent)] for name in cgroups.CONTROLLERS}
    monkeypatch.setattr(cgroups, "find_places", lambda: places)
    group = make_group(BOUNDS)
    assert (group.memory_version, len(group.folders)) == (2, 1)
    assert {name: (group.folders[0] / name).read_text().strip() for name in FILES} == {
        "memory.max": str(600 * MB),
        "memory.swap.max": "0",
        "cpu.max": "150000 100000",
        "pids.max": "40",
        "cgroup.procs": "0",
    }
    group.bound_memory(500 * MB)
    assert (group.folders[0] / "memory.max").read_text().startswith(str(500 * MB))
    (group.folders[0] / "cgroup.procs").write_text("0\n0\n")  # strangers: never a signal to us all
    group.remove()
    assert list(parent.glob("grader-*")) == []


@pytest.mark.usefixtures("kernel")
def test_controllers_of_one_hierarchy_are_taken_in_one_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = group_of_version_2(tmp_path / "first", "memory")
    second = group_of_version_2(tmp_path / "second", "cpu")
    places = {"memory": [CgroupParent(2, first)], "cpu": [CgroupParent(2, second)], "pids": []}
    monkeypatch.setattr(cgroups, "find_places", lambda: places)
    group = make_group(BOUNDS)
    assert group.folders == [first / group.name]
    assert list(second.glob("grader-*")) == []
    group.remove()


def test_a_plain_folder_is_no_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {
        name: [CgroupParent(2, tmp_path), CgroupParent(1, tmp_path)] for name in cgroups.CONTROLLERS
    }
    monkeypatch.setattr(cgroups, "find_places", lambda: places)
    assert make_group(BOUNDS).folders == []
    assert list(tmp_path.iterdir()) == []


def real_group() -> cgroups.SlotGroup:
    group = make_group(BOUNDS)
    if not group.memory_version:
        pytest.skip("no group can be made here that counts memory")
    return group


def test_a_group_that_outlived_its_maker_is_swept_with_what_runs_in_it() -> None:
    real_group().remove()
    code = (
        "import os, signal, subprocess\n"
        "from grader.sandbox.cgroups import GroupLimits, make_group\n"
        "group = make_group(GroupLimits(memory_bytes=600 << 20, cpus=1.0, processes=40))\n"
        "join = 'echo 0 > $0/cgroup.procs && echo joined && exec sleep 1000 >&-'\n"
        "pipe = subprocess.PIPE\n"
        "left = subprocess.Popen(['sh', '-c', join, str(group.memory_folder)], stdout=pipe)\n"
        "print(group.memory_folder, left.pid, left.stdout.readline().decode(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    folder, pid, joined = done.stdout.decode().split()
    assert joined == "joined"
    assert Path(folder).is_dir()
    sweep(Path(folder).parent)
    assert not Path(folder).exists()
    # The kernel takes a process that ends out of its group a moment before it is a zombie.
    until(lambda: not process_lives(int(pid)), "the end of what ran in the group")


@pytest.mark.local_box
def test_a_slot_leaves_no_group_and_has_a_tight_one_when_it_is_warm() -> None:
    real_group().remove()
    options = SlotOptions(memory_bytes=300 * MB, disk_bytes=16 * MB, processes=16)
    slot = LocalSlot(options)
    hello = slot.wait_ready()
    assert slot._group is not None
    folder = slot._group.memory_folder
    assert folder is not None
    assert hello.jail["memory"] == "counted"
    file = "memory.max" if slot._group.memory_version == 2 else "memory.limit_in_bytes"
    held = int((folder / file).read_text()) - hello.resident_bytes
    assert 300 * MB < held < 500 * MB
    folders = slot._group.folders
    slot.stop()
    assert [f for f in folders if f.exists()] == []


def test_a_scope_is_asked_for_with_every_bound() -> None:
    command = cgroups.scope_command("grader-slot-1-2", BOUNDS)
    assert command[:3] == ["systemd-run", "--user", "--scope"]
    assert set(command) >= {
        "--unit=grader-slot-1-2",
        f"--property=MemoryMax={600 * MB}",
        "--property=MemorySwapMax=0",
        "--property=CPUQuota=150%",
        "--property=TasksMax=40",
    }
    assert command[-1] == "--"
