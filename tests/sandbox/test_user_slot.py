"""Another user of this machine, where there are no namespaces."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from grader.errors import InfrastructureError
from grader.sandbox import choose as choosing
from grader.sandbox.base import SlotOptions
from grader.sandbox.local_slot import LocalSlot
from grader.sandbox.process import OWN_PROCESSES
from grader.sandbox.user_slot import UserSlot
from grader.wire.messages import Limits

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can start another user")


def test_only_root_can_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    with pytest.raises(InfrastructureError, match="only root"):
        UserSlot(SlotOptions()).command(tmp_path)


@needs_root
def test_the_notebook_gets_a_copy_of_the_data_and_owns_its_scratch_alone(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "slot"
    (data / "inner").mkdir(parents=True, mode=0o700)
    (data / "inner" / "a.csv").touch(0o600)
    folder.mkdir(mode=0o700)
    slot = UserSlot(SlotOptions(data=data))
    slot.command(folder)
    who = slot.credentials(folder)
    assert who["user"] == who["group"] and who["user"] >= 20_000 and who["extra_groups"] == []
    owners = {p.relative_to(folder).as_posix(): p.stat() for p in folder.rglob("*")}
    assert owners["scratch"].st_uid == who["user"]
    assert all(s.st_uid == 0 for name, s in owners.items() if name != "scratch")
    assert owners["data/inner/a.csv"].st_mode & 0o777 == 0o644


@needs_root
def test_what_its_user_still_runs_ends_with_it(tmp_path: Path) -> None:
    slot = UserSlot(SlotOptions())
    uid = slot.credentials(tmp_path)["user"]
    left = subprocess.Popen(["sleep", "600"], user=uid, start_new_session=True)
    slot.destroy()
    assert left.wait(timeout=120) == -9


def test_in_a_container_the_local_sandbox_goes_before_another_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local = choosing.Choice(sandbox="local", isolation="warm", why="it holds")
    monkeypatch.setattr(choosing, "choose", lambda *a, **k: local)
    assert choosing.choose_in_container() is local


@pytest.mark.parametrize("failure", ["", "the jail lacks seccomp 2"])
def test_another_user_is_taken_only_where_its_filter_holds(
    monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    def refuse(*_: Any, **__: Any) -> choosing.Choice:
        raise InfrastructureError("unshare: Operation not permitted", hint="…")

    monkeypatch.setattr(choosing, "choose", refuse)
    monkeypatch.setattr(choosing, "probe", lambda choice: failure)
    if failure:
        with pytest.raises(InfrastructureError, match="seccomp"):
            choosing.choose_in_container()
        return
    choice = choosing.choose_in_container()
    assert (choice.sandbox, choice.isolation) == ("user", "single-use")
    assert "Operation not permitted" in choice.why
    assert isinstance(choice.slot(SlotOptions()), UserSlot)


@needs_root
def test_its_command_bounds_the_processes_of_its_user(tmp_path: Path) -> None:
    (tmp_path / "slot").mkdir()
    arguments, _ = UserSlot(SlotOptions(processes=10)).command(tmp_path / "slot")
    assert arguments[arguments.index("--processes") + 1] == str(10 + OWN_PROCESSES)


@needs_root
@pytest.mark.local_box
def test_a_zygote_that_is_told_so_bounds_the_processes_of_its_user() -> None:
    slot = LocalSlot(SlotOptions(processes=10, isolation="single-use"))
    try:
        session = slot.open(seed=0, limits=Limits())
        source = "import resource; print(resource.getrlimit(resource.RLIMIT_NPROC))"
        result = session.run_cell(source, index=1, timeout_s=60, output_bytes=1000)
        bound = 10 + OWN_PROCESSES
        assert result.outputs[0]["text"] == f"({bound}, {bound})\n"
    finally:
        slot.stop()
