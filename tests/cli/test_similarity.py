"""`grader similarity`"""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from grader.cli.similarity import command
from grader.resources import shipped_dir

COURSE = shipped_dir("assignments").parent
SAMPLES = COURSE / "assignments" / "rnn" / "samples"


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(command, ["rnn", *map(str, arguments), "--course", str(COURSE)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_pairs_are_printed_and_a_page_is_written(tmp_path: Path) -> None:
    assert "name_missing  right" in run(SAMPLES, "--out", tmp_path)
    assert "never a mark" in (tmp_path / "similarity.html").read_text()


def test_json_says_what_it_means_and_names_each_pair(tmp_path: Path) -> None:
    document = json.loads(run(SAMPLES, "--out", tmp_path, "--json"))
    assert document["meaning"] == "a signal for a person, never a mark"
    assert document["small_class"] is True
    assert ["name_missing", "right"] in [pair["students"] for pair in document["pairs"]]
    assert document["too_short"] == ["untouched"]
