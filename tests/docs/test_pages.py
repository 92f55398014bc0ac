"""No page leads nowhere, names what isn't there, or shows code that is none."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from docs.make_cli_reference import PAGE, commands, reference
from grader.course.loading import load_spec
from grader.course.spec import (
    AssignmentSpec,
    Attempts,
    BoxSpec,
    Dates,
    HandInRules,
    Leaderboard,
    Notebook,
    Question,
    Resources,
    Rules,
)
from tests.docs.pages import PAGES, ROOT, blocks, page_id, prose

REFERENCE = "docs/cli.md"
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_CITED = re.compile(r"`(test_\w+)`|\(\.\./(tests/[\w/]+\.py)\)|same file")

each_page = pytest.mark.parametrize("page", PAGES, ids=page_id)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@each_page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for found in _LINK.finditer(prose(page)):
        target = found["target"]
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        assert place.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(place), f"{page.name}: {target}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        targets = [m["target"].partition("#")[0] for m in _LINK.finditer(prose(page))]
        todo += [(page.parent / t).resolve() for t in targets if t and "://" not in t]
    assert set(PAGES) <= reached


def known() -> dict[str, set[str]]:
    """The commands and the options that each has."""
    found: dict[str, set[str]] = {}
    for name, command in commands():
        options = [p for p in command.params if isinstance(p, click.Option)]
        found[name] = {"--help", *(t for p in options for t in (*p.opts, *p.secondary_opts))}
    return found


def calls(page: Path) -> list[str]:
    """Every line of a page that calls `grader`, in blocks and in running text."""
    lines = list(_CODE.findall(prose(page)))
    for block in blocks(page):
        if block.language in ("console", "sh", "text", "bash"):
            lines += [line.removeprefix("$ ").strip() for line in block.text.splitlines()]
    return [line for line in lines if re.match(r"grader( [a-z-]+)+( |$)", line)]


@pytest.mark.parametrize("page", [p for p in PAGES if page_id(p) != REFERENCE], ids=page_id)
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    table = known()
    groups = {name.rpartition(" ")[0] for name in table} - {"grader"}
    for line in calls(page):
        words = shlex.split(line.partition(" && ")[0].partition(" > ")[0], comments=True)
        name = " ".join(words[:3]) if " ".join(words[:2]) in groups else " ".join(words[:2])
        assert name in table or name in groups, f"{page.name}: {line}"
        for word in words:
            if word.startswith("--"):
                assert word.partition("=")[0] in table.get(name, ()), f"{page.name}: {line}"


@each_page
def test_every_option_in_running_text_belongs_to_a_command(page: Path) -> None:
    everywhere = set().union(*known().values()) | {"--notebook", "--version"}
    for code in _CODE.findall(prose(page)):
        if code.startswith("--"):
            assert re.split(r"[ =]", code)[0] in everywhere, f"{page.name}: {code}"


@each_page
def test_every_python_and_toml_block_is_python_and_toml(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            compile(block.text, f"{page.name}:{block.line}", "exec")
        elif block.language == "toml":
            tomllib.loads(block.text)


def test_the_spec_in_the_how_to_is_valid_and_names_every_key(tmp_path: Path) -> None:
    page = ROOT / "docs/how-to/write-an-assignment.md"
    (text,) = [block.text for block in blocks(page) if block.note == "spec"]
    for file in ("data/table.csv", "data/images/1.png"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    path = tmp_path / "assignment.toml"
    path.write_text(text, encoding="utf-8")
    assert load_spec(path).machine_points == 26
    # With several notebooks there is no `reference` of the assignment.
    (several,) = [block.text for block in blocks(page) if block.note == "notebooks"]
    text += several
    for struct in (
        Notebook,
        AssignmentSpec,
        Question,
        Resources,
        Dates,
        Attempts,
        BoxSpec,
        HandInRules,
        Rules,
        Leaderboard,
    ):
        for key in struct.__struct_fields__:
            assert re.search(rf"^\[*{key}(\]| = )", text, re.MULTILINE), key


def test_the_spec_in_the_how_to_shows_the_defaults() -> None:
    page = ROOT / "docs/how-to/write-an-assignment.md"
    (text,) = [block.text for block in blocks(page) if block.note == "spec"]
    shown = tomllib.loads(text)
    for table, default in (("resources", Resources()), ("attempts", Attempts())):
        assert shown[table] == {k: getattr(default, k) for k in default.__struct_fields__}


def test_the_command_reference_is_what_the_commands_say() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == reference(), "run: python -m docs.make_cli_reference"


@pytest.mark.parametrize(
    ("name", "command"), [pytest.param(*found, id=found[0]) for found in commands()]
)
def test_every_command_has_help_with_an_example_and_explains_its_options(
    name: str, command: click.Command
) -> None:
    assert command.help
    assert command.help.splitlines()[0].endswith((".", ";"))
    example = command.help.partition("Example:")[2]
    assert re.search(rf"^ *{name}( |$)", example, re.MULTILINE)
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.name}"


@pytest.mark.parametrize("page", ["threat-model.md", "right-marks.md"])
def test_every_test_that_a_page_cites_is_in_the_file_that_it_names(page: str) -> None:
    file, cited, checked = "", [], 0
    for test, path in _CITED.findall(prose(ROOT / "docs" / page)):
        if test:
            cited.append(test)
            continue
        file = path or file  # "same file" stands for the last one
        for name in cited:
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}: {name}"
        checked += len(cited)
        cited = []
    assert checked > 20
    assert not cited
