"""Every attack that `grader validate --attacks` tries."""

from __future__ import annotations

from grader.api.attacks.shortcuts import SHORTCUTS
from grader.api.attacks.sources import IGNORANT, Attack

ATTACKS: tuple[Attack, ...] = (*IGNORANT, *SHORTCUTS)
