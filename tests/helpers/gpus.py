"""A driver's `nvidia-smi` for tests, whose devices hold what the test says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_TOOL = """\
#!/bin/sh
# {folder}: one file for each device, with the megabytes that it holds.
for word in "$@"; do
  case "$word" in
    --id=*) [ -f "{folder}/${{word#--id=}}" ] && exec cat "{folder}/${{word#--id=}}"; exit 6 ;;
  esac
done
ls "{folder}"
"""


class Driver:
    """Puts `nvidia-smi` into a folder that is to be on PATH.

    Args:
        folder: for the tool, and the files with what is in use.
        devices: megabytes in use, by name.
    """

    def __init__(self, folder: Path, devices: Mapping[str, int]) -> None:
        self._devices = folder / "devices"
        self._devices.mkdir()
        self._tool = folder / "nvidia-smi"
        self._tool.write_text(_TOOL.format(folder=self._devices))
        self._tool.chmod(0o755)
        for name, megabytes in devices.items():
            self.hold(name, megabytes)

    def hold(self, name: str, megabytes: int) -> None:
        """Have a device hold so much from now on."""
        (self._devices / name).write_text(f"{megabytes}\n")

    def break_(self) -> None:
        """Have the driver answer nothing any more."""
        self._tool.write_text("#!/bin/sh\nexit 9\n")
