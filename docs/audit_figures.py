"""The figures of audits that are kept in docs/audits/."""

from __future__ import annotations

from pathlib import Path

import msgspec

FIGURES = Path(__file__).with_name("audits")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an assignment's audits: of each part, what the last that asked it found."""

    mutants: dict[str, int] | None = None
    tests: dict[str, int] | None = None
    luck: dict[str, int] | None = None
    tolerances: dict[str, float | None] | None = None
    room: dict[str, float] | None = None
    attacks: dict[str, int] | None = None


def kept_figures(name: str) -> Figures:
    """The figures of an assignment; empty ones if it was never audited."""
    path = FIGURES / f"{name}.json"
    return msgspec.json.decode(path.read_bytes(), type=Figures) if path.exists() else Figures()


def audited() -> list[str]:
    """The assignments whose figures are kept, by name."""
    return sorted(path.stem for path in FIGURES.glob("*.json"))


def keep_figures(name: str, figures: Figures) -> None:
    """Keep the figures of an assignment."""
    FIGURES.mkdir(exist_ok=True)
    written = msgspec.json.format(msgspec.json.encode(figures), indent=2)
    (FIGURES / f"{name}.json").write_bytes(written + b"\n")
