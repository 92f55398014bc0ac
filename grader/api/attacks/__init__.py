"""Try to earn an assignment's points without the work, before its students do."""

from __future__ import annotations

from grader.api.attacks.attack_list import ATTACKS
from grader.api.attacks.earned import AcceptedPoint, Attacked, EarnedPoint
from grader.api.attacks.running import attack
from grader.api.attacks.sources import Attack

__all__ = ["ATTACKS", "AcceptedPoint", "Attack", "Attacked", "EarnedPoint", "attack"]
