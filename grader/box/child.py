"""From fork to the first request: the child jails itself, says so, and serves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from grader.box import jail, linux
from grader.wire.messages import Limits

Serve = Callable[[int, int, Limits], None]


def be_child(
    channel: int, report: int, *, nest: jail.Nest, seed: int, limits: Limits, serve: Serve
) -> None:
    """Jail this forked process and serve the session; never returns.

    What goes to the `report` pipe: ``ready MS`` or ``refused WHY``.
    """
    began = time.monotonic()
    status = 70
    try:
        jail.reset_signals()
        linux.allow_own_proc_files()
        report = jail.keep_only(channel, report)
        os.setsid()
        _close_the_jail(nest, limits)
        os.write(report, f"ready {(time.monotonic() - began) * 1000:.1f}\n".encode())
        os.close(report)
        serve(jail.CHANNEL, seed, limits)
        status = 0
    except BaseException as error:  # noqa: BLE001 - the last place before the process ends
        _tell(report, error)
    finally:
        os._exit(status)


def _close_the_jail(nest: jail.Nest, limits: Limits) -> None:
    if nest.namespaces:
        jail.keep_own_ids(nest)
        jail.mount_private_places(limits.disk_bytes)
        # Its own: a port that one submission holds, or just held, is free for the next.
        linux.bring_up_loopback()
    jail.make_work_directory(nest)
    jail.set_limits(nest, limits)
    jail.set_environment(nest)
    jail.close_behind(nest)


def _tell(report: int, error: BaseException) -> None:
    text = f"refused {type(error).__name__}: {error}".replace("\n", " ")[:500]
    try:
        os.write(report, text.encode() + b"\n")
    except OSError:
        pass
