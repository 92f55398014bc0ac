"""A driver's `nvidia-smi` for tests, whose devices hold what the test says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_TOOL = """\
#!/bin/sh
# {folder}: one file for each device, with the megabytes that it holds; {totals}: that it has.
case "$1" in *memory.total*) where="{totals}" ;; *) where="{folder}" ;; esac
for word in "$@"; do
  case "$word" in
    --id=*) [ -f "$where/${{word#--id=}}" ] && exec cat "$where/${{word#--id=}}"; exit 6 ;;
  esac
done
ls "{folder}"
"""


class Driver:
    """Puts `nvidia-smi` into a folder that is to be on PATH.

    Args:
        folder: for the tool, and the files with what is in use.
        devices: megabytes in use, by name.
        totals: megabytes that they have, by name; of the others nothing is told.
    """

    def __init__(
        self, folder: Path, devices: Mapping[str, int], totals: Mapping[str, int] | None = None
    ) -> None:
        self._devices = folder / "devices"
        self._totals = folder / "totals"
        for made in (self._devices, self._totals):
            made.mkdir()
        self._tool = folder / "nvidia-smi"
        self._tool.write_text(_TOOL.format(folder=self._devices, totals=self._totals))
        self._tool.chmod(0o755)
        for name, megabytes in devices.items():
            self.hold(name, megabytes)
        for name, megabytes in (totals or {}).items():
            (self._totals / name).write_text(f"{megabytes}\n")

    def hold(self, name: str, megabytes: int) -> None:
        """Have a device hold so much from now on."""
        (self._devices / name).write_text(f"{megabytes}\n")

    def break_(self) -> None:
        """Have the driver answer nothing any more."""
        self._tool.write_text("#!/bin/sh\nexit 9\n")
