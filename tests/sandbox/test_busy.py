"""What is slow is said to be slow: nothing is concluded of it, in `auto` and in `doctor`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.errors import BoxTimeout, InfrastructureError, SlowError
from grader.sandbox import choose as choosing
from grader.sandbox import local_slot
from grader.sandbox.base import CellResult, Session, Slot
from grader.sandbox.choose import Choice, choose
from grader.sandbox.doctor import _try
from grader.sandbox.probes import PROBES
from grader.wire import messages as m


class SlowSession(Session):
    """In which no cell comes to its end, in one of the two ways in which that is told."""

    def __init__(self, *, interrupted: bool) -> None:
        self._interrupted = interrupted

    def run_cell(self, source: str, **options: Any) -> CellResult:
        if self._interrupted:
            return CellResult(index=1, status="timeout")
        raise BoxTimeout("ran longer than it may and was stopped")

    def request(self, request: m.Request, blobs: Any = ()) -> Any:
        raise AssertionError("not asked")

    def close(self) -> m.Ended:
        return m.Ended(session=1, cause="killed")


class SlowSlot(Slot):
    """Of such sessions."""

    def __init__(self, *, interrupted: bool) -> None:
        self._interrupted = interrupted

    def start(self) -> None:
        pass

    def wait_ready(self) -> Any:
        pass

    def open(self, *, seed: int, limits: m.Limits) -> Session:
        return SlowSession(interrupted=self._interrupted)

    def stop(self) -> None:
        pass


@pytest.mark.parametrize("interrupted", [True, False])
@pytest.mark.parametrize("isolation", ["auto", "warm"])
def test_auto_never_concludes_from_slowness_that_an_isolation_does_not_hold(
    interrupted: bool, isolation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(Choice, "slot", lambda *_: SlowSlot(interrupted=interrupted))
    with pytest.raises(SlowError, match="whether it holds is not known"):
        choose("local", isolation)
    assert not list(tmp_path.rglob("*"))


def test_auto_takes_no_other_isolation_where_the_engine_is_slow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Stuck(SlowSlot):
        def wait_ready(self) -> Any:
            raise SlowError("the engine has not answered a request in time")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(Choice, "slot", lambda *_: Stuck(interrupted=True))
    with pytest.raises(SlowError):
        choose("local")
    with pytest.raises(SlowError):
        choosing.choose_in_container()


@pytest.mark.parametrize("interrupted", [True, False])
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_doctor_says_of_a_probe_that_is_slow_that_nothing_is_known(
    probe: Any, interrupted: bool
) -> None:
    check = _try(SlowSlot(interrupted=interrupted), probe)
    if probe.name.startswith("time is limited"):
        assert check.ok is True
    elif check.ok is not None:  # to be stopped for its time was as good
        assert check.ok and probe.holds(check.found)
    else:
        assert check.found.startswith("slow: ") and "less to do" in check.fix


SAY = """
import os
os.umask(0o077)
from pathlib import Path
from grader.sandbox.base import SlotOptions
from grader.sandbox.local_slot import LocalSlot
from grader.wire.messages import Limits
data = Path(sys.argv[1], "data")
data.mkdir()
(data / "numbers.txt").write_text("1 2 3")
for isolation in ("warm", "single-use"):
    slot = LocalSlot(SlotOptions(data=data, isolation=isolation, preloads=()))
    try:
        session = slot.open(seed=0, limits=Limits())
        code = "import os; print(open('data/numbers.txt').read(), os.access('data', os.W_OK))"
        done = session.run_cell(code, index=1, timeout_s=60, output_bytes=1000)
        print(isolation, *(o.get("text") or o for o in done.outputs), end="")
        session.close()
    finally:
        slot.stop()
"""


@pytest.mark.local_box
def test_under_a_umask_that_shuts_everybody_out_a_box_can_enter_its_folders_and_read_its_data(
    tmp_path: Path,
) -> None:
    program = f"import sys\n{SAY}"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True
    )
    assert done.stdout == "warm 1 2 3 False\nsingle-use 1 2 3 False\n", done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="another user's box runs as that user")
def test_libraries_that_root_alone_can_read_are_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "msgspec").mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    monkeypatch.setattr(local_slot.sysconfig, "get_paths", lambda: {"purelib": str(tmp_path)})
    with pytest.raises(InfrastructureError) as caught:
        local_slot.require_readable()
    assert str(caught.value.where) == str(tmp_path / "msgspec")
    assert f"chmod -R a+rX {tmp_path}" in str(caught.value.hint)
