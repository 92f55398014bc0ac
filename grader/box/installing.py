"""What `!pip install` does in a box: it says what is there, and that there is no network."""

from __future__ import annotations

import importlib.util
import re
import shlex
from importlib import metadata

_INSTALLER = re.compile(
    r"^\s*(?:sudo\s+)?(?:\S*python[\d.]*\s+-m\s+)?(?:uv\s+)?"
    r"(?P<tool>pip[\d.]*|conda|mamba|micromamba|apt|apt-get)\s+(?:-\S+\s+)*install\b(?P<rest>.*)$"
)
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MAX_NAMED = 20


def answer_to_install(command: str) -> str | None:
    """Return what to print in place of an installation; None for any other command.

    Without a network pip tries for a minute and then fails: the cell's time would be over.
    """
    found = _INSTALLER.match(command)
    if found is None or re.search(r"[|<]|\$\(|`", command):
        return None
    first = re.split(r"&&|;|\|\|", found["rest"])[0]
    names = _projects(first)
    here = [name for name in names if _is_installed(name)]
    absent = [name for name in names if name not in here]
    lines = []
    if found["tool"].startswith("pip") and here:
        lines.append(f"Already installed: {', '.join(here)}.")
    if not found["tool"].startswith("pip"):
        absent = names
    if absent or not here:
        named = ", ".join(absent) or "anything"
        lines.append(f"There is no network in this sandbox: {named} can't be installed here.")
        if absent and found["tool"].startswith("pip"):
            listed = ", ".join(f'"{name}"' for name in absent)
            lines.append(f"Who needs it asks the course staff for: libraries = [{listed}]")
    return "\n".join(lines) + "\n"


def _projects(arguments: str) -> list[str]:
    try:
        words = shlex.split(arguments, comments=True)
    except ValueError:
        words = arguments.split()
    names: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            # `-r requirements.txt`, `-f URL`, `--index-url URL`: what follows is no package.
            skip = "=" not in word and word in _WITH_VALUE
        elif match := _PROJECT.match(word):
            names.append(match[0])
    return list(dict.fromkeys(names))[:MAX_NAMED]


_WITH_VALUE = frozenset(
    {"-r", "-c", "-f", "-i", "-t", "-n", "--requirement", "--constraint", "--find-links",
     "--index-url", "--extra-index-url", "--target", "--name", "--channel"}
)  # fmt: skip


def _is_installed(project: str) -> bool:
    try:
        metadata.version(project)
    except metadata.PackageNotFoundError:
        module = project.replace("-", "_")
        return module.isidentifier() and importlib.util.find_spec(module) is not None
    except ValueError:
        return False
    return True
