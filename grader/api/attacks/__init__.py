"""Try to earn an assignment's points without the work, before its students do."""

from __future__ import annotations

from grader.api.attacks.corpus import Attack, shipped_attacks
from grader.api.attacks.earned import AcceptedPoint, Attacked, EarnedPoint
from grader.api.attacks.running import attack

__all__ = ["AcceptedPoint", "Attack", "Attacked", "EarnedPoint", "attack", "shipped_attacks"]
