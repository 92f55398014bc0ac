"""What was sent to a desk and not answered: sent again, it is the same hand-in and counts once.

A key goes with each hand-in, as with the form of a browser. It is kept until the desk has answered,
under the hash of all that is sent, so that the same files for the same assignment go with it again.
After an answer they are another try: whoever hands in the same file twice means to.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from grader.storage import write_atomically

KEPT_S = 24 * 3600.0
"""After so long the same file is another hand-in: the tries on the desk's pages tell what came."""


class Sending:
    """One hand-in on its way.

    Args:
        parts: all that says which one it is: the desk, whose it is, the assignment, the files.
    """

    def __init__(self, parts: Iterable[bytes]) -> None:
        whole = hashlib.sha256()
        for part in parts:
            whole.update(hashlib.sha256(part).digest())
        self._kept: Path | None = None
        self.key = secrets.token_hex(16)
        with contextlib.suppress(OSError, RuntimeError, ValueError):  # a user without a home
            self._kept = _folder() / whole.hexdigest()
            self.key = self._known(self._kept) or self.key
            self._kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._kept, self.key.encode())

    @staticmethod
    def _known(kept: Path) -> str:
        if not kept.is_file() or time.time() - kept.stat().st_mtime > KEPT_S:
            return ""
        key = kept.read_text(encoding="ascii")
        return key if len(key) == 32 and key.isalnum() else ""

    def answered(self) -> None:
        """Say that the desk has it: what is sent from now on is another try."""
        if self._kept is not None:
            with contextlib.suppress(OSError):
                self._kept.unlink(missing_ok=True)


def _folder() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state, "grader", "unanswered")
