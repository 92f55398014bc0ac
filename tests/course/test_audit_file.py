"""`audit.toml`: read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course.audit_file import read_audit_file
from grader.errors import SpecError

ENTRY = '[[equivalent]]\nmutant = "softmax:sign:1a2b3c"\nreason = "{reason}"\n'


def written(folder: Path, text: str) -> Path:
    (folder / "audit.toml").write_text(text, encoding="utf-8")
    return folder


def test_it_need_not_exist(tmp_path: Path) -> None:
    assert read_audit_file(tmp_path).reasons == {}


def test_it_says_why_a_mutant_is_no_mistake(tmp_path: Path) -> None:
    read = read_audit_file(written(tmp_path, ENTRY.format(reason="Symmetric.")))
    assert read.reasons == {"softmax:sign:1a2b3c": "Symmetric."}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTRY.format(reason=" "), "equivalent[0].reason"),
        (ENTRY.format(reason="a") + ENTRY.format(reason="b"), "equivalent[1].mutant"),
        ("[[equivalents]]\n", "equivalents"),
        ("[[equivalent]]\nmutant = 3\n", "mutant"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SpecError) as raised:
        read_audit_file(written(tmp_path, text))
    assert words in str(raised.value)
    assert "audit.toml" in str(raised.value.where)
