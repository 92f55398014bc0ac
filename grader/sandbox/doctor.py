"""Prove each promise of the sandbox by trying it, and say what to do where one does not hold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.errors import BoxFailure, BoxOutOfMemory, BoxTimeout, GraderError, InfrastructureError
from grader.sandbox.base import CellResult, Slot, SlotOptions
from grader.sandbox.choose import PROBE_S, Choice, choose
from grader.sandbox.gpus import find_gpus, memory_used
from grader.sandbox.patches import holes, installed_versions
from grader.sandbox.probes import ON_A_GPU, PROBES, Probe
from grader.wire.messages import Limits

MB = 1 << 20
_LATE = ("stopped: time", "stopped: timeout")
_SLOW = "slow: it did not come to its end in {:g} s, and is not known"
_AGAIN = "Run it again when this machine has less to do."
LIMITS = Limits(memory_bytes=300 * MB, disk_bytes=16 * MB, file_bytes=16 * MB, processes=64)
OPTIONS = SlotOptions(memory_bytes=300 * MB, disk_bytes=16 * MB, processes=64)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One promise: `ok` is None where it could not be tried, or does not matter here."""

    name: str
    ok: bool | None
    found: str = ""
    fix: str = ""


def diagnose(sandbox: str = "auto", *, gpu: bool = False, runtime: str = "") -> Iterator[Check]:
    """Try everything, the engine first; each check is given when it is known."""
    if sandbox in ("auto", "docker"):
        ready = True
        for check in _engine_checks():
            ready = ready and check.ok is not False
            yield check
        if ready:
            yield from _sandbox_checks("docker", runtime)
        elif sandbox == "auto":
            yield from _sandbox_checks("local")
    if sandbox in ("local", "unsafe"):
        yield from _sandbox_checks(sandbox)
    yield from _gpu_checks(sandbox, runtime, asked=gpu)


def _engine_checks() -> Iterator[Check]:
    from grader.sandbox.engine import connect
    from grader.sandbox.image import find_image

    try:
        engine = connect()
    except InfrastructureError as error:
        yield Check(name="engine", ok=False, found=error.what, fix=error.hint or "")
        return
    where = "on this machine" if engine.is_here else "elsewhere"
    yield Check(
        name="engine",
        ok=True,
        found=f"{engine.name} {engine.version}, cgroup v{engine.cgroup_version}, {where}",
    )
    try:
        engine.require_limits()
    except InfrastructureError as error:
        yield Check(name="limits of containers", ok=False, found=error.what, fix=error.hint or "")
    swap = engine.can_limit_swap or engine.cgroup_version == "2"
    yield Check(
        name="swap is limited",
        ok=True if swap else None,
        found="" if swap else "the kernel does not account for swap; a box may use the host's",
        fix="" if swap else "Boot with swapaccount=1, or run without swap.",
    )
    for component, version in installed_versions(engine).items():
        yield _patch_check(component, version)
    state = find_image(engine=engine)
    yield Check(
        name="image",
        ok=state.status == "ready",
        found=state.reason or f"{state.tag} {state.image_id[7:19]}",
        fix=state.fix,
    )


def _patch_check(component: str, version: str) -> Check:
    """Whether known ways out are closed; only a warning, for patches may be backported."""
    known = holes(component, version)
    return Check(
        name=f"{component} is patched",
        ok=None if known else True,
        found=f"{version}; open by its number: {', '.join(known)}" if known else version,
        fix=f"Update {component}. Where your distribution patches old versions, look these up "
        "in its security tracker."
        if known
        else "",
    )


def _sandbox_checks(sandbox: str, runtime: str = "") -> Iterator[Check]:
    try:
        choice = choose(sandbox, runtime=runtime)
    except GraderError as error:
        yield Check(name=f"{sandbox} sandbox", ok=False, found=error.what, fix=error.hint or "")
        return
    warm = choice.isolation != "single-use"
    yield Check(
        name=f"{sandbox} sandbox",
        ok=True if warm else None,
        found=choice.why,
        fix="" if warm else "single-use is as safe, and slower: each submission has to warm up.",
    )
    slot = choice.slot(OPTIONS)
    try:
        began = time.monotonic()
        hello = slot.wait_ready()
        yield Check(name="warm-up", ok=True, found=f"{time.monotonic() - began:.1f} s")
        if choice.sandbox != "unsafe":
            yield _memory_check(hello.jail.get("memory", ""))
            yield _processor_check(hello.jail.get("processors", ""))
        if choice.sandbox == "docker":
            yield _stream_check(direct=hello.stream == "socket")
        for probe in PROBES:
            if choice.sandbox != "unsafe" or probe.without_walls:
                yield _try(slot, probe)
        yield _try_sessions(slot, choice)
    except InfrastructureError as error:
        yield Check(name="slot", ok=False, found=error.what, fix=error.hint or "")
    finally:
        slot.stop()


_GROUPS_FIX = (
    "Run it as root, or in a session whose systemd delegates the controllers memory, cpu and pids "
    "(`systemd-run --user --scope true` must work), or use Docker, which always has them."
)


