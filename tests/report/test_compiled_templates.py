"""Compiled templates are kept, and used only as long as they are this user's and what they were."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.report import templates
from grader.report.templates import render


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An own cache folder; each environment is a new one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    templates._environment.cache_clear()
    yield tmp_path / "cache" / "grader" / "templates"
    templates._environment.cache_clear()


def page(folder: Path, text: str = "") -> str:
    """A course's own template, filled in as a new process would."""
    folder.mkdir(exist_ok=True)
    if text:
        (folder / "one.j2").write_text(text)
    templates._environment.cache_clear()
    return render("one.j2", {"name": "Ada"}, [folder])


def test_what_was_compiled_is_read_again_until_the_template_changes(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert page(tmp_path / "own", "Hello {{ name }}") == "Hello Ada"
    assert len(list(kept.iterdir())) == 1
    monkeypatch.setattr("jinja2.Environment._parse", lambda *_: 1 / 0)
    assert page(tmp_path / "own") == "Hello Ada"
    with pytest.raises(ZeroDivisionError):
        page(tmp_path / "own", "Bye {{ name }}")


@pytest.mark.parametrize(
    "option", [{"autoescape": False}, {"optimized": False}, {"finalize": lambda value: value}]
)
def test_what_another_environment_made_of_a_template_is_not_used(
    kept: Path, tmp_path: Path, option: dict[str, object]
) -> None:
    """A page whose code was compiled without autoescape would show a student's script as one."""
    text = "Hello {{ name }}"
    folder = tmp_path / "own"
    ours = templates._environment.__wrapped__((folder,))
    other = ours.overlay(**option)
    folder.mkdir()
    (folder / "one.j2").write_text(text)
    hostile = "<script>"
    for _ in range(2):  # whoever comes first, and what is there then
        said = other.get_template("one.j2").render(name=hostile)
        assert (hostile in said) is ("autoescape" in option)
        templates._environment.cache_clear()
        assert hostile not in render("one.j2", {"name": hostile}, [folder])


def test_another_process_finds_what_this_one_compiled(kept: Path, tmp_path: Path) -> None:
    """Its functions lie at other addresses."""
    page(tmp_path / "own", "Hello {{ name }}")
    (file,) = kept.iterdir()
    before = file.stat().st_mtime_ns
    again = (
        "import sys, pathlib\n"
        "from grader.report.templates import render\n"
        "print(render('one.j2', {'name': 'Ben'}, [pathlib.Path(sys.argv[1])]))\n"
    )
    folder = str(tmp_path / "own")
    done = subprocess.run(
        [sys.executable, "-c", again, folder], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Hello Ben")
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", [b"", b"x" * 40, None])
def test_damaged_code_is_not_run_and_compiled_again(
    kept: Path, tmp_path: Path, damage: bytes | None
) -> None:
    page(tmp_path / "own", "Hello {{ name }}")
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"\0" if damage is None else damage)
    assert page(tmp_path / "own") == "Hello Ada"
    assert file.read_bytes() == whole


def test_what_another_could_have_written_is_not_run(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(tmp_path / "own", "Hello {{ name }}")
    (file,) = kept.iterdir()
    ran: list[bytes] = []

    def loads(code: bytes) -> object:
        ran.append(code)
        return marshal.loads(code)

    watched = SimpleNamespace(loads=loads, dumps=marshal.dumps)
    monkeypatch.setattr("grader.report.compiled_templates.marshal", watched)
    page(tmp_path / "own")
    assert len(ran) == 1  # else the rest of this test would say nothing
    file.chmod(0o622)
    assert page(tmp_path / "own") == "Hello Ada"
    assert file.stat().st_mode & 0o777 == 0o600  # written anew
    elsewhere = tmp_path / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert page(tmp_path / "own") == "Hello Ada"
    assert not file.is_symlink()
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert page(tmp_path / "own") == "Hello Ada"
    assert len(ran) == 1


@pytest.mark.parametrize("cache", ["a file", "no home"])
def test_where_nothing_can_be_kept_pages_are_made_all_the_same(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: str
) -> None:
    if cache == "a file":
        (tmp_path / "cache").write_text("")
    else:
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    assert page(tmp_path / "own", "Hello {{ name }}") == "Hello Ada"


def test_a_full_disk_costs_no_page(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grader.report.compiled_templates.write_atomically", fail)
    assert page(tmp_path / "own", "Hello {{ name }}") == "Hello Ada"
