"""`grader audit` as a command; what it finds is tried in tests/api/test_auditing.py."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from grader.cli.audit import command


def test_a_part_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    done = CliRunner().invoke(command, ["warm-up", "--only", "everything"])
    assert done.exit_code == 2
    assert "tolerances" in done.output


def test_its_parts_are_those_of_an_audit() -> None:
    from grader.audit.findings import PARTS
    from grader.cli.audit import _PARTS

    assert _PARTS == PARTS


def test_an_assignment_that_there_is_not_is_said(tmp_path: Path) -> None:
    for folder in ("assignments", "reference"):
        (tmp_path / folder).mkdir()
    done = CliRunner().invoke(command, ["warm-up", "--course", str(tmp_path)])
    assert "warm-up" in str(done.exception)
