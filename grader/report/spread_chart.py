"""How a class's scores lie, component by component, as inline SVG that describes itself."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from markupsafe import Markup

from grader.gradebook.totals.rounding import show_fraction
from grader.gradebook.totals.statistics import Spread
from grader.report.text import clean

WIDTH, ROW = 640, 46
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, 22, 6, 26
_MAX_LABEL = 70


def spread_svg(rows: Sequence[tuple[str, Spread | None]]) -> Markup:
    """Draw a line for each label: from the lowest to the highest, the middle half as a box."""
    height = _TOP + ROW * len(rows) + _BOTTOM
    said = "; ".join(_said(label, spread) for label, spread in rows)
    grid = [_grid(percent, height) for percent in range(0, 101, 25)]
    lines = [_row(i, label, spread) for i, (label, spread) in enumerate(rows)]
    return Markup(
        '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-labelledby="spread-t spread-d">'
        '<title id="spread-t">Scores by component</title><desc id="spread-d">{said}.</desc>'
        "{grid}{lines}</svg>"
    ).format(w=WIDTH, h=height, said=said, grid=Markup().join(grid), lines=Markup().join(lines))


def _x(percent: Fraction | int) -> float:
    return _LEFT + float(min(max(percent, 0), 100)) / 100 * (WIDTH - _LEFT - _RIGHT)


def _grid(percent: int, height: int) -> Markup:
    return Markup(
        '<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{floor}"/>'
        '<text class="tick" x="{x:.1f}" y="{text}" text-anchor="{anchor}">{percent} %</text>'
    ).format(
        x=_x(percent),
        top=_TOP,
        floor=height - _BOTTOM,
        text=height - 8,
        anchor="start" if percent == 0 else "middle",
        percent=percent,
    )


def _row(index: int, label: str, spread: Spread | None) -> Markup:
    top = _TOP + index * ROW
    name = Markup('<text class="label" x="{x}" y="{y}">{label}</text>').format(
        x=_LEFT, y=top + 16, label=_short(label)
    )
    if spread is None:
        return name
    middle = top + 31
    return name + Markup(
        '<line class="reach" x1="{lowest:.1f}" x2="{highest:.1f}" y1="{y}" y2="{y}"/>'
        '<rect class="bar" x="{lower:.1f}" y="{box}" width="{width:.1f}" height="12" rx="3"/>'
        '<line class="median" x1="{median:.1f}" x2="{median:.1f}" y1="{from_}" y2="{to}"/>'
    ).format(
        y=middle,
        lowest=_x(spread.lowest),
        highest=_x(spread.highest),
        lower=_x(spread.lower_quarter),
        width=max(2.0, _x(spread.upper_quarter) - _x(spread.lower_quarter)),
        median=_x(spread.median),
        box=middle - 6,
        from_=middle - 9,
        to=middle + 9,
    )


def _said(label: str, spread: Spread | None) -> str:
    if spread is None:
        return f"{_short(label)}: no marks yet"
    return (
        f"{_short(label)}: lowest {show_fraction(spread.lowest)} %, "
        f"median {show_fraction(spread.median)} %, highest {show_fraction(spread.highest)} %"
    )


def _short(label: str) -> str:
    text = clean(label)
    return text if len(text) <= _MAX_LABEL else f"{text[: _MAX_LABEL - 1]}…"
