"""What `grader import` asks of another system."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from grader.conversion.draft import Draft


class ForeignSystem(ABC):
    """A system whose assignments can be taken over.

    Attributes:
        name: as `grader import NAME` calls it.
        help: of that command.
    """

    name: ClassVar[str]
    help: ClassVar[str]

    @abstractmethod
    def read(self, notebook: Path) -> Draft:
        """Take an assignment apart, as data; nothing of it may be run.

        Raises:
            NothingGraded: nothing in it gives points.
            SpecError: it can't be read.
        """

    @abstractmethod
    def files(self, notebook: Path, folder: Path | None) -> list[Path]:
        """The files and folders that belong to a notebook; `folder` if all of it was named."""
