"""Which systems' assignments can be taken over."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from grader import plugins
from grader.conversion.draft import Draft
from grader.conversion.foreign_system import ForeignSystem
from grader.conversion.nbgrader import NbgraderImport
from grader.conversion.registry import GROUP, systems
from grader.errors import UsageError


class Vocareum(NbgraderImport):
    """Of another package."""

    name = "vocareum"
    help = "Take over an assignment of Vocareum's."


class Nameless(ForeignSystem):
    """Has no name."""

    def read(self, notebook: Path) -> Draft:
        raise NotImplementedError

    def files(self, notebook: Path, folder: Path | None) -> list[Path]:
        return []


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Have other packages name classes under our group."""

    def name(*values: str) -> None:
        points = EntryPoints([EntryPoint(f"x{i}", v, GROUP) for i, v in enumerate(values)])
        monkeypatch.setattr(plugins, "entry_points", lambda group: points)
        systems.cache_clear()

    yield name
    systems.cache_clear()


def test_another_package_adds_a_system(named: Callable[..., None]) -> None:
    named("tests.conversion.test_registry:Vocareum")
    assert sorted(systems()) == ["nbgrader", "otter", "vocareum"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no.such.module:X", "can't be loaded"),
        ("tests.conversion.test_registry:Nameless", "with a name of its own"),
        ("grader.conversion.otter:OtterImport", "with a name of its own"),
        ("pathlib:Path", "with a name of its own"),
    ],
)
def test_what_is_no_system_of_its_own_is_refused_with_its_name(
    named: Callable[..., None], value: str, why: str
) -> None:
    named(value)
    with pytest.raises(UsageError, match=why) as refused:
        systems()
    assert value in str(refused.value)


def test_no_command_loads_the_readers_before_it_is_called() -> None:
    code = (
        "import sys, pkgutil, importlib, grader.cli\n"
        "for m in pkgutil.iter_modules(grader.cli.__path__):\n"
        "    importlib.import_module(f'grader.cli.{m.name}')\n"
        "print([m for m in sys.modules if m.startswith('grader.conversion')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
