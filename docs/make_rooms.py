"""Draw the rooms in CONTRIBUTING.md from the import contracts: python -m docs.make_rooms"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
DESIGN = ROOT / "docs" / "design.md"
_PICTURE = re.compile(r"(?<=<!-- rooms -->\n```text\n).*?(?=^```$)", re.M | re.S)
_ROW = re.compile(r"^\| `(?P<room>\w+)` \| (?P<does>.*?) \|$", re.M)
_WIDTH = 13


def layers() -> list[str]:
    """Return what the first contract orders, from the commands down to the ground floor."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [found] = [c["layers"] for c in contracts["contracts"] if c["type"] == "layers"]
    return [name.removeprefix("grader.") for name in found]


def rooms() -> dict[str, str]:
    """Return what docs/design.md says of each room, in its order."""
    section = DESIGN.read_text().partition("## Rooms")[2].partition("\n## ")[0]
    return {row["room"]: row["does"] for row in _ROW.finditer(section)}


def picture() -> str:
    """Return the drawing, as text."""
    said = rooms()
    order = layers()
    ground = [name for name in order if (ROOT / "grader" / f"{name}.py").exists()]
    lines = ["   each imports only what stands below it", "│"]
    lines += [f"│  {name:<{_WIDTH}}{said[name]}" for name in order if name not in ground]
    lines += ["│", f"▼  {', '.join(ground)}: single modules, for all of them", ""]
    lines += [f"   {'box':<{_WIDTH}}{said['box']}"]
    return "\n".join(lines) + "\n"


def drawn() -> str:
    """Return the page with the drawing as it should be."""
    return _PICTURE.sub(lambda _: picture(), PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(drawn())
