"""Which sandbox and which isolation: what `auto` means, and why."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader import __version__
from grader.course.spec import BoxSpec
from grader.errors import (
    BoxFailure,
    BoxTimeout,
    ImageError,
    InfrastructureError,
    SlowError,
    UsageError,
)
from grader.sandbox.base import Isolation, SandboxName, Slot, SlotOptions
from grader.sandbox.host_libraries import host_identity, require_libraries
from grader.sandbox.local_slot import LocalSlot
from grader.sandbox.prefetched import PrefetchedSlot
from grader.sandbox.unsafe_slot import UnsafeSlot
from grader.sandbox.user_slot import UserSlot
from grader.wire.messages import Limits


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The sandbox that a batch runs in, and why it is that one."""

    sandbox: SandboxName
    isolation: Isolation
    why: str
    image: str = ""
    """Docker: the image's id. Local: what identifies the libraries."""
    hide: tuple[Path, ...] = ()
    runtime: str = ""
    """Docker: the engine's runtime; empty is its default."""

    def slot(self, options: SlotOptions) -> Slot:
        """A slot of this sandbox; not started."""
        options = replace(
            options, isolation=self.isolation, image=self.image or None, runtime=self.runtime
        )
        # As another user all sessions are of one submission: there is nobody to start ahead for.
        if self.isolation == "single-use" and self.sandbox != "user":
            return PrefetchedSlot(lambda: self._bare_slot(options))
        return self._bare_slot(options)

    def _bare_slot(self, options: SlotOptions) -> Slot:
        if self.sandbox == "docker":
            from grader.sandbox.docker_slot import DockerSlot

            return DockerSlot(options)
        if self.sandbox == "local":
            return LocalSlot(options, hide=self.hide)
        if self.sandbox == "user":
            return UserSlot(options)
        return UnsafeSlot(options)


Look = Callable[[Choice], str]
"""Looks whether the isolation of a choice holds; returns what is wrong, as `probe` does."""


def choose(
    sandbox: str = "auto",
    isolation: str = "auto",
    *,
    box: BoxSpec = BoxSpec(),  # noqa: B008 - frozen
    hide: Sequence[Path] = (),
    runtime: str = "",
    look: Look | None = None,
) -> Choice:
    """Choose where to run.

    Args:
        sandbox: `auto` takes docker when an engine answers and the image is built, else local.
        isolation: `auto` takes warm where every part of the jail holds, else single-use.
        box: what the assignment needs beyond the base image.
        hide: folders that a local sandbox must not show.
        runtime: of the engine, such as `runsc`; a runtime means docker, never another sandbox.
        look: looks whether an isolation holds that is not known to; default: `probe`.

    Raises:
        ImageError: docker was asked for and its image is missing or stale.
        SlowError: this machine is too busy to tell.
        InfrastructureError: what was asked for can't be had here, or outside of docker a library
            of the assignment.
    """
    if runtime:
        if sandbox not in ("auto", "docker"):
            raise UsageError(
                f"--runtime {runtime} is for containers, and the sandbox is {sandbox}",
                hint="Leave out --runtime, or use --sandbox docker.",
            )
        sandbox = "docker"  # who asks for a stronger wall must not get another one in silence
    if sandbox == "unsafe":
        require_libraries(box.libraries)
        return Choice(
            sandbox="unsafe",
            isolation="unsafe",
            image=host_identity(box.libraries),
            why="as requested: no sandbox at all, notebooks can read what you can read",
        )
    reason = ""
    if sandbox in ("auto", "docker"):
        try:
            return _docker(isolation, box, runtime, look)
        except SlowError:  # which says nothing of whether it is there
            raise
        except InfrastructureError as error:
            if sandbox == "docker":
                raise
            reason = f"{error.what}; "
    require_libraries(box.libraries)
    choice = Choice(
        sandbox="local",
        isolation="warm",
        why="",
        image=host_identity(box.libraries),
        hide=tuple(hide),
    )
    found, why = _isolation(isolation, choice, look)
    return replace(choice, isolation=found, why=f"{reason}{why}")


def choose_in_container(*, hide: Sequence[Path] = ()) -> Choice:
    """Choose for root in a container of somebody else's that serves one submission.

    The local sandbox where the container may make namespaces, else another user.

    Raises:
        InfrastructureError: neither holds here.
    """
    try:
        return choose("local", hide=hide)
    except SlowError:
        raise
    except InfrastructureError as error:
        missing = " ".join(error.what.split())
    choice = Choice(
        sandbox="user",
        isolation="single-use",
        image=host_identity(),
        why=f"no namespaces here ({missing}): the notebook runs as another user",
    )
    failure = probe(choice)
    if failure:
        raise InfrastructureError(
            f"no sandbox holds here: {missing} As another user: {failure}",
            hint="The autograder must run as root.",
        )
    return choice


