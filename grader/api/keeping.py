"""Judges that stay for their user between two commands: what there is, and their end."""

from __future__ import annotations

from grader.grading.keeping.kept import end_kept_judges, kept_judges
from grader.sandbox.doctor import Check

__all__ = ["end_kept_judges", "kept_check", "kept_judges"]


def kept_check() -> Check:
    """What stays for this user, as a line of `grader doctor`."""
    said = [
        "one at work"
        if info is None
        else f"{'check' if info.checks else 'grade'} of {info.assignment}, {info.sandbox}, "
        f"idle for {info.idle_s:.0f} s"
        for info in kept_judges()
    ]
    return Check(
        name="judges that stay for your next command",
        ok=None if said else True,
        found="; ".join(said) or "none",
        fix="They end after ten minutes without one; `grader sandbox stop` ends them now."
        if said
        else "",
    )
