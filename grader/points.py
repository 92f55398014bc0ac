"""Points are decimals in hundredths: they add up exactly and print as they are."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

Points: TypeAlias = Decimal

HUNDREDTH = Decimal("0.01")


def to_points(value: int | float | str | Decimal) -> Decimal:
    """Turn what an instructor wrote into points, rounded half up to hundredths."""
    return Decimal(str(value)).quantize(HUNDREDTH, ROUND_HALF_UP)


def split(points: Decimal, parts: int) -> list[Decimal]:
    """Share points among equal parts so that they add up exactly; the first get the odd cents."""
    cents, odd = divmod(int(points / HUNDREDTH), parts)
    return [(cents + (i < odd)) * HUNDREDTH for i in range(parts)]


def show(points: Decimal) -> str:
    """Print points without trailing zeros: 3, 2.5, 0.33."""
    text = f"{points.quantize(HUNDREDTH, ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".")


def signed(points: Decimal) -> str:
    """Print points with their sign: +4, −1.5."""
    return f"{'−' if points < 0 else '+'}{show(abs(points))}"