def _docker(isolation: str, box: BoxSpec, runtime: str, look: Look | None) -> Choice:
    from grader.sandbox.engine import connect
    from grader.sandbox.image import find_image

    engine = connect()
    engine.require_runtime(runtime)
    engine.require_limits()
    state = find_image(box, engine=engine)
    if state.status != "ready":
        raise ImageError(state.reason, hint=state.fix)
    choice = Choice(
        sandbox="docker", isolation="warm", why="", image=state.image_id, runtime=runtime
    )
    found, why = _isolation(isolation, choice, look)
    under = "an engine answers and the image is built" + (f"; runtime {runtime}" if runtime else "")
    return replace(choice, isolation=found, why=f"{under}; {why}")


def _isolation(asked: str, choice: Choice, look: Look | None) -> tuple[Isolation, str]:
    if asked == "single-use":
        return "single-use", "single-use: as requested"
    failure = probe_once(choice, look)
    if not failure:
        return "warm", "warm: every part of the jail holds here"
    if asked == "warm":
        raise InfrastructureError(
            f"warm isolation does not hold here: {failure}",
            hint="Use `--isolation single-use`, or see `grader doctor`.",
        )
    single = replace(choice, isolation="single-use")
    second = probe_once(single, look)
    if second:
        raise InfrastructureError(
            f"no isolation holds in the {choice.sandbox} sandbox. Warm: {failure} "
            f"Single-use: {second}",
            hint="See `grader doctor`.",
        )
    return "single-use", f"single-use: warm does not hold here ({failure})"


def probe_once(choice: Choice, look: Look | None = None) -> str:
    """What `probe` finds, or `look`, remembered until this machine or the libraries change."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    facts = (
        __version__,
        choice.sandbox,
        choice.isolation,
        choice.image,
        choice.runtime,
        platform.release(),
        boot.read_text() if boot.exists() else "",
        str(os.getuid()),
        sys.executable,
    )
    name = hashlib.sha256(repr(facts).encode()).hexdigest()[:24]
    note = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "grader", "jail", name)
    if note.exists():
        return ""
    found = (look or probe)(choice)
    if not found:  # a failure is looked at again each time: it may have been mended
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.touch()
        except OSError:
            pass
    return found


def probe(choice: Choice) -> str:
    """Open one session and look from inside whether it is jailed; returns what is wrong.

    Raises:
        SlowError: it took too long to tell: that the jail does not hold is not known.
    """
    slot = choice.slot(SlotOptions(preloads=()))  # no notebook follows
    try:
        return _probe_in(slot, choice)
    finally:
        slot.stop()


def _probe_in(slot: Slot, choice: Choice) -> str:
    try:
        slot.wait_ready()
        session = slot.open(seed=0, limits=Limits())
        try:
            found = session.run_cell(PROBE, index=1, timeout_s=PROBE_S, output_bytes=10_000)
        finally:
            session.close()
    except SlowError:
        raise
    except BoxTimeout as error:
        raise too_slow(choice) from error
    except (BoxFailure, InfrastructureError) as error:
        return error.what
    if found.status == "timeout":
        raise too_slow(choice)
    text = "".join(str(o.get("text", "")) for o in found.outputs)
    expected = {"caps 0", "nnp 1", "seccomp 2"}
    if choice.isolation == "warm":
        expected |= {"pid 1"}
    missing = expected - set(text.splitlines())
    return f"the jail lacks {', '.join(sorted(missing))}" if missing else ""


def too_slow(choice: Choice) -> SlowError:
    """The error of a probe that has not come to its end."""
    return SlowError(
        f"a probe of the {choice.sandbox} sandbox, {choice.isolation}, took longer than "
        f"{PROBE_S:g} s: whether it holds is not known",
        hint="This machine is very busy. Try again when there is less to do.",
    )


PROBE_S = 600.0
"""How long a few lines may take: longer than on any machine that is only busy."""
PROBE = """
import os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print("pid", os.getpid())
print("caps", int(status["CapEff"], 16) | int(status["CapPrm"], 16) | int(status["CapInh"], 16))
print("nnp", int(status["NoNewPrivs"]))
print("seccomp", int(status["Seccomp"]))
"""


def open_slot(
    sandbox: str,
    options: SlotOptions,
    *,
    hide: Sequence[Path] = (),
    tell: Callable[[str], None] | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Slot:
    """Choose and start one slot; for whoever needs just one.

    Where it has to be probed first whether its jail holds, that is done in the slot itself, whose
    sessions know nothing of one another.

    Args:
        sandbox: as `choose` takes it.
        options: of the slot.
        hide: folders that a local sandbox must not show.
        tell: told which sandbox it is.
        meanwhile: what there is to do while a slot warms up; may be called for another one again.
    """
    holds: list[Slot] = []

    def look(choice: Choice) -> str:
        slot = choice.slot(options)
        try:
            slot.start()
            meanwhile()
            failure = _probe_in(slot, choice)
        except BaseException:
            slot.stop()
            raise
        if failure:
            slot.stop()
        else:
            holds.append(slot)
        return failure

    choice = choose(sandbox, hide=hide, look=look)
    if tell is not None:
        tell(f"{choice.sandbox} sandbox ({choice.why})")
    if holds:
        return holds[0]
    slot = choice.slot(options)
    try:
        slot.start()
        meanwhile()
    except BaseException:
        slot.stop()
        raise
    return slot
