"""The door for whoever changes the code: its picture, its recipes, its hooks are true."""

from __future__ import annotations

import re

import pytest
import yaml

from docs.make_rooms import PAGE, ROOT, drawn, layers, picture, rooms

_RECIPE = re.compile(r"^### (?P<name>[^\n]+)\n(?P<text>.*?)(?=^### |\Z)", re.M | re.S)
_FILE = re.compile(r"`((?:grader|tests|docs|templates|assignments|reference)/[\w/.-]+)`")
RECIPES = {m["name"]: m["text"] for m in _RECIPE.finditer(PAGE.read_text())}


def packages() -> set[str]:
    return {path.parent.name for path in (ROOT / "grader").glob("*/__init__.py")}


def test_the_picture_is_what_the_import_contracts_say() -> None:
    assert PAGE.read_text() == drawn(), "run: python -m docs.make_rooms"
    drawn_order = [line[3:].split()[0] for line in picture().splitlines() if line[:3] == "│  "]
    assert drawn_order == [name for name in layers() if name in packages()]


def test_the_design_lists_every_room_in_the_order_of_the_contracts() -> None:
    assert set(rooms()) == packages()
    assert [*reversed(layers())][1 - len(rooms()) :] == [name for name in rooms() if name != "box"]


def test_every_module_on_the_ground_floor_has_its_place_in_the_contracts() -> None:
    alone = {path.stem for path in (ROOT / "grader").glob("*.py")} - {"__init__"}
    assert alone - set(layers()) <= {"resources"}  # which finds files and imports errors alone


def test_there_is_a_recipe_for_each_thing_that_people_add() -> None:
    wanted = ["An LMS", "A sandbox", "An attack", "A page", "An assignment", "A command"]
    assert list(RECIPES) == wanted


@pytest.mark.parametrize("name", RECIPES)
def test_every_file_that_a_recipe_names_is_there(name: str) -> None:
    named = _FILE.findall(RECIPES[name])
    assert len(named) >= 3
    assert [file for file in named if not (ROOT / file).exists()] == []


def test_the_hooks_before_a_commit_are_what_ci_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    makefile = (ROOT / "Makefile").read_text()
    ran = {re.sub(r" (\.|--force-exclude)$", "", h["entry"]) for h in hooks}
    asked = re.findall(r"^\t\$\(BIN\)/((?:ruff|mypy|lint-imports).*)$", makefile, re.M)
    assert ran == {f".venv/bin/{line.removesuffix(' .')}" for line in asked}
