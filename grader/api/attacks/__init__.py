"""Try to earn an assignment's points without the work, before its students do."""

from __future__ import annotations

from grader.api.attacks.running import ATTACKS, Attacked, EarnedPoint, attack
from grader.api.attacks.sources import Attack

__all__ = ["ATTACKS", "Attack", "Attacked", "EarnedPoint", "attack"]
