"""Medians, spreads and ratios of the measured rounds, as a table."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

OURS = "grader, docker warm"


@dataclass(frozen=True)
class Spread:
    """The median of the rounds, with the least and the most."""

    median: float
    least: float
    most: float

    def show(self, form: str = ".3g") -> str:
        """Such as `0.27 (0.25–0.31)`; the median alone where there was one round."""
        if self.least == self.most:
            return f"{self.median:{form}}"
        return f"{self.median:{form}} ({self.least:{form}}–{self.most:{form}})"


def spread(values: list[float]) -> Spread:
    """Of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Spread]]]:
    """Figures by workload, then system, then name. A ratio is taken within each round."""
    found: dict[str, dict[str, dict[str, Spread]]] = {}
    for row in rows:
        found.setdefault(row["workload"], {}).setdefault(row["system"], {})
    for workload, systems in found.items():
        for system in systems:
            own = [r for r in rows if (r["workload"], r["system"]) == (workload, system)]
            ours = {r["round"]: r for r in rows if (r["workload"], r["system"]) == (workload, OURS)}
            pairs = [(r, ours[r["round"]]) for r in own if r["round"] in ours]
            figures = {
                "cpu_s": [r["cpu_s_per_further"] for r in own],
                "wall_s": [r["wall_s_per_further"] for r in own],
                "per_minute": [60 / r["wall_s_per_further"] for r in own],
                "start_s": [
                    r["few"]["wall_s"] - r["few"]["submissions"] * r["wall_s_per_further"]
                    for r in own
                ],
                "peak_mb": [r["many"]["peak_memory_bytes"] / 1e6 for r in own],
                "times_cpu": [r["cpu_s_per_further"] / o["cpu_s_per_further"] for r, o in pairs],
                "times_wall": [r["wall_s_per_further"] / o["wall_s_per_further"] for r, o in pairs],
            }
            systems[system] = {name: spread(values) for name, values in figures.items() if values}
    return found


def table(figures: dict[str, dict[str, dict[str, Spread]]], machine: dict[str, Any]) -> str:
    """Markdown: one table for each workload."""
    parts = [
        f"Measured {machine['date']} on {machine['cores']} cores of {machine['processor']}, "
        f"{machine['memory_gb']} GB, load {machine['load_at_start']:.1f} at the start. "
        "Median of the rounds, with the least and the most.\n"
    ]
    for workload, systems in figures.items():
        parts.append(
            f"\n### {workload}\n\n"
            "| system | submissions per minute | CPU s, one further | wall s, one further "
            f"| start s | peak MB | CPU against {OURS} | wall against it |\n"
            "|---|---|---|---|---|---|---|---|\n"
        )
        for system, row in systems.items():
            cells = [
                row["per_minute"].show(".0f"),
                row["cpu_s"].show(),
                row["wall_s"].show(),
                row["start_s"].show(".1f"),
                row["peak_mb"].show(".0f"),
                *(
                    row[name].show(".1f") + " ×" if name in row else ""
                    for name in ("times_cpu", "times_wall")
                ),
            ]
            parts.append(f"| {system} | " + " | ".join(cells) + " |\n")
    return "".join(parts)