def _memory_check(how: str) -> Check:
    """What counts memory that no process has mapped: memory files, System V, what sockets hold."""
    counted = how == "counted"
    return Check(
        name="memory that is not mapped",
        ok=True if counted else None,
        found="counted by a control group"
        if counted
        else "watched: calls for memory without a name are refused, what sockets and pipes hold is "
        "bounded by their number alone",
        fix="" if counted else _GROUPS_FIX,
    )


def _processor_check(how: str) -> Check:
    """What keeps a submission from taking the processors of its neighbours."""
    found = {
        "bounded": "bounded by a control group",
        "pinned": "bound to processors of its own, as long as there are as many as slots",
    }
    return Check(
        name="processors",
        ok={"bounded": True, "pinned": None}.get(how, False),
        found=found.get(how, "not bounded"),
        fix="" if how == "bounded" else _GROUPS_FIX,
    )


def _stream_check(*, direct: bool) -> Check:
    """Whether calls into the box go past the engine; a matter of time, not of safety."""
    if direct:
        return Check(name="the short way into a box", ok=True, found="a socket")
    return Check(
        name="the short way into a box",
        ok=None,
        found="none: all goes through the engine, where a call takes twice as long",
        fix="To have it, grade on the Linux machine that the engine runs on, with a TMPDIR that "
        "the engine sees and whose path is short. gVisor and SELinux may forbid it.",
    )


def _try(slot: Slot, probe: Probe) -> Check:
    """Run a probe in a session of its own and look at what came of it."""
    session = slot.open(seed=0, limits=LIMITS)
    result: CellResult | None = None
    failure: BoxFailure | None = None
    try:
        result = session.run_cell(
            probe.source, index=1, timeout_s=probe.timeout_s, output_bytes=64_000
        )
    except BoxFailure as error:
        failure = error
    finally:
        session.close()
    found = _said(result, failure)
    if found in _LATE and not probe.holds(found):
        return Check(name=probe.name, ok=None, found=_SLOW.format(probe.timeout_s), fix=_AGAIN)
    return Check(
        name=probe.name,
        ok=probe.holds(found),
        found=found.splitlines()[-1][:160] if found else "",
        fix="" if probe.holds(found) else probe.fix,
    )


def _said(result: CellResult | None, failure: BoxFailure | None) -> str:
    if isinstance(failure, BoxOutOfMemory):
        return "stopped: memory"
    if isinstance(failure, BoxTimeout):
        return "stopped: time"
    if failure is not None:
        return f"stopped: {failure.what}"
    if result is None:
        return ""
    if result.status in ("timeout", "output_limit"):
        return f"stopped: {result.status}"
    lines = [str(o.get("text") or o.get("ename") or "") for o in result.outputs]
    return "".join(lines).strip()


def _try_sessions(slot: Slot, choice: Choice) -> Check:
    """Leave a mark in one session and look for it in the next."""
    leave = "open('/tmp/mark', 'w').write('x'); import torch; torch.mark = 1"
    look = "import os, torch\nprint('marks', os.path.exists('/tmp/mark'), hasattr(torch, 'mark'))"
    times = []
    for source in (leave, look):
        began = time.monotonic()
        session = slot.open(seed=0, limits=LIMITS)
        times.append(time.monotonic() - began)
        try:
            result = session.run_cell(source, index=1, timeout_s=PROBE_S, output_bytes=1000)
            found = _said(result, None)
        except BoxFailure as error:
            found = _said(None, error)
        session.close()
    if found in _LATE:
        found = _SLOW.format(PROBE_S)
        return Check(name="nothing is left for the next session", ok=None, found=found, fix=_AGAIN)
    return Check(
        name="nothing is left for the next session",
        ok=found == "marks False False",
        found=f"{found}; a session opens in {times[-1] * 1000:.0f} ms, {choice.isolation}",
        fix="" if found == "marks False False" else "Use --isolation single-use and tell us.",
    )


def _gpu_checks(sandbox: str, runtime: str, *, asked: bool) -> Iterator[Check]:
    found = find_gpus()
    yield Check(
        name="GPU",
        ok=bool(found) or (False if asked else None),
        found=", ".join(found) or "none on this machine",
        fix="" if found or not asked else "Install the NVIDIA driver and its container toolkit.",
    )
    if not asked:
        return
    for device in found:
        used = memory_used(device)
        yield Check(
            name=f"memory of {device}",
            ok=True if used is not None else None,
            found="the driver does not say" if used is None else f"{used // MB} MB in use",
            fix="" if used is not None else "What a submission leaves there can't be seen.",
        )
        yield _try_gpu(sandbox, runtime, device)


def _try_gpu(sandbox: str, runtime: str, device: str) -> Check:
    """Compute on a device in a slot of its own."""
    slot: Slot | None = None
    try:
        slot = choose(sandbox, runtime=runtime).slot(replace(OPTIONS, gpu=device))
        return replace(_try(slot, ON_A_GPU), name=f"a box computes on {device}")
    except GraderError as error:
        fix = error.hint or ON_A_GPU.fix
        return Check(name=f"a box computes on {device}", ok=False, found=error.what, fix=fix)
    finally:
        if slot is not None:
            slot.stop()
