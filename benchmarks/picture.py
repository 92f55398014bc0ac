"""The comparison as a picture: CPU seconds of one further submission, a bar for each system."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from table import Spread

WIDTH, LABEL, ROW, BAR = 860, 300, 30, 18
_STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1f2937 }
.title { font-weight: 600 } .bar { fill: #94a3b8 } .ours { fill: #2563eb } .limit { fill: #10b981 }
.spread { stroke: #1f2937; stroke-width: 1.5 } .paper { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e7eb } .paper { fill: #111827 } .spread { stroke: #e5e7eb }
  .bar { fill: #64748b } .ours { fill: #60a5fa } .limit { fill: #34d399 }
}
"""


def picture(figures: dict[str, dict[str, dict[str, Spread]]]) -> str:
    """An SVG with one group of bars for each workload; lengths are logarithmic."""
    values = [row["cpu_s"] for systems in figures.values() for row in systems.values()]
    least = min(max(v.least, 1e-3) for v in values) / 1.5
    most = max(max(v.most, 1e-3) for v in values)
    scale = (WIDTH - LABEL - 90) / (math.log(most / least) or 1.0)

    def x(value: float) -> float:
        return LABEL + scale * math.log(max(value, least) / least)

    parts, y = [], 34
    for workload, systems in figures.items():
        parts.append(
            f'<text class="title" x="12" y="{y}">{escape(workload)}: CPU seconds of one further '
            "submission (logarithmic)</text>"
        )
        y += 14
        for system, row in sorted(systems.items(), key=lambda item: item[1]["cpu_s"].median):
            cost = row["cpu_s"]
            kind = "limit" if "limit" in system else "ours" if "grader," in system else "bar"
            middle = y + BAR / 2
            short = system.partition(" (")[0]
            parts += [
                f'<text x="{LABEL - 10}" y="{middle + 5}" text-anchor="end">{escape(short)}</text>',
                f'<rect class="{kind}" x="{LABEL}" y="{y}" height="{BAR}" rx="3" '
                f'width="{max(x(cost.median) - LABEL, 2):.1f}"/>',
                f'<line class="spread" x1="{x(cost.least):.1f}" x2="{x(cost.most):.1f}" '
                f'y1="{middle}" y2="{middle}"/>',
                f'<text x="{x(cost.most) + 8:.1f}" y="{middle + 5}">{cost.median:.3g} s</text>',
            ]
            y += ROW
        y += 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" '
        f'aria-label="CPU seconds of one further submission"><style>{_STYLE}</style>'
        f'<rect class="paper" width="{WIDTH}" height="{y}" rx="8"/>{"".join(parts)}</svg>\n'
    )
