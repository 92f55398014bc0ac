"""The pictures of the class page, as inline SVG that carries its own description."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup

from grader.points import show
from grader.report.statistics import Histogram

WIDTH, HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 8, 22, 40


def histogram_svg(
    histogram: Histogram,
    *,
    title: str = "Distribution of marks",
    unit: str = "points",
    name: str = "marks",
) -> Markup:
    """Draw how many marks lie in each part of the points; `name` tells it from others on a page."""
    counts, edges = histogram.counts, histogram.edges
    step = (WIDTH - _LEFT - _RIGHT) / len(counts)
    floor = HEIGHT - _BOTTOM
    scale = (floor - _TOP) / max(1, *counts)
    parts = [_bar(_LEFT + i * step, step, floor, n, n * scale) for i, n in enumerate(counts)]
    ticks = [_tick(_LEFT + i * step, floor, edge, odd=i % 2 == 1) for i, edge in enumerate(edges)]
    said = "; ".join(
        f"{show(edges[i])} to {show(edges[i + 1])} {unit}: {n}" for i, n in enumerate(counts) if n
    )
    return Markup(
        '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-labelledby="{name}-t {name}-d">'
        '<title id="{name}-t">{title}</title><desc id="{name}-d">{said}.</desc>'
        '{bars}<line class="axis" x1="{x1}" x2="{x2}" y1="{y}" y2="{y}"/>{ticks}'
        '<text class="tick" x="{mid}" y="{end}" text-anchor="middle">{unit}</text></svg>'
    ).format(
        name=name,
        title=title,
        unit=unit,
        w=WIDTH,
        h=HEIGHT,
        said=said or "No marks yet",
        bars=Markup().join(parts),
        ticks=Markup().join(ticks),
        x1=_LEFT,
        x2=WIDTH - _RIGHT,
        y=floor,
        mid=WIDTH // 2,
        end=HEIGHT - 4,
    )


def _bar(x: float, step: float, floor: float, count: int, height: float) -> Markup:
    if not count:
        return Markup()
    return Markup(
        '<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="2"/>'
        '<text class="count" x="{mid:.1f}" y="{above:.1f}" text-anchor="middle">{n}</text>'
    ).format(
        x=x + 3,
        y=floor - height,
        w=step - 6,
        h=height,
        mid=x + step / 2,
        above=floor - height - 6,
        n=count,
    )


def _tick(x: float, floor: float, value: Decimal, *, odd: bool) -> Markup:
    return Markup(
        '<text class="tick{odd}" x="{x:.1f}" y="{y}" text-anchor="middle">{value}</text>'
    ).format(
        x=min(max(x, 8), WIDTH - 12), y=floor + 18, value=show(value), odd=" odd" if odd else ""
    )


def fifths_svg(shares: Sequence[float], *, title: str, name: str) -> Markup:
    """Draw the mean share of a question's points in each fifth of a class, the weakest first."""
    width, height, floor = 200, 96, 78
    step = width / max(1, len(shares))
    bars = [
        Markup(
            '<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="2"/>'
            '<text class="count" x="{mid:.1f}" y="{above:.1f}" text-anchor="middle">{n}</text>'
        ).format(
            x=i * step + 3,
            y=floor - max(1.0, share * 60),
            w=step - 6,
            h=max(1.0, share * 60),
            mid=(i + 0.5) * step,
            above=floor - max(1.0, share * 60) - 4,
            n=round(100 * share),
        )
        for i, share in enumerate(shares)
    ]
    said = ", ".join(f"{round(100 * share)} %" for share in shares)
    return Markup(
        '<svg class="chart small" viewBox="0 0 {w} {h}" role="img" '
        'aria-labelledby="{name}-t {name}-d"><title id="{name}-t">{title}</title>'
        '<desc id="{name}-d">From the weakest fifth to the strongest: {said}.</desc>{bars}'
        '<line class="axis" x1="0" x2="{w}" y1="{floor}" y2="{floor}"/>'
        '<text class="tick" x="4" y="92">weakest</text>'
        '<text class="tick" x="{end}" y="92" text-anchor="end">strongest fifth</text></svg>'
    ).format(
        name=name,
        title=title,
        said=said,
        bars=Markup().join(bars),
        w=width,
        h=height,
        floor=floor,
        end=width - 4,
    )
